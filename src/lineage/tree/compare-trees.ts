import type { Calibration } from '../calibration.ts';
import type { BranchSteps } from './branch-steps.ts';
import { reroot, rootOf, scoreRootPlaces } from './choose-root.ts';
import type { TreeNode } from './grow-tree.ts';

/** What one node may add at most: siblings tuned on the same data lie together by more than any tree explains. */
const ONE_CAP = 3;

/** Log-odds of the first of two trees over the second. */
export type TreeComparison = (a: Int32Array, b: Int32Array) => number;

/**
 * Scores of candidates are relative to the tree they were measured in, so their sums do not compare between trees. What does: where the
 * two differ, by how much each node prefers its place in one to its place in the other, both hung from the same root, measured once in
 * each of them; and what each tree says of direction and of its hubs as a whole.
 */
export function createTreeComparison(
  nodes: readonly TreeNode[],
  calibration: Calibration,
  steps: BranchSteps,
): TreeComparison {
  const standing = (tree: Int32Array): number => {
    const direction = scoreRootPlaces(nodes, tree, calibration).rootScores[rootOf(tree)]!;
    return (Number.isFinite(direction) ? direction : 0) + calibration.hub * attachmentOf(tree);
  };
  /** how much better the nodes of `tree` lie where they are than where `other` has them */
  const gainIn = (tree: Int32Array, other: Int32Array): number => {
    const places = reroot(other, rootOf(tree));
    let gain = 0;
    for (let child = 0; child < tree.length; child++) {
      if (tree[child] === places[child] || tree[child]! < 0 || nodes[child]!.pinned !== undefined) continue;
      const one =
        geometryOf(steps, tree, child, tree[child]!) - geometryOf(steps, tree, child, places[child]!);
      gain += Math.max(-ONE_CAP, Math.min(ONE_CAP, one));
    }
    return gain;
  };
  return (a, b) => standing(a) - standing(b) + (gainIn(a, b) - gainIn(b, a)) / 2;
}

/** Log-odds that a node hangs from `at` rather than from the root, in a tree without it; what would be in between hangs from its parent. */
function geometryOf(steps: BranchSteps, tree: Int32Array, child: number, at: number): number {
  let sum = 0;
  let through = -1;
  for (let v = at; v >= 0; ) {
    const direct = tree[v]!;
    if (direct === child) through = v;
    const p = direct === child ? tree[child]! : direct;
    if (p >= 0) sum += steps.of(p, v, child);
    v = p;
  }
  return through < 0 ? sum : sum - steps.of(tree[child]!, child, through);
}

/** Log of the product, over all models, of the factorial of the number of children: preferential attachment, child by child. */
function attachmentOf(tree: Int32Array): number {
  const count = new Int32Array(tree.length);
  let sum = 0;
  for (const p of tree) {
    if (p < 0) continue;
    count[p]!++;
    sum += Math.log(count[p]!);
  }
  return sum;
}
