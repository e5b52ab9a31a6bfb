import type { Calibration } from '../calibration.ts';
import { findArborescence } from '../numeric/edmonds.ts';
import { LEARNED_DETECTOR_AGREES } from '../probes/learned-detector-agrees.ts';
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
  /** parent that is known already (a merge hangs from its heaviest parent; a model placed before stays where it is); -1 = a fixed root */
  pinned?: number;
  /** parents of a merge: it lies between them, so it is nobody's parent until the rest of the tree stands */
  mergeOf?: readonly number[];
}

export interface TreeTerms extends Record<string, number> {
  'branches-off-here': number;
  'created-before': number;
  'has-many-children': number;
  'vocabulary-grew': number;
}

export interface TreeCandidate {
  parent: number;
  /** natural log-odds by probe; their sum is compared between candidates of one child */
  terms: TreeTerms;
  score: number;
  /**
   * What the rest of the tree loses when this candidate, a descendant of the child now, becomes its parent: the branch in between must
   * hang from the child's parent instead. The solver finds that out by itself; who weighs candidates one by one must add it.
   */
  turned: number;
}

export interface GrownTree {
  root: number;
  /** -1 for the root */
  parent: Int32Array;
  /** all scored candidates of each node, best first */
  candidates: TreeCandidate[][];
  /** log-odds of each node being the root, up to a constant */
  rootScores: Float64Array;
  /** the same, on the same scale, of a root that is not in the index and lies between a node and its parent */
  hiddenRootScores: Float64Array;
}

/** A further opinion on a pair by index, as log-odds. */
export type Agreement = (child: number, parent: number) => number;

/** First guess: nats of closeness count like this many independent values. */
const FIRST_GUESS_VALUES = 200;
const MAX_ROUNDS = 8;
/** Families beyond this get one start and few rounds: their hub is not in doubt. */
const LARGE = 1500;
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
  agreement: Agreement | null = null,
): GrownTree {
  const n = nodes.length;
  if (n === 1)
    return {
      root: 0,
      parent: Int32Array.of(-1),
      candidates: [[]],
      rootScores: Float64Array.of(0),
      hiddenRootScores: Float64Array.of(Number.NEGATIVE_INFINITY),
    };
  const fixed = nodes.findIndex((node) => node.pinned === -1);
  let best: { tree: GrownTree; quality: number } | null = null;
  const tried = new Set<string>();
  // Once as if time could not lie, which puts most chains in order at once; once as if it hardly counted.
  for (const trust of nodes.length > LARGE ? [1000] : [1000, 1]) {
    const start = firstGuess(table, nodes, nearest, calibration.time * trust);
    for (const root of fixed >= 0 ? [fixed] : rootsToTry(nodes, start, calibration)) {
      const tree = settle(table, nodes, nearest, reroot(start, root), calibration, priors, agreement);
      const key = tree.parent.join();
      if (tried.has(key)) continue;
      tried.add(key);
      const quality = qualityOf(tree);
      if (best === null || quality > best.quality + 1e-9) best = { tree, quality };
    }
  }
  return best!.tree;
}

/** A wrong root drags its neighbourhood along, so the search starts from several: the best by direction, and the largest hubs. */
function rootsToTry(nodes: readonly TreeNode[], tree: Int32Array, calibration: Calibration): number[] {
  const byDirection = scoreRoots(nodes, tree, calibration);
  const degree = new Int32Array(nodes.length);
  tree.forEach((p, v) => {
    if (p < 0) return;
    degree[p]!++;
    degree[v]!++;
  });
  const top = (score: ArrayLike<number>) =>
    nodes
      .map((_, i) => i)
      .filter((i) => Number.isFinite(byDirection[i]!))
      .sort((a, b) => score[b]! - score[a]! || a - b)
      .slice(0, nodes.length > LARGE ? 1 : 3);
  return [...new Set([...top(byDirection), ...top(degree)])];
}

