import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateFamilies } from '../../../../../bench/lib/families.ts';
import { findRelatedSets } from './related-sets.ts';
import { splitIntoParts } from './set-parts.ts';

/** Models on a line, each nearest to those beside it. */
const line = (count: number, reach: number) =>
  Array.from({ length: count }, (_, i) =>
    Array.from({ length: 2 * reach }, (_, k) => i + (k % 2 ? -1 : 1) * (1 + (k >> 1))).filter(
      (j) => j >= 0 && j < count,
    ),
  );

describe('splitIntoParts', () => {
  it('leaves a set alone that is small enough', () => {
    expect(splitIntoParts(line(5, 1), 5)).toEqual([{ members: [0, 1, 2, 3, 4], asked: [0, 1, 2, 3, 4] }]);
  });

  it('asks about everybody once, within bounds, whatever the neighbours', () => {
    const graphs = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.tuple(
        fc.array(fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: 6 }), {
          minLength: count,
          maxLength: count,
        }),
        fc.integer({ min: 1, max: 70 }),
      ),
    );
    fc.assert(
      fc.property(graphs, ([near, largest]) => {
        const parts = splitIntoParts(near, largest);
        expect(parts.flatMap(({ asked }) => asked).sort((a, b) => a - b)).toEqual(near.map((_, i) => i));
        for (const { members, asked } of parts) {
          expect(members.length).toBeLessThanOrEqual(largest);
          expect(new Set(members).size).toBe(members.length);
          expect(asked.every((i) => members.includes(i))).toBe(true);
        }
      }),
    );
  });

  it('keeps relatives together: nobody is asked about without its nearest', () => {
    const near = line(300, 2);
    const parts = splitIntoParts(near, 60);
    expect(parts.length).toBeGreaterThan(5);
    for (const { members, asked } of parts)
      for (const i of asked) for (const j of near[i]!) expect(members).toContain(j);
  });

  it('shows the hubs to everybody', () => {
    const near = line(100, 1).map((row, i) => (i === 90 ? row : [90, ...row]));
    for (const { members } of splitIntoParts(near, 30)) expect(members).toContain(90);
  });
});

describe('findRelatedSets', () => {
  it('looks at a set larger than the bound in parts, says so, and asks about every model', () => {
    const { models } = generateFamilies({ seed: 3, families: 1, size: 40, valuesPerTensor: 64, layers: 2 });
    const notes: string[] = [];
    const sets = findRelatedSets(models, 1, { largest: 15, onNote: (note) => notes.push(note) });
    const whole = findRelatedSets(models, 1, { onNote: (note) => notes.push(note) });
    const asked = sets.flatMap((set) => [...set.asked].map((i) => set.models[i]!.repo));
    expect(asked.sort()).toEqual(whole.flatMap((set) => set.models.map((m) => m.repo)).sort());
    expect(sets.every((set) => set.models.length <= 15)).toBe(true);
    for (const set of sets)
      set.models.forEach((_, i) => {
        for (const j of set.nearest(i)) expect(j).toBeLessThan(set.models.length);
      });
    expect(notes.length).toBe(1);
    expect(notes[0]).toMatch(/parts of at most 15/);
  });
});
