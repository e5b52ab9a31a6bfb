import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLlamaSummary } from '../../test/lib/llama-summary.ts';
import type { LineageModel } from '../types/lineage.ts';
import { findNearest } from './nearest-neighbours.ts';
import { createNormal, createRandom } from './numeric/random.ts';

/** Models by number; few different values, so that many distances are equal. */
function plant(seed: number, count: number, width: number, steps: number): LineageModel[] {
  const normal = createNormal(createRandom(seed));
  return Array.from({ length: count }, (_, i) => ({
    repo: `m${String(i).padStart(5, '0')}`,
    owner: 'm',
    createdAt: Math.floor((i * 7919) % count) * 1000,
    fingerprint: createLlamaSummary({
      core: Float32Array.from({ length: width }, () => Math.round(normal() * steps) / steps),
    }),
  }));
}

function search(models: readonly LineageModel[], wanted: number, before: unknown = undefined) {
  const { nearest, stored } = findNearest(
    models,
    models.map((_, i) => i),
    { seed: 1, nearest: wanted },
    { contents: models.map((m) => m.repo), before },
  );
  return { nearest: [...nearest], stored };
}

describe('nearest neighbours', () => {
  it('are those of every pair', () => {
    const models = plant(1, 120, 12, 2);
    const { nearest } = search(models, 7);
    for (const [i, found] of nearest) {
      const mine = models[i]!.fingerprint.core;
      const distance = models.map(({ fingerprint }) =>
        fingerprint.core.reduce((sum, x, k) => sum + (x * mine[k]! === 0 ? 0 : (x - mine[k]!) ** 2), 0),
      );
      const order = [...distance.keys()].filter((j) => j !== i);
      expect(found).toEqual(order.sort((a, b) => distance[a]! - distance[b]! || a - b).slice(0, 7));
    }
  });

  it('are night after night what a search from nothing finds, whoever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.double({ min: 0.3, max: 1, noNaN: true }), { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        fc.integer(),
        (count, nights, wanted, turned, seed) => {
          const all = plant(seed, count, 10, 1);
          const random = createRandom(seed);
          let before: unknown;
          for (const [night, share] of nights.entries()) {
            const models = all.filter(() => random() < share);
            if (turned && night === 1) models.reverse();
            if (models.length === 0) continue;
            const found = search(models, wanted, structuredClone(before));
            expect(found).toEqual(search(models, wanted));
            before = found.stored;
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are the same in blocks so large that sketches say whom to measure', () => {
    const all = plant(5, 3080, 24, 8);
    // the oldest first, so that sketches keep their origin but in the last night
    const nights = [
      all.slice(0, 3030),
      all.filter((_, i) => i % 500 !== 7),
      all.filter((m) => m.createdAt > 0),
    ];
    let before: unknown;
    for (const models of nights) {
      const found = search(models, 5, before);
      expect(found).toEqual(search(models, 5));
      before = found.stored;
    }
  }, 60_000);

  it('take anything else than a former search for none', () => {
    const models = plant(3, 20, 8, 4);
    const { stored } = search(models, 4);
    const broken = [null, 5, {}, { ...stored, lists: new Int32Array(3) }, { ...stored, frame: '' }];
    broken.push({ ...stored, lists: stored.lists.map(() => 999) });
    for (const before of broken) expect(search(models, 4, before)).toEqual(search(models, 4));
  });
});