/** Scores, solves and moves the root until nothing changes; in a cycle of trees, until one is met again. */
function settle(
  table: PairTable,
  nodes: readonly TreeNode[],
  nearest: readonly (readonly number[])[],
  start: Int32Array,
  calibration: Calibration,
  priors: BranchPriors,
  agreement: Agreement | null,
): GrownTree {
  let parent = start;
  const seen = new Set<string>();
  for (let round = 0; round < (nodes.length > LARGE ? 4 : MAX_ROUNDS); round++) {
    const candidates = scoreCandidates(table, nodes, nearest, parent, calibration, priors, agreement);
    const solved = solve(nodes, candidates, rootOf(parent));
    // the first rounds keep the root they were given, so that a hub gets the chance to gather its children
    const next = round < 2 ? solved : moveRoot(nodes, solved, calibration);
    const key = next.join();
    if (sameTree(parent, next) && round >= 2) break;
    if (round >= 2 && seen.has(key)) break;
    seen.add(key);
    parent = next;
  }
  return {
    root: rootOf(parent),
    parent,
    candidates: scoreCandidates(table, nodes, nearest, parent, calibration, priors, agreement),
    ...scoreRootPlaces(nodes, parent, calibration),
  };
}

/**
 * Scores are relative to a root, so sums of them do not compare between roots. What does: evidence for the direction, and how clearly
 * each node prefers its place to all others (a pseudo-likelihood).
 */
function qualityOf(tree: GrownTree): number {
  const direction = tree.rootScores[tree.root]!;
  let sum = Number.isFinite(direction) ? direction : 0;
  tree.parent.forEach((p, child) => {
    if (p < 0) return;
    const scores = tree.candidates[child]!.map((c) => c.score + c.turned);
    const chosen = tree.candidates[child]!.findIndex((c) => c.parent === p);
    if (chosen < 0) return;
    const top = Math.max(...scores);
    sum += scores[chosen]! - top - Math.log(scores.reduce((total, s) => total + Math.exp(s - top), 0));
  });
  return sum;
}

function firstGuess(
  table: PairTable,
  nodes: readonly TreeNode[],
  nearest: readonly (readonly number[])[],
  lateCost: number,
): Int32Array {
  const candidates: TreeCandidate[][] = nodes.map((node, child) => {
    if (node.pinned !== undefined) return [];
    return nearest[child]!.filter((p) => !nodes[p]!.mergeOf).map((p) => {
      const geometry = FIRST_GUESS_VALUES * closenessOfPair(table, child, p);
      const time = isEarlier(nodes[p]!, nodes[child]!) ? 0 : -lateCost;
      return { parent: p, terms: toTerms(geometry, time, 0, 0), score: geometry + time, turned: 0 };
    });
  });
  return solve(nodes, candidates, -1);
}

