import { describe, expect, it } from 'vitest';
import { generateFamilies } from '../../../bench/lib/families.ts';
import { distanceBlocks } from './block-distances.ts';

const { models } = generateFamilies({ seed: 3, families: 1, size: 12, valuesPerTensor: 64, layers: 2 });

describe('distanceBlocks', () => {
  it('says who is left out: components too large for all pairs, adapters', () => {
    const notes: string[] = [];
    const whole = distanceBlocks(models, 1, notes);
    const largest = Math.max(...whole.map((block) => block.models.length));
    expect(largest).toBeGreaterThan(3);
    expect(notes.filter((note) => /related models/.test(note))).toEqual([]);

    const bounded: string[] = [];
    const kept = distanceBlocks(models, 1, bounded, largest - 1);
    expect(kept.every((block) => block.models.length < largest)).toBe(true);
    expect(bounded.filter((note) => /related models/.test(note)).length).toBe(whole.length - kept.length);

    const first = models.find((model) => model.fingerprint.kind === 'full');
    const adapter = {
      ...first!,
      repo: 'x/lora',
      fingerprint: { ...first!.fingerprint, kind: 'adapter' as const },
    };
    const withAdapter: string[] = [];
    distanceBlocks([first!, adapter], 1, withAdapter);
    expect(withAdapter).toEqual([expect.stringContaining('Adapters were left out (1)')]);
  });

  it('orders a component by time and measures all its pairs', () => {
    for (const { models: own, distance } of distanceBlocks(models, 1, []))
      own.forEach((model, i) => {
        if (i > 0) expect(model.createdAt).toBeGreaterThanOrEqual(own[i - 1]!.createdAt);
        for (let j = 0; j < own.length; j++) expect(distance(i, j)).toBe(distance(j, i));
        expect(distance(i, i)).toBe(0);
      });
  });
});
