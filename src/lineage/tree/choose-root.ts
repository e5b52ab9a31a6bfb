import type { Calibration } from '../calibration.ts';
import { existedBefore } from '../existed-before.ts';
import { createNearestList } from '../numeric/nearest-list.ts';
import type { TreeNode } from './grow-tree.ts';

/** Log-odds for every further child that is older than its parent, once the first has cost the full price: a re-created repo. */
export const REPEAT_TIME_COST = 0.3;

export function rootOf(parent: Int32Array): number {
  return parent.indexOf(-1);
}

/** The children of v are those from `start[v]` to `start[v + 1]` in `list`, ascending; `count`: how many they are. */
export interface Children {
  start: Int32Array;
  list: Int32Array;
  count: Int32Array;
}

export function toChildren(parent: Int32Array): Children {
  const n = parent.length;
  const count = new Int32Array(n);
  for (let v = 0; v < n; v++) if (parent[v]! >= 0) count[parent[v]!]!++;
  const start = new Int32Array(n + 1);
  for (let v = 0; v < n; v++) start[v + 1] = start[v]! + count[v]!;
  const list = new Int32Array(start[n]!);
  const next = start.slice(0, n);
  for (let v = 0; v < n; v++) if (parent[v]! >= 0) list[next[parent[v]!]!++] = v;
  return { start, list, count };
}

/** How many of its children each node is younger than. */
export function countOlderChildren(nodes: readonly TreeNode[], parent: Int32Array): Int32Array {
  const older = new Int32Array(parent.length);
  for (let v = 0; v < parent.length; v++) {
    const p = parent[v]!;
    if (p >= 0 && !existedBefore(nodes[p]!.existedBy, nodes[v]!.existedBy)) older[p]!++;
  }
  return older;
}

/** From rows of the embedding: a vocabulary that shrank costs. NaN where they are not known, which are neither more nor fewer. */
export function vocabularyTerm(parent: number, child: number, price: number): number {
  return parent > child ? -price : 0;
}

export function scoreRoots(
  nodes: readonly TreeNode[],
  parent: Int32Array,
  calibration: Calibration,
): Float64Array {
  return scoreRootPlaces(nodes, parent, calibration).rootScores;
}

/**
 * Geometry cannot tell which end of the tree is the root, so all evidence for direction is pooled into one choice: for each node the
 * sum over all edges of what their direction under that root is worth (in O(n) by moving the root along edges), plus its degree.
 *
 * The root may also be a model that is not in the index. If it has two branches left, it lies inside an edge, whose ends are siblings
 * then: distances cannot tell that from a parent and its child, so only its prior and the dates of all other edges speak.
 */
export function scoreRootPlaces(
  nodes: readonly TreeNode[],
  parent: Int32Array,
  calibration: Calibration,
): { rootScores: Float64Array; hiddenRootScores: Float64Array } {
  const n = nodes.length;
  const children = toChildren(parent);
  const root = rootOf(parent);
  const scores = new Float64Array(n);
  const hidden = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  const hiddenPrior = calibration.hiddenRoot + calibration.rootHub * Math.log(3);
  // A re-created parent is one accident however many children it has: the first older child costs, the rest hardly.
  const older = countOlderChildren(nodes, parent);
  const price = (k: number) => (k === 0 ? 0 : -calibration.time - REPEAT_TIME_COST * (k - 1));
  const isOlder = (child: number, p: number) =>
    existedBefore(nodes[p]!.existedBy, nodes[child]!.existedBy) ? 0 : 1;
  const vocabulary = (p: number, c: number) =>
    vocabularyTerm(nodes[p]!.vocab ?? Number.NaN, nodes[c]!.vocab ?? Number.NaN, calibration.vocabulary);
  const degree = (v: number) => children.count[v]! + (parent[v]! >= 0 ? 1 : 0);
  let total = 0;
  for (let v = 0; v < n; v++) {
    const p = parent[v]!;
    if (p < 0) continue;
    total += vocabulary(p, v);
  }
  for (let v = 0; v < n; v++) total += price(older[v]!);
  const base = total;
  // Crossing the edge u -> v turns it around and touches only the two ends; what the path changed above is carried along.
  const stack: { node: number; total: number; lost: number; fixed: boolean }[] = [
    { node: root, total: base, lost: 0, fixed: nodes[root]!.pinned !== undefined },
  ];
  while (stack.length > 0) {
    const { node: u, total: at, lost, fixed } = stack.pop()!;
    scores[u] =
      fixed && u !== root ? Number.NEGATIVE_INFINITY : at + calibration.rootHub * Math.log(1 + degree(u));
    // `lost`: older children u has under the root u itself, beyond those it has now
    const mine = older[u]! + lost;
    for (let i = children.start[u]!; i < children.start[u + 1]!; i++) {
      const v = children.list[i]!;
      const minus = isOlder(v, u);
      const plus = isOlder(u, v);
      if (!fixed && nodes[v]!.pinned === undefined)
        hidden[v] = at - price(mine) + price(mine - minus) - vocabulary(u, v) + hiddenPrior;
      const next =
        at -
        price(mine) -
        price(older[v]!) +
        price(mine - minus) +
        price(older[v]! + plus) -
        vocabulary(u, v) +
        vocabulary(v, u);
      stack.push({ node: v, total: next, lost: plus, fixed: fixed || nodes[v]!.pinned !== undefined });
    }
  }
  return { rootScores: scores, hiddenRootScores: hidden };
}

/** The root goes where the pooled evidence for direction wants it. */
export function moveRoot(
  nodes: readonly TreeNode[],
  parent: Int32Array,
  calibration: Calibration,
): Int32Array {
  const scores = scoreRoots(nodes, parent, calibration);
  let best = rootOf(parent);
  for (let i = 0; i < scores.length; i++)
    if (scores[i]! > scores[best]! + 1e-9 && Number.isFinite(scores[i]!)) best = i;
  return reroot(parent, best);
}

/** Turns the edges on the path between the old root and the new one. */
export function reroot(parent: Int32Array, root: number): Int32Array {
  const turned = Int32Array.from(parent);
  let previous = -1;
  let v = root;
  while (v >= 0) {
    const next = parent[v]!;
    turned[v] = previous;
    previous = v;
    v = next;
  }
  return turned;
}

/** A wrong root drags its neighbourhood along, so the search starts from several: the best by direction, and the largest hubs. */
export function rootsToTry(
  nodes: readonly TreeNode[],
  tree: Int32Array,
  calibration: Calibration,
  each: number,
): number[] {
  const byDirection = scoreRoots(nodes, tree, calibration);
  const degree = new Int32Array(nodes.length);
  const possible: number[] = [];
  for (let v = 0; v < tree.length; v++) {
    if (Number.isFinite(byDirection[v]!)) possible.push(v);
    const p = tree[v]!;
    if (p < 0) continue;
    degree[p]!++;
    degree[v]!++;
  }
  return [...new Set([...highest(possible, byDirection, each), ...highest(possible, degree, each)])];
}

/** The few with the highest scores, highest first, ties by index. */
function highest(nodes: readonly number[], score: ArrayLike<number>, count: number): number[] {
  const list = createNearestList(count);
  for (const v of nodes) list.offer(-score[v]!, v);
  return list.items();
}
