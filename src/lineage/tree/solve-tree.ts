import { existedBefore } from '../existed-before.ts';
import { findArborescenceOf } from '../numeric/edmonds.ts';
import type { TreeNode } from './grow-tree.ts';
import { closenessOfPair, type PairTable } from './pair-table.ts';
import type { CandidateScores } from './score-candidates.ts';

/** First guess: nats of closeness count like this many independent values. */
const FIRST_GUESS_VALUES = 200;
/** Price of hanging a node from nothing: above all sums of scores. */
const FROM_NOTHING = 1e9;

/** An arborescence on tempered closeness: where the search starts. */
export function firstGuess(
  table: PairTable,
  nodes: readonly TreeNode[],
  nearest: readonly (readonly number[])[],
  lateCost: number,
): Int32Array {
  const start = new Int32Array(nodes.length + 1);
  const parent: number[] = [];
  const score: number[] = [];
  for (let child = 0; child < nodes.length; child++) {
    const node = nodes[child]!;
    start[child] = parent.length;
    if (node.pinned !== undefined) {
      if (node.pinned >= 0) {
        parent.push(node.pinned);
        score.push(0);
      }
      continue;
    }
    for (const p of nearest[child]!) {
      if (nodes[p]!.mergeOf) continue;
      parent.push(p);
      score.push(
        FIRST_GUESS_VALUES * closenessOfPair(table, child, p) +
          (existedBefore(nodes[p]!.existedBy, node.existedBy) ? 0 : -lateCost),
      );
    }
  }
  start[nodes.length] = parent.length;
  return solveTree(nodes, { start, parent, score }, -1);
}

/** The best tree over scored candidates. `root` = -1 leaves the choice to the solver: it may hang any node from nothing at a price. */
export function solveTree(
  nodes: readonly TreeNode[],
  {
    start,
    parent,
    score,
  }: Pick<CandidateScores, 'start'> & { parent: ArrayLike<number>; score: ArrayLike<number> },
  root: number,
): Int32Array {
  const n = nodes.length;
  const fixedRoot = nodes.findIndex((node) => node.pinned === -1);
  const top = fixedRoot >= 0 ? fixedRoot : root;
  const count = start[n]! + n;
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  const cost = new Float64Array(count);
  let at = 0;
  for (let child = 0; child < n; child++) {
    for (let i = start[child]!; i < start[child + 1]!; i++) {
      from[at] = parent[i]!;
      to[at] = child;
      cost[at] = -score[i]!;
      at++;
    }
    from[at] = n;
    to[at] = child;
    cost[at] = child === top ? -FROM_NOTHING : FROM_NOTHING;
    at++;
  }
  const chosen = findArborescenceOf(n + 1, { from, to, cost }, n)!;
  const tree = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const p = from[chosen[i]!]!;
    tree[i] = p === n ? -1 : p;
  }
  return tree;
}
