import type { Calibration } from '../calibration.ts';
import { findArborescence } from '../numeric/edmonds.ts';
import {
  type BranchPriors,
  branchLogOdds,
  DEFAULT_BRANCH_PRIORS,
  measureBranchPoint,
} from './branch-point.ts';
import { closenessOfPair, type PairTable } from './pair-table.ts';

/** One model in the tree search; indices are those of the pair table. */
export interface TreeNode {
  repo: string;
  /** earliest creation time of any copy: the weights existed by then */
  existedBy: number;
  /** rows of the token embedding, null where there is none */
  vocab: number | null;
}

export interface TreeCandidate {
  parent: number;
  /** natural log-odds terms; their sum is compared between candidates of one child */
  terms: { geometry: number; time: number; hub: number; vocabulary: number };
  score: number;
}

export interface GrownTree {
  root: number;
  /** -1 for the root */
  parent: Int32Array;
  /** all scored candidates of each node, best first */
  candidates: TreeCandidate[][];
  /** log-odds of each node being the root, up to a constant */
  rootScores: Float64Array;
}

/** First guess: nats of closeness count like this many independent values. */
const FIRST_GUESS_VALUES = 200;
const MAX_ROUNDS = 8;
/** One model's evidence from one edge is capped: beyond this the model, not the data, is being tested. */
const EDGE_CAP = 25;
/** Log-odds for every further child that is older than its parent, once the first has cost the full price: a re-created repo. */
const REPEAT_TIME_COST = 0.3;
const HOUR = 3_600_000;

/**
 * Grows the tree of one family. Starts from an arborescence on tempered closeness, then repeats: score every candidate parent of every
 * node by walking down the present tree and asking at each edge on which side the node branches off; solve the arborescence again;
 * move the root to where the pooled evidence for direction wants it.
 */
export function growTree(
  table: PairTable,
  nodes: readonly TreeNode[],
  nearest: readonly (readonly number[])[],
  calibration: Calibration,
  priors: BranchPriors = DEFAULT_BRANCH_PRIORS,
): GrownTree {
  const n = nodes.length;
  if (n === 1)
    return { root: 0, parent: Int32Array.of(-1), candidates: [[]], rootScores: Float64Array.of(0) };
  let parent = firstGuess(table, nodes, nearest, calibration);
  let candidates: TreeCandidate[][] = [];
  let best: { parent: Int32Array; score: number; candidates: TreeCandidate[][] } | null = null;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    parent = moveRoot(nodes, parent, calibration);
    candidates = scoreCandidates(table, nodes, nearest, parent, calibration, priors);
    const next = solve(n, candidates, rootOf(parent));
    const score = totalScore(candidates, next) + scoreRoots(nodes, next, calibration)[rootOf(next)]!;
    if (best === null || score > best.score + 1e-9) best = { parent: next, score, candidates };
    if (sameTree(parent, next)) break;
    parent = next;
  }
  const final = best!.parent;
  return {
    root: rootOf(final),
    parent: final,
    candidates: scoreCandidates(table, nodes, nearest, final, calibration, priors),
    rootScores: scoreRoots(nodes, final, calibration),
  };
}

function firstGuess(
  table: PairTable,
  nodes: readonly TreeNode[],
  nearest: readonly (readonly number[])[],
  calibration: Calibration,
): Int32Array {
  const n = nodes.length;
  const candidates: TreeCandidate[][] = nodes.map((_, child) => {
    return nearest[child]!.map((p) => {
      const geometry = FIRST_GUESS_VALUES * closenessOfPair(table, child, p);
      const time = isEarlier(nodes[p]!, nodes[child]!) ? 0 : -calibration.time;
      return { parent: p, terms: { geometry, time, hub: 0, vocabulary: 0 }, score: geometry + time };
    });
  });
  return solve(n, candidates, -1);
}

/** `root` = -1 leaves the choice to the solver: it may hang any node from nothing at a price above all others. */
function solve(n: number, candidates: readonly TreeCandidate[][], root: number): Int32Array {
  const edges: { from: number; to: number; cost: number }[] = [];
  for (let child = 0; child < n; child++)
    for (const c of candidates[child]!) edges.push({ from: c.parent, to: child, cost: -c.score });
  for (let child = 0; child < n; child++)
    edges.push({ from: n, to: child, cost: child === root ? -1e9 : 1e9 });
  const chosen = findArborescence(n + 1, edges, n)!;
  return Int32Array.from({ length: n }, (_, i) => {
    const from = edges[chosen[i]!]!.from;
    return from === n ? -1 : from;
  });
}

/** Equal times say nothing; same-day uploads are often batches. */
export function isEarlier(a: TreeNode, b: TreeNode): boolean {
  return a.existedBy <= b.existedBy + HOUR;
}

function rootOf(parent: Int32Array): number {
  return parent.indexOf(-1);
}

function sameTree(a: Int32Array, b: Int32Array): boolean {
  return a.every((p, i) => p === b[i]);
}

function childrenOf(parent: Int32Array): number[][] {
  const children: number[][] = Array.from(parent, () => []);
  parent.forEach((p, i) => {
    if (p >= 0) children[p]!.push(i);
  });
  return children;
}

function totalScore(candidates: readonly TreeCandidate[][], parent: Int32Array): number {
  let sum = 0;
  parent.forEach((p, child) => {
    if (p >= 0) sum += candidates[child]!.find((c) => c.parent === p)?.score ?? -1e6;
  });
  return sum;
}

