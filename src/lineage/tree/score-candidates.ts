import type { Calibration } from '../calibration.ts';
import { LEARNED_DETECTOR_AGREES } from '../probes/learned-detector-agrees.ts';
import type { BranchStep } from './branch-steps.ts';
import {
  childrenOf,
  countOlderChildren,
  isEarlier,
  REPEAT_TIME_COST,
  vocabularyTerm,
} from './choose-root.ts';
import type { Agreement, TreeCandidate, TreeNode, TreeTerms } from './grow-tree.ts';

/** Everything scoring depends on besides the tree. */
export interface Scoring {
  nodes: readonly TreeNode[];
  nearest: readonly (readonly number[])[];
  calibration: Calibration;
  stepOf: BranchStep;
  agreement: Agreement | null;
}

/** Scored candidates of all nodes: those of node c lie from `start[c]` to `start[c + 1]`, by ascending index. */
export interface CandidateScores {
  start: Int32Array;
  parent: Int32Array;
  /** sum of the terms, which the solver weighs */
  score: Float64Array;
  /** see `TreeCandidate.turned` */
  turned: Float64Array;
  /** the term `branches-off-here` */
  geometry: Float64Array;
}

export interface Scorer {
  /** what is returned is overwritten by the next call */
  score(tree: Int32Array): CandidateScores;
  /** the same with each term by name, best first */
  list(tree: Int32Array, scores: CandidateScores): TreeCandidate[][];
}

/**
 * Scores every candidate parent of every node by walking down the present tree and asking at each edge on which side the node branches
 * off. Runs a hundred times for each family, so it works on typed arrays that are kept, and names the terms only once the tree stands.
 * From one tree to the next most paths stay as they are, and with them the candidates and their geometry: only dates and children are
 * counted anew.
 */
export function createScorer({ nodes, nearest, calibration, stepOf, agreement }: Scoring): Scorer {
  const n = nodes.length;
  let current = createWalks(n);
  let former: Walks | null = null;
  let formerTree: Int32Array | null = null;
  let score = new Float64Array(32 * n);
  let turned = new Float64Array(32 * n);
  const logOf = Float64Array.from({ length: n + 2 }, (_, k) => Math.log(k));
  /** of the node in hand: marks are its index, so nothing has to be cleared */
  const inPool = new Int32Array(n);
  const measured = new Int32Array(n);
  const turnMeasured = new Int32Array(n);
  const below = new Float64Array(n);
  const branch = new Int32Array(n);
  const turnCost = new Float64Array(n);
  const pool: number[] = [];
  const path: number[] = [];

  const timeTerm = (tree: Int32Array, older: Int32Array, child: number, q: number): number => {
    if (isEarlier(nodes[q]!, nodes[child]!)) return 0;
    const others = older[q]! - (tree[child] === q ? 1 : 0);
    return -(others > 0 ? REPEAT_TIME_COST : calibration.time);
  };
  const hubTerm = (tree: Int32Array, count: Int32Array, child: number, q: number): number =>
    calibration.hub * logOf[1 + count[q]! - (tree[child] === q ? 1 : 0)]!;

  const addWithAncestors = (tree: Int32Array, child: number, from: number): void => {
    for (let v = from; v >= 0 && inPool[v] !== child; v = tree[v]!) {
      inPool[v] = child;
      if (v !== child) pool.push(v);
    }
  };
  const gather = (tree: Int32Array, children: readonly (readonly number[])[], child: number): void => {
    pool.length = 0;
    for (const q of nearest[child]!) addWithAncestors(tree, child, q);
    addWithAncestors(tree, child, tree[child]!);
    for (const v of children[child]!) addWithAncestors(tree, child, v);
    // ties go to the lower index
    pool.sort((a, b) => a - b);
  };
  /** Geometry of the way down to q in the tree without the child (what hangs below it hangs from its parent), and q's branch below it. */
  const measure = (tree: Int32Array, child: number, q: number): void => {
    path.length = 0;
    for (let v = q; v >= 0 && measured[v] !== child; ) {
      path.push(v);
      const p = tree[v]!;
      v = p === child ? tree[child]! : p;
    }
    for (let i = path.length - 1; i >= 0; i--) {
      const v = path[i]!;
      const direct = tree[v]!;
      const p = direct === child ? tree[child]! : direct;
      below[v] = p < 0 ? 0 : below[p]! + stepOf(p, v, child);
      branch[v] = direct === child ? v : p < 0 ? -1 : branch[p]!;
      measured[v] = child;
    }
  };
  const costOfTurning = (tree: Int32Array, count: Int32Array, child: number, through: number): number => {
    const p = tree[child]!;
    if (through < 0 || p < 0) return 0;
    if (turnMeasured[through] === child) return turnCost[through]!;
    const late = (from: number) => (isEarlier(nodes[from]!, nodes[through]!) ? 0 : -calibration.time);
    const hubLost = Math.log(count[child]!) - Math.log(1 + count[p]!);
    const cost = -(stepOf(p, child, through) + late(child) - late(p) + calibration.hub * hubLost);
    turnMeasured[through] = child;
    turnCost[through] = cost;
    return cost;
  };
  /** A merge cannot be older than its child, nor above what it was mixed from. */
  const isBarred = (child: number, q: number): boolean => {
    const mixed = nodes[q]!.mergeOf;
    return mixed !== undefined && (mixed.includes(child) || !isEarlier(nodes[q]!, nodes[child]!));
  };

  return {
    score(tree) {
      const children = childrenOf(tree);
      const count = Int32Array.from(children, (c) => c.length);
      const older = countOlderChildren(nodes, tree);
      for (const marks of [inPool, measured, turnMeasured]) marks.fill(-1);
      const stays = formerTree === null ? null : findUnmoved(formerTree, tree);
      const known = former;
      former = current;
      current = known ?? createWalks(n);
      const before = stays === null ? null : former;
      const { start } = current;
      let at = 0;
      for (let child = 0; child < n; child++) {
        start[child] = at;
        const { pinned } = nodes[child]!;
        const free = pinned === undefined;
        const from = before?.start[child] ?? 0;
        // the walk ends where its candidates do: nothing that it passed has moved
        const again =
          free &&
          stays !== null &&
          stays.children[child] === 1 &&
          stays.path[child] === 1 &&
          nearest[child]!.every((q) => stays.path[q] === 1);
        if (free && !again) gather(tree, children, child);
        else pool.length = 0;
        const most = again ? before!.start[child + 1]! - from : pool.length + 1;
        while (at + most > current.parents.length) growWalks(current);
        while (at + most > score.length) {
          score = grown(score, Float64Array);
          turned = grown(turned, Float64Array);
        }
        const { parents, geometry, branches } = current;
        if (!free && pinned >= 0) {
          parents[at] = pinned;
          score[at] = turned[at] = geometry[at] = 0;
          at++;
        }
        const first = at;
        if (again) {
          parents.set(before!.parents.subarray(from, from + most), at);
          geometry.set(before!.geometry.subarray(from, from + most), at);
          branches.set(before!.branches.subarray(from, from + most), at);
          at += most;
        }
        for (const q of pool) {
          if (isBarred(child, q)) continue;
          measure(tree, child, q);
          parents[at] = q;
          geometry[at] = below[q]!;
          branches[at] = branch[q]!;
          at++;
        }
        for (let i = first; i < at; i++) {
          const q = parents[i]!;
          score[i] =
            geometry[i]! +
            timeTerm(tree, older, child, q) +
            hubTerm(tree, count, child, q) +
            vocabularyTerm(nodes[q]!, nodes[child]!, calibration) +
            (agreement ? agreement(child, q) : 0);
          turned[i] = costOfTurning(tree, count, child, branches[i]!);
        }
      }
      start[n] = at;
      formerTree = tree.slice();
      return { start, parent: current.parents, score, turned, geometry: current.geometry };
    },
    list(tree, scores) {
      const count = Int32Array.from(childrenOf(tree), (c) => c.length);
      const older = countOlderChildren(nodes, tree);
      return nodes.map((node, child) => {
        const found: TreeCandidate[] = [];
        for (let i = scores.start[child]!; i < scores.start[child + 1]!; i++) {
          const parent = scores.parent[i]!;
          const free = node.pinned === undefined;
          const terms = toTerms(
            scores.geometry[i]!,
            free ? timeTerm(tree, older, child, parent) : 0,
            free ? hubTerm(tree, count, child, parent) : 0,
            free ? vocabularyTerm(nodes[parent]!, node, calibration) : 0,
          );
          if (free && agreement) terms[LEARNED_DETECTOR_AGREES] = agreement(child, parent);
          found.push({ parent, terms, score: scores.score[i]!, turned: scores.turned[i]! });
        }
        return found.sort((a, b) => b.score - a.score || a.parent - b.parent);
      });
    },
  };
}

