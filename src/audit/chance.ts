import type { Relatedness } from '../types/lineage.ts';

/**
 * Smallest cosine by which a true descendant is still expected to resemble its base. Published ones are above .98 for tuning and
 * .5 to .7 after hundreds of billions of further tokens (CodeLlama, Llemma); half the lowest of those, with room for a harder case.
 */
const SMALLEST_RELATED_COSINE = 0.2;

/**
 * Chance that a model descending from another would look this unlike it: one-sided, for a cosine of at least SMALLEST_RELATED_COSINE
 * whose sampling error is that of the null, N(0, 1/n). 1 when nothing was compared.
 */
export function chanceIfRelated(relatedness: Relatedness): number {
  const { cosine, nullSd } = relatedness;
  if (cosine === null || nullSd === null || !(nullSd > 0)) return 1;
  return normalCdf((cosine - SMALLEST_RELATED_COSINE) / nullSd);
}

/** Chance that independently trained models would look this alike: one-sided under N(0, nullSd^2). 1 when nothing was compared. */
export function chanceIfUnrelated(relatedness: Relatedness): number {
  const { cosine, nullSd } = relatedness;
  if (cosine === null || nullSd === null || !(nullSd > 0)) return 1;
  return normalCdf(-cosine / nullSd);
}

/** Standard normal distribution function; relative error below 1.2e-7 also far out in the lower tail (Numerical Recipes, erfcc). */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const series = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
    1.00002368, -1.26551223,
  ].reduce((sum, coefficient) => sum * t + coefficient, 0);
  const tail = (t * Math.exp(-x * x + series)) / 2;
  return z < 0 ? tail : 1 - tail;
}
