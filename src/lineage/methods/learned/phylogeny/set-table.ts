/** What is measured of one model of a set; order is the file format, so new ones go to the end. */
export const NODE_MEASURES = [
  'grid-fineness',
  'quantized',
  'log-vocabulary',
  'log-layers',
  'log-distance-to-centre',
  'tensor-distance-q10',
  'tensor-distance-q50',
  'tensor-distance-q90',
  'log-kurtosis-of-delta',
  'share-derived',
  'log-norm-to-centre',
  'kurtosis-to-centre',
  'gains-distance-to-centre',
  'stored-finer',
] as const;

/** What is measured of one ordered pair (child, candidate parent). All are free of shapes and counts. */
export const PAIR_MEASURES = [
  'closeness',
  'log-distance',
  'log-distance-raw',
  'equal-share',
  'untouched-share',
  'cosine',
  'distance-spread',
  'norm-step',
  'norm-step-squared',
  'kurtosis-step',
  'equal-after-rounding',
  'best-rival',
  'rivals-ahead',
  'branch-place',
  'branch-at-parent',
  'branch-at-child',
  'model-between',
  'log-thirds',
  'best-earlier-rival',
  'best-later-rival',
  'reversals',
  'shared-derived',
] as const;

/**
 * A set of models with everything the detector looks at, before it is turned into features: small enough to ship by the hundred, and
 * independent of how features are derived from it. Pairs lie in rows by child (compressed sparse rows); a pair is there in both orders.
 */
export interface SetTable {
  repos: string[];
  /** ms since epoch */
  createdAt: Float64Array;
  /** models x NODE_MEASURES */
  nodes: Float32Array;
  /** pairs of child i are offsets[i] .. offsets[i + 1] */
  offsets: Int32Array;
  /** the candidate of each pair, ascending within a child */
  candidates: Int32Array;
  /** pairs x PAIR_MEASURES */
  pairs: Float32Array;
}

/** Names measured columns so that code reads like the list above. */
export function nodeColumn(name: (typeof NODE_MEASURES)[number]): number {
  return NODE_MEASURES.indexOf(name);
}

export function pairColumn(name: (typeof PAIR_MEASURES)[number]): number {
  return PAIR_MEASURES.indexOf(name);
}

/** Where the same two models stand in the other order: reverse[pair (i, j)] = pair (j, i). */
export function reversePairs(offsets: Int32Array, candidates: Int32Array): Int32Array {
  const at = new Map<number, number>();
  const n = offsets.length - 1;
  for (let i = 0; i < n; i++)
    for (let p = offsets[i]!; p < offsets[i + 1]!; p++) at.set(i * n + candidates[p]!, p);
  const reverse = new Int32Array(candidates.length);
  for (let i = 0; i < n; i++)
    for (let p = offsets[i]!; p < offsets[i + 1]!; p++) reverse[p] = at.get(candidates[p]! * n + i)!;
  return reverse;
}
