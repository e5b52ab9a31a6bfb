import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateFamilies, ONLY_FINETUNES } from '../../../bench/lib/families.ts';
import { toModelSamples } from '../model-samples.ts';
import { createPairTable } from '../tree/pair-table.ts';
import { explainAsMixture } from './explain-as-mixture.ts';
import { mayBeExact } from './may-be-exact.ts';

const SIZE = 14;

function grow(seed: number, step: number, merge: number) {
  const hub = generateFamilies({
    seed,
    families: 1,
    size: SIZE,
    valuesPerTensor: 96,
    step,
    shares: { ...ONLY_FINETUNES, merge },
  });
  const models = hub.models.filter((m) => hub.samples.has(m.repo));
  return createPairTable(models.map((m) => toModelSamples(m.repo, hub.samples.get(m.repo)!)));
}

describe('mayBeExact', () => {
  it('never denies a mixture that is found to be exact, and denies most that are not', () => {
    let exact = 0;
    let others = 0;
    let denied = 0;
    const draws = fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      step: fc.constantFrom(0.003, 0.02, 0.1),
    });
    fc.assert(
      fc.property(draws, ({ seed, step }) => {
        const table = grow(seed, step, 0.4);
        const all = Array.from({ length: table.size }, (_, i) => i);
        for (const child of all) {
          const pool = all.filter((m) => m !== child);
          const bases = pool.slice(0, 5);
          const found = explainAsMixture(table, child, pool, bases);
          const may = mayBeExact(table, child, pool, bases);
          if (found?.exact) {
            exact++;
            expect(may).toBe(true);
          } else if (step > 0.01) {
            others++;
            if (!may) denied++;
          }
        }
      }),
      { numRuns: 25, seed: 3 },
    );
    expect(exact).toBeGreaterThan(20);
    expect(denied / others).toBeGreaterThan(0.5);
  }, 60_000);
});
