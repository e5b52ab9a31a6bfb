import type { Mixture } from './merges/explain-as-mixture.ts';
import { measureBranchPoint } from './tree/branch-point.ts';
import type { PairTable } from './tree/pair-table.ts';

/** Seen from a merge some of what it was mixed from lie opposite each other. */
const OPPOSITE = -0.15;
/** Seen from a hub its children lie at right angles; seen from a sum of deltas the base and the parents do not. */
const RIGHT_ANGLE = 0.35;
/** Weights that add up to more are a sum of whole deltas (task arithmetic, TIES, DARE), whose parents need not lie opposite. */
const SUM_OF_DELTAS = 1.1;

/** Found value by value there is no base, and nothing to confuse. */
type Explained = Pick<Mixture, 'child' | 'parents'> & Partial<Pick<Mixture, 'base' | 'exact'>>;

/**
 * Is a model that some least squares explain as a mixture rather what its "parents" were made from, or their sibling? The mean of
 * several children comes near their hub, and a sibling tuned on the same data near a mixture of its relatives. Angles tell: in
 * m = sum w_i p_i, (p_i - m)(p_j - m) = -w_i w_j |p_i - p_j|^2 for two parents, so some pair is opposite; from a hub every pair is
 * orthogonal, and from a sibling every pair lies on one side. A mixture that leaves nothing but rounding needs no such help.
 */
export function isHubOfItsParents(table: PairTable, mixture: Explained): boolean {
  if (mixture.exact || mixture.base === undefined) return false;
  const sum = mixture.parents.reduce((total, p) => total + p.weight, 0);
  const around = [...new Set([...mixture.parents.map((p) => p.model), mixture.base])];
  let least = 1;
  let most = -1;
  for (const a of around)
    for (const b of around) {
      if (a >= b) continue;
      const one = measureBranchPoint(table, mixture.child, a, b);
      const other = measureBranchPoint(table, mixture.child, b, a);
      if (!one || !other) continue;
      const cosine = (one.siblingCosine + other.siblingCosine) / 2;
      least = Math.min(least, cosine);
      most = Math.max(most, cosine);
    }
  return least > OPPOSITE && (sum < SUM_OF_DELTAS || most < RIGHT_ANGLE);
}