/** `root` = -1 leaves the choice to the solver: it may hang any node from nothing at a price above all others. */
function solve(nodes: readonly TreeNode[], candidates: readonly TreeCandidate[][], root: number): Int32Array {
  const n = nodes.length;
  const fixedRoot = nodes.findIndex((node) => node.pinned === -1);
  const top = fixedRoot >= 0 ? fixedRoot : root;
  const edges: { from: number; to: number; cost: number }[] = [];
  nodes.forEach((node, child) => {
    if (node.pinned === undefined)
      for (const c of candidates[child]!) edges.push({ from: c.parent, to: child, cost: -c.score });
    else if (node.pinned >= 0) edges.push({ from: node.pinned, to: child, cost: 0 });
    edges.push({ from: n, to: child, cost: child === top ? -1e9 : 1e9 });
  });
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
  const children = childrenOf(parent);
  const root = rootOf(parent);
  const scores = new Float64Array(n);
  const hidden = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  const hiddenPrior = calibration.hiddenRoot + calibration.rootHub * Math.log(3);
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
    for (const v of children[u]!) {
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

function moveRoot(nodes: readonly TreeNode[], parent: Int32Array, calibration: Calibration): Int32Array {
  const scores = scoreRoots(nodes, parent, calibration);
  let best = rootOf(parent);
  scores.forEach((s, i) => {
    if (s > scores[best]! + 1e-9 && Number.isFinite(s)) best = i;
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
  agreement: Agreement | null,
): TreeCandidate[][] {
  const children = childrenOf(parent);
  const olderChildren = nodes.map(
    (node, p) => children[p]!.filter((c) => !isEarlier(node, nodes[c]!)).length,
  );
  return nodes.map((node, child) => {
    if (node.pinned !== undefined)
      return node.pinned < 0
        ? []
        : [{ parent: node.pinned, terms: toTerms(0, 0, 0, 0), score: 0, turned: 0 }];
    const pool = new Set(nearest[child]!);
    for (const q of nearest[child]!) for (let v = parent[q]!; v >= 0; v = parent[v]!) pool.add(v);
    for (let v = parent[child]!; v >= 0; v = parent[v]!) pool.add(v);
    for (const v of children[child]!) pool.add(v);
    pool.delete(child);
    for (const q of pool) {
      const parents = nodes[q]!.mergeOf;
      // a merge cannot be older than its child, nor above what it was mixed from
      if (parents && (parents.includes(child) || !isEarlier(nodes[q]!, node))) pool.delete(q);
    }
    /** the child's own child on the way down to q, -1 when q is not below */
    const branchTo = (q: number): number => {
      for (let v = q; v >= 0; v = parent[v]!) if (parent[v] === child) return v;
      return -1;
    };
    const turnedBranches = new Map<number, number>();
    const costOfTurning = (branch: number): number => {
      const p = parent[child]!;
      if (branch < 0 || p < 0) return 0;
      const known = turnedBranches.get(branch);
      if (known !== undefined) return known;
      const point = measureBranchPoint(table, p, child, branch);
      const geometryLost = point === null ? 0 : clip(branchLogOdds(point, priors));
      const late = (from: number) => (isEarlier(nodes[from]!, nodes[branch]!) ? 0 : -calibration.time);
      const hubLost = Math.log(children[child]!.length) - Math.log(1 + children[p]!.length);
      const cost = -(geometryLost + late(child) - late(p) + calibration.hub * hubLost);
      turnedBranches.set(branch, cost);
      return cost;
    };
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
        score = geometry(p) + clip(step);
      }
      below.set(q, score);
      return score;
    };
    const scored = [...pool].map((q): TreeCandidate => {
      const mine = parent[child] === q ? 1 : 0;
      const olderOthers = olderChildren[q]! - (mine && !isEarlier(nodes[q]!, node) ? 1 : 0);
      const late = -(olderOthers > 0 ? REPEAT_TIME_COST : calibration.time);
      const terms = toTerms(
        geometry(q),
        isEarlier(nodes[q]!, node) ? 0 : late,
        calibration.hub * Math.log(1 + children[q]!.length - mine),
        vocabularyTerm(nodes[q]!, node, calibration),
      );
      if (agreement) terms[LEARNED_DETECTOR_AGREES] = agreement(child, q);
      return {
        parent: q,
        terms,
        score: Object.values(terms).reduce((a, b) => a + b, 0),
        turned: costOfTurning(branchTo(q)),
      };
    });
    return scored.sort((a, b) => b.score - a.score || a.parent - b.parent);
  });
}

function clip(logOdds: number): number {
  return Math.max(-EDGE_CAP, Math.min(EDGE_CAP, logOdds));
}

function toTerms(geometry: number, time: number, hub: number, vocabulary: number): TreeTerms {
  return {
    'branches-off-here': geometry,
    'created-before': time,
    'has-many-children': hub,
    'vocabulary-grew': vocabulary,
  };
}
