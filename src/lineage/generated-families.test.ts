import { describe, expect, it } from 'vitest';
import { drawFamilies } from '../../bench/lib/detector-sets.ts';
import { generateFamilies } from '../../bench/lib/families.ts';
import { roundTripBlocks } from '../../bench/lib/ggml-round-trip.ts';
import { loaderOf } from '../../bench/lib/loader-of.ts';
import { scoreLineage } from '../../bench/lib/score.ts';
import { inferLineage } from './index.ts';

/**
 * A guard for whoever tunes inference on one zoo: small families of known lineage, every parent present. 88.5 % of these are found when
 * this was written (the rest are near ties); a change that buys something elsewhere at the price of these shows here.
 */
describe('inference on generated families with nothing missing', () => {
  it('keeps finding parents, and invents hardly any that are not there', async () => {
    let right = 0;
    let total = 0;
    let virtual = 0;
    for (let seed = 300_001; seed <= 300_015; seed++) {
      const hub = generateFamilies({ ...drawFamilies(seed), missingRoots: 0 });
      const result = await inferLineage(hub.models, loaderOf(hub.samples), {
        method: 'hublineage',
        seed: 1,
        minProbability: 0.5,
        roundTrip: roundTripBlocks,
      });
      const { all } = scoreLineage(hub.truth, result);
      right += all.right;
      total += all.total;
      virtual += result.virtualParents.length;
    }
    expect(total).toBeGreaterThan(250);
    expect(right / total).toBeGreaterThan(0.86);
    expect(virtual).toBeLessThanOrEqual(2);
  }, 180_000);
});
