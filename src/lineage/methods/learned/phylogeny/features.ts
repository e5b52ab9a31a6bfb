import { existedBefore } from '../../../existed-before.ts';
import {
  NODE_MEASURES,
  nodeColumn,
  PAIR_MEASURES,
  pairColumn,
  reversePairs,
  type SetTable,
} from './set-table.ts';

/** Derived besides the measures themselves: what only makes sense within the set (ranks, gaps, order in time and format). */
export const NODE_EXTRAS = [
  'log-models',
  'time-rank',
  'log-hub-degree',
  'best-closeness',
  'log-twins',
] as const;
export const PAIR_EXTRAS = [
  'gap-to-nearest',
  'gap-to-nearest-of-parent',
  'log-rank',
  'log-rank-of-child',
  'gap-to-nearest-earlier',
  'nearest-earlier',
  'time-order',
  'log-days',
  'finer-parent',
  'coarser-parent',
  'quantized-parent',
  'vocabulary-grew',
  'more-derived',
  'hub-degree-of-parent',
  'stored-finer-parent',
] as const;

export const NODE_WIDTH = NODE_MEASURES.length + NODE_EXTRAS.length;
export const PAIR_WIDTH = PAIR_MEASURES.length + PAIR_EXTRAS.length;

/** What the network sees, not yet standardised. Same pair layout as the set's table. */
export interface SetFeatures {
  count: number;
  /** models x NODE_WIDTH */
  nodes: Float32Array;
  offsets: Int32Array;
  candidates: Int32Array;
  reverse: Int32Array;
  /** pairs x PAIR_WIDTH */
  pairs: Float32Array;
}

const DAY = 86_400_000;
/** Nearly all values equal: re-uploads, whose weights existed as early as the earliest of them. */
export const TWIN_SHARE = 0.9999;

/** Nothing here depends on the order, names, number or shapes of the models: permuting the set permutes the features. */
export function toFeatures(table: SetTable): SetFeatures {
  const { offsets, candidates } = table;
  const n = table.repos.length;
  const measured = PAIR_MEASURES.length;
  const at = (pair: number, name: (typeof PAIR_MEASURES)[number]) =>
    table.pairs[pair * measured + pairColumn(name)]!;
  const node = (i: number, name: (typeof NODE_MEASURES)[number]) =>
    table.nodes[i * NODE_MEASURES.length + nodeColumn(name)]!;

  const existedBy = Float64Array.from(table.createdAt);
  const twins = new Int32Array(n);
  const best = new Float64Array(n).fill(-1);
  const bestEarlier = new Float64Array(n).fill(-1);
  const rank = new Float64Array(candidates.length);
  const degree = new Float64Array(n);
  const each = (visit: (child: number, parent: number, pair: number) => void) => {
    for (let i = 0; i < n; i++)
      for (let p = offsets[i]!; p < offsets[i + 1]!; p++) visit(i, candidates[p]!, p);
  };
  each((child, parent, pair) => {
    if (at(pair, 'equal-share') < TWIN_SHARE) return;
    twins[child]!++;
    existedBy[child] = Math.min(existedBy[child]!, table.createdAt[parent]!);
  });
  // twins are told apart by their own times, everybody else by when the weights first existed
  const isEarlier = (parent: number, child: number, pair: number) =>
    at(pair, 'equal-share') < TWIN_SHARE
      ? existedBefore(existedBy[parent]!, existedBy[child]!)
      : table.createdAt[parent]! <= table.createdAt[child]!;
  each((child, parent, pair) => {
    const closeness = at(pair, 'closeness');
    best[child] = Math.max(best[child]!, closeness);
    if (isEarlier(parent, child, pair)) bestEarlier[child] = Math.max(bestEarlier[child]!, closeness);
  });
  for (let i = 0; i < n; i++) {
    const row = Array.from({ length: offsets[i + 1]! - offsets[i]! }, (_, k) => offsets[i]! + k);
    row.sort((a, b) => at(b, 'closeness') - at(a, 'closeness'));
    // equally close models have equal ranks, or the features would depend on the order of the list
    row.forEach((pair, place) => {
      const before = place > 0 ? row[place - 1]! : -1;
      const tied = before >= 0 && at(before, 'closeness') - at(pair, 'closeness') < 1e-6;
      rank[pair] = tied ? rank[before]! : place;
    });
    // ties for nearest share the vote
    const nearest = row.filter((pair) => at(pair, 'closeness') > best[i]! - 1e-3);
    for (const pair of nearest) degree[candidates[pair]!]! += 1 / nearest.length;
  }

  const reverse = reversePairs(offsets, candidates);
  const nodes = new Float32Array(n * NODE_WIDTH);
  const earlierModels = (i: number) =>
    existedBy.reduce((sum, t) => sum + (existedBefore(existedBy[i]!, t) ? 0 : 1), 0);
  for (let i = 0; i < n; i++) {
    const measures = NODE_MEASURES.map((name) => node(i, name));
    // sizes are told as what differs from the set, or a new architecture would look like nothing ever seen
    for (const name of ['log-vocabulary', 'log-layers'] as const)
      measures[nodeColumn(name)] = Math.sign(
        Math.round(1e4 * (node(i, name) - smallest(n, (k) => node(k, name)))),
      );
    nodes.set(
      [
        ...measures,
        Math.log(n),
        n > 1 ? earlierModels(i) / (n - 1) : 0,
        Math.log1p(degree[i]!),
        best[i]!,
        Math.log1p(twins[i]!),
      ],
      i * NODE_WIDTH,
    );
  }

  const pairs = new Float32Array(candidates.length * PAIR_WIDTH);
  each((child, parent, pair) => {
    const closeness = at(pair, 'closeness');
    const earlier = isEarlier(parent, child, pair);
    const days = (existedBy[child]! - existedBy[parent]!) / DAY;
    const fineness = node(parent, 'grid-fineness') - node(child, 'grid-fineness');
    const vocabulary = node(child, 'log-vocabulary') - node(parent, 'log-vocabulary');
    pairs.set(table.pairs.subarray(pair * measured, (pair + 1) * measured), pair * PAIR_WIDTH);
    pairs.set(
      [
        best[child]! - closeness,
        best[parent]! - closeness,
        Math.log1p(rank[pair]!),
        Math.log1p(rank[reverse[pair]!]!),
        clip(bestEarlier[child]! - closeness, 5),
        earlier && closeness > bestEarlier[child]! - 1e-6 ? 1 : 0,
        Math.abs(days) < 1 / 24 ? 0 : Math.sign(days),
        Math.sign(days) * Math.log1p(Math.abs(days)),
        fineness > 0 ? 1 : 0,
        fineness < 0 ? 1 : 0,
        node(parent, 'quantized'),
        Math.sign(Math.round(1e4 * vocabulary)),
        node(child, 'share-derived') - node(parent, 'share-derived'),
        Math.log1p(degree[parent]!),
        node(parent, 'stored-finer'),
      ],
      pair * PAIR_WIDTH + measured,
    );
  });
  return { count: n, nodes, offsets, candidates, reverse, pairs };
}

function smallest(n: number, of: (i: number) => number): number {
  let low = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) low = Math.min(low, of(i));
  return low;
}

function clip(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
