import { createRandom } from '../../numeric/random.ts';
import { type Gmm, gmm } from './gmm.ts';
import type { Points } from './points.ts';

/** Relative rounding error of bfloat16, rms: differences below it are the number format's, not structure. */
const BF16_STEP = 0.0017;
/** A mixture is given up after this many larger ones without a better criterion. */
const PATIENCE = 3;
const MAX_CLUSTERS = 64;

/** Least variance of a value of a unit vector of `dim` values: that of rounding to bfloat16. */
export function roundingFloor(dim: number): number {
  return BF16_STEP ** 2 / Math.max(1, dim);
}

/** Number of clusters of the mixture with the least Bayesian information criterion, searched upwards from one. */
export function chooseMixtureCount(units: Points, seed: number): number {
  let best: { clusters: number; fit: Gmm } | null = null;
  for (let clusters = 1; clusters <= Math.min(MAX_CLUSTERS, units.count); clusters++) {
    const fit = gmm(units, { clusters, random: createRandom(seed), floor: roundingFloor(units.dim) });
    if (best === null || fit.bic < best.fit.bic) best = { clusters, fit };
    else if (clusters - best.clusters >= PATIENCE) break;
  }
  return best?.clusters ?? 1;
}
