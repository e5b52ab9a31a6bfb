import type { FingerprintSummary } from '../types/fingerprint.ts';
import type { EstimatedCore } from '../types/lineage.ts';
import { squaredDistance } from './cosine-test.ts';
import { powerOf } from './numeric/power-of.ts';

/** Pairs of others that a child's step is read from: more only cost time. */
const MAX_OTHERS = 12;
/** A child cannot be closer than this share of the nearest pair: the parent would be the child. */
const MIN_SHARE = 1e-3;

type Child = Pick<FingerprintSummary, 'core' | 'coreKey'>;

/**
 * The core of a parent that is not in the index, from those of its children. Steps of children are nearly orthogonal, so the squared step
 * of each is r_i^2 = median over pairs of (d_ij^2 + d_ik^2 - d_jk^2) / 2, and the mean with weights 1 / r_i^2 is the likeliest parent; its
 * squared error is 1 / sum 1 / r_i^2 where steps are independent, more where siblings share a direction. One child far
 * lighter than the rest is nearly the parent itself: then steps are read less exactly, and the estimate is about that child. Zeros are positions that were not
 * read. Null with fewer than three children of one layout: a pair has no geometry.
 */
export function estimateMissingCore(children: readonly Child[]): EstimatedCore | null {
  const key = commonestKey(children);
  const cores = children.filter((c) => c.coreKey === key).map((c) => c.core);
  if (key === null || cores.length < 3) return null;
  const fixed = cores.slice(0, MAX_OTHERS);
  const between = fixed.map((a) => fixed.map((b) => squaredDistance(a, b)));
  const shortest = Math.min(...between.flatMap((row, i) => row.filter((_, j) => j !== i)));
  const weights = cores.map((core, i) => {
    const away = fixed.map((other) => squaredDistance(core, other));
    const steps: number[] = [];
    let noise = 0;
    for (let j = 0; j < fixed.length; j++)
      for (let k = j + 1; k < fixed.length; k++)
        if (j !== i && k !== i) {
          steps.push((away[j]! + away[k]! - between[j]![k]!) / 2);
          noise += away[j]! * away[k]!;
        }
    steps.sort((a, b) => a - b);
    const middle = (steps[Math.floor((steps.length - 1) / 2)]! + steps[Math.floor(steps.length / 2)]!) / 2;
    // a light step beside heavy ones is read as good as they are orthogonal in so many values: rather too heavy than too light
    const doubt = Math.sqrt(noise / steps.length / (fixed.length - 1) / Math.max(1, core.length));
    return 1 / Math.max(Math.max(0, middle) + doubt, MIN_SHARE * shortest, 1e-30);
  });
  const length = Math.min(...cores.map((c) => c.length));
  const values = new Float32Array(length);
  for (let at = 0; at < length; at++) {
    let sum = 0;
    let total = 0;
    cores.forEach((core, i) => {
      const value = core[at]!;
      if (value === 0 || !Number.isFinite(value)) return;
      sum += weights[i]! * value;
      total += weights[i]!;
    });
    if (total > 0) values[at] = sum / total;
  }
  const squaredError = 1 / weights.reduce((a, b) => a + b, 0);
  return { key, values, relativeError: Math.sqrt(squaredError / (powerOf(values) || 1)), from: cores.length };
}

/**
 * Is this model the one that was estimated? Its distance in units of the estimate's own error: about 1 for the model itself (2 where
 * siblings share a direction or steps differ tenfold), at least the children's distance over that error for any of them. Null where the layouts differ.
 */
export function distanceFromEstimate(estimate: EstimatedCore, model: Child): number | null {
  if (estimate.key !== model.coreKey) return null;
  const power = powerOf(estimate.values) || 1;
  const relative = Math.sqrt(squaredDistance(estimate.values, model.core) / power);
  return relative / Math.max(estimate.relativeError, 1e-9);
}

/** Children of other vocabularies or depths have cores of another layout; the largest group of one layout tells. */
function commonestKey(children: readonly Child[]): string | null {
  const votes = new Map<string, number>();
  for (const { coreKey, core } of children)
    if (core.length > 0) votes.set(coreKey, (votes.get(coreKey) ?? 0) + 1);
  const [best] = [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return best?.[0] ?? null;
}