/**
 * Geometry cannot tell which end of the tree is the root, so all evidence for direction is pooled into one choice: for each node the
 * sum over all edges of what their direction under that root is worth (in O(n) by moving the root along edges), plus its degree.
 */
export function scoreRoots(
  nodes: readonly TreeNode[],
  parent: Int32Array,
  calibration: Calibration,
): Float64Array {
  const n = nodes.length;
  const children = childrenOf(parent);
  const root = rootOf(parent);
  const scores = new Float64Array(n);
  // A re-created parent is one accident however many children it has: the first older child costs, the rest hardly.
  const older = new Int32Array(n);
  const price = (k: number) => (k === 0 ? 0 : -calibration.time - REPEAT_TIME_COST * (k - 1));
  const isOlder = (child: number, p: number) => (isEarlier(nodes[p]!, nodes[child]!) ? 0 : 1);
  const vocabulary = (p: number, c: number) => vocabularyTerm(nodes[p]!, nodes[c]!, calibration);
  const degree = (v: number) => children[v]!.length + (parent[v]! >= 0 ? 1 : 0);
  let total = 0;
  for (let v = 0; v < n; v++) {
    const p = parent[v]!;
    if (p < 0) continue;
    older[p]! += isOlder(v, p);
    total += vocabulary(p, v);
  }
  for (let v = 0; v < n; v++) total += price(older[v]!);
  // Depth-first re-rooting: crossing the edge u -> v turns it around and touches only the two ends.
  const stack: { node: number; total: number }[] = [{ node: root, total }];
  const olderUnder = Int32Array.from(older);
  const visit = (u: number, at: number, counts: Int32Array) => {
    scores[u] = at + calibration.hub * Math.log(1 + degree(u));
    for (const v of children[u]!) {
      const lost = isOlder(v, u);
      const gained = isOlder(u, v);
      const next =
        at -
        price(counts[u]!) -
        price(counts[v]!) +
        price(counts[u]! - lost) +
        price(counts[v]! + gained) -
        vocabulary(u, v) +
        vocabulary(v, u);
      stack.push({ node: v, total: next });
      const before = [counts[u]!, counts[v]!] as const;
      pending.set(v, [u, before[0] - lost, before[1] + gained]);
    }
  };
  const pending = new Map<number, [number, number, number]>();
  while (stack.length > 0) {
    const { node, total: at } = stack.pop()!;
    const counts = Int32Array.from(olderUnder);
    // Counts along the path from the old root change as the edges turn; replay them (paths are short).
    const path: number[] = [];
    for (let v = node; pending.has(v); v = pending.get(v)![0]) path.push(v);
    for (const v of path.reverse()) {
      const u = pending.get(v)![0];
      counts[u]! -= isOlder(v, u);
      counts[v]! += isOlder(u, v);
    }
    visit(node, at, counts);
  }
  return scores;
}

function moveRoot(nodes: readonly TreeNode[], parent: Int32Array, calibration: Calibration): Int32Array {
  const scores = scoreRoots(nodes, parent, calibration);
  let best = rootOf(parent);
  scores.forEach((s, i) => {
    if (s > scores[best]! + 1e-9) best = i;
  });
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

function vocabularyTerm(parent: TreeNode, child: TreeNode, calibration: Calibration): number {
  if (parent.vocab === null || child.vocab === null || parent.vocab === child.vocab) return 0;
  return parent.vocab < child.vocab ? 0 : -calibration.vocabulary;
}

function scoreCandidates(
  table: PairTable,
  nodes: readonly TreeNode[],
  nearest: readonly (readonly number[])[],
  parent: Int32Array,
  calibration: Calibration,
  priors: BranchPriors,
): TreeCandidate[][] {
  const children = childrenOf(parent);
  const olderChildren = nodes.map(
    (node, p) => children[p]!.filter((c) => !isEarlier(node, nodes[c]!)).length,
  );
  return nodes.map((node, child) => {
    const pool = new Set(nearest[child]!);
    for (const q of nearest[child]!) for (let v = parent[q]!; v >= 0; v = parent[v]!) pool.add(v);
    for (let v = parent[child]!; v >= 0; v = parent[v]!) pool.add(v);
    for (const v of children[child]!) pool.add(v);
    pool.delete(child);
    const below = new Map<number, number>();
    const geometry = (q: number): number => {
      const known = below.get(q);
      if (known !== undefined) return known;
      // the tree without the child: what hangs below it hangs from its parent
      let p = parent[q]!;
      if (p === child) p = parent[child]!;
      let score = 0;
      if (p >= 0) {
        const point = measureBranchPoint(table, p, q, child);
        const step = point === null ? 0 : branchLogOdds(point, priors);
        score = geometry(p) + Math.max(-EDGE_CAP, Math.min(EDGE_CAP, step));
      }
      below.set(q, score);
      return score;
    };
    const scored = [...pool].map((q): TreeCandidate => {
      const mine = parent[child] === q ? 1 : 0;
      const olderOthers = olderChildren[q]! - (mine && !isEarlier(nodes[q]!, node) ? 1 : 0);
      const terms = {
        geometry: geometry(q),
        time: isEarlier(nodes[q]!, node) ? 0 : -(olderOthers > 0 ? REPEAT_TIME_COST : calibration.time),
        hub: calibration.hub * Math.log(1 + children[q]!.length - mine),
        vocabulary: vocabularyTerm(nodes[q]!, node, calibration),
      };
      return { parent: q, terms, score: terms.geometry + terms.time + terms.hub + terms.vocabulary };
    });
    return scored.sort((a, b) => b.score - a.score || a.parent - b.parent);
  });
}
