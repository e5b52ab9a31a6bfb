import type { Calibration } from '../calibration.ts';
import { LEARNED_DETECTOR_AGREES } from '../probes/learned-detector-agrees.ts';
import type { BranchStep } from './branch-steps.ts';
import { childrenOf, isEarlier, REPEAT_TIME_COST, vocabularyTerm } from './choose-root.ts';
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
 */
export function createScorer({ nodes, nearest, calibration, stepOf, agreement }: Scoring): Scorer {
  const n = nodes.length;
  const start = new Int32Array(n + 1);
  let parents = new Int32Array(32 * n);
  let score = new Float64Array(32 * n);
  let turned = new Float64Array(32 * n);
  let geometry = new Float64Array(32 * n);
  /** of the node in hand: marks are its index, so nothing has to be cleared */
  const inPool = new Int32Array(n);
  const measured = new Int32Array(n);
  const turnMeasured = new Int32Array(n);
  const below = new Float64Array(n);
  const branch = new Int32Array(n);
  const turnCost = new Float64Array(n);
  const pool: number[] = [];
  const path: number[] = [];

  const olderChildrenOf = (tree: Int32Array): Int32Array => {
    const older = new Int32Array(n);
    for (let c = 0; c < n; c++) {
      const p = tree[c]!;
      if (p >= 0 && !isEarlier(nodes[p]!, nodes[c]!)) older[p]!++;
    }
    return older;
  };
  const timeTerm = (tree: Int32Array, older: Int32Array, child: number, q: number): number => {
    if (isEarlier(nodes[q]!, nodes[child]!)) return 0;
    const others = older[q]! - (tree[child] === q ? 1 : 0);
    return -(others > 0 ? REPEAT_TIME_COST : calibration.time);
  };
  const hubTerm = (tree: Int32Array, count: Int32Array, child: number, q: number): number =>
    calibration.hub * Math.log(1 + count[q]! - (tree[child] === q ? 1 : 0));

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
      const older = olderChildrenOf(tree);
      for (const marks of [inPool, measured, turnMeasured]) marks.fill(-1);
      let at = 0;
      for (let child = 0; child < n; child++) {
        start[child] = at;
        const { pinned } = nodes[child]!;
        if (pinned === undefined) gather(tree, children, child);
        else pool.length = 0;
        if (at + pool.length + 1 > parents.length) {
          parents = grown(parents, Int32Array);
          score = grown(score, Float64Array);
          turned = grown(turned, Float64Array);
          geometry = grown(geometry, Float64Array);
        }
        if (pinned !== undefined && pinned >= 0) {
          parents[at] = pinned;
          score[at] = turned[at] = geometry[at] = 0;
          at++;
        }
        for (const q of pool) {
          if (isBarred(child, q)) continue;
          measure(tree, child, q);
          parents[at] = q;
          geometry[at] = below[q]!;
          score[at] =
            below[q]! +
            timeTerm(tree, older, child, q) +
            hubTerm(tree, count, child, q) +
            vocabularyTerm(nodes[q]!, nodes[child]!, calibration) +
            (agreement ? agreement(child, q) : 0);
          turned[at] = costOfTurning(tree, count, child, branch[q]!);
          at++;
        }
      }
      start[n] = at;
      return { start, parent: parents, score, turned, geometry };
    },
    list(tree, scores) {
      const count = Int32Array.from(childrenOf(tree), (c) => c.length);
      const older = olderChildrenOf(tree);
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