/** The candidates of all nodes and the ways down to them, as in `CandidateScores`; `branches`: the child's child a candidate lies below, or -1. */
interface Walks {
  start: Int32Array;
  parents: Int32Array;
  geometry: Float64Array;
  branches: Int32Array;
}

function createWalks(n: number): Walks {
  return {
    start: new Int32Array(n + 1),
    parents: new Int32Array(32 * n),
    geometry: new Float64Array(32 * n),
    branches: new Int32Array(32 * n),
  };
}

function growWalks(walks: Walks): void {
  walks.parents = grown(walks.parents, Int32Array);
  walks.geometry = grown(walks.geometry, Float64Array);
  walks.branches = grown(walks.branches, Int32Array);
}

/** 1 for nodes whose way up to the root is the same in both trees, and for nodes that have the same children. */
function findUnmoved(before: Int32Array, after: Int32Array): { path: Int8Array; children: Int8Array } {
  const n = after.length;
  const path = new Int8Array(n).fill(-1);
  const children = new Int8Array(n).fill(1);
  const open: number[] = [];
  for (let v = 0; v < n; v++) {
    if (before[v] !== after[v]) {
      if (before[v]! >= 0) children[before[v]!] = 0;
      if (after[v]! >= 0) children[after[v]!] = 0;
    }
    let up = v;
    for (; up >= 0 && path[up] === -1; up = after[up]!) open.push(up);
    let stays = up < 0 ? 1 : path[up]!;
    while (open.length > 0) {
      const at = open.pop()!;
      if (before[at] !== after[at]) stays = 0;
      path[at] = stays;
    }
  }
  return { path, children };
}

function grown<T extends Int32Array | Float64Array>(old: T, Type: { new (length: number): T }): T {
  const next = new Type(2 * old.length);
  next.set(old);
  return next;
}

function toTerms(geometry: number, time: number, hub: number, vocabulary: number): TreeTerms {
  return {
    'branches-off-here': geometry,
    'created-before': time,
    'has-many-children': hub,
    'vocabulary-grew': vocabulary,
  };
}
