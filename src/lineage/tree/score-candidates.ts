import type { Calibration } from '../calibration.ts';
import { existedBefore } from '../existed-before.ts';
import { enlarged } from '../numeric/enlarged.ts';
import { LEARNED_DETECTOR_AGREES } from '../probes/learned-detector-agrees.ts';
import type { BranchSteps } from './branch-steps.ts';
import {
  type Children,
  countOlderChildren,
  REPEAT_TIME_COST,
  toChildren,
  vocabularyTerm,
} from './choose-root.ts';
import type { Agreement, TreeCandidate, TreeNode, TreeTerms } from './grow-tree.ts';

/** Everything scoring depends on besides the tree. */
export interface Scoring {
  nodes: readonly TreeNode[];
  nearest: readonly (readonly number[])[];
  calibration: Calibration;
  steps: BranchSteps;
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
export function createScorer(scoring: Scoring): Scorer {
  return new KeptWalks(scoring);
}

class KeptWalks implements Scorer {
  private readonly nodes: readonly TreeNode[];
  private readonly steps: BranchSteps;
  private readonly agreement: Agreement | null;
  private readonly hub: number;
  private readonly time: number;
  private readonly vocabulary: number;
  private current: Walks;
  private former: Walks | null = null;
  private formerTree: Int32Array | null = null;
  private scores: Float64Array;
  private turned: Float64Array;
  private readonly logOf: Float64Array;
  // read for every candidate of every round: columns, not objects
  private readonly bornAt: Float64Array;
  private readonly vocab: Float64Array;
  private readonly isMerge: Uint8Array;
  /** neighbours of v: from `nearStart[v]` to `nearStart[v + 1]` in `near` */
  private readonly nearStart: Int32Array;
  private readonly near: Int32Array;
  // of the node in hand: marks are its index, so nothing has to be cleared
  private readonly inPool: Int32Array;
  private readonly measured: Int32Array;
  private readonly turnMeasured: Int32Array;
  private readonly below: Float64Array;
  private readonly branch: Int32Array;
  private readonly turnCost: Float64Array;
  private readonly pool: Int32Array;
  private poolSize = 0;
  private readonly path: Int32Array;

  constructor({ nodes, nearest, calibration, steps, agreement }: Scoring) {
    const n = nodes.length;
    this.nodes = nodes;
    this.steps = steps;
    this.agreement = agreement;
    this.hub = calibration.hub;
    this.time = calibration.time;
    this.vocabulary = calibration.vocabulary;
    this.current = createWalks(n);
    this.scores = new Float64Array(32 * n);
    this.turned = new Float64Array(32 * n);
    this.logOf = new Float64Array(n + 2);
    for (let k = 0; k < n + 2; k++) this.logOf[k] = Math.log(k);
    this.bornAt = new Float64Array(n);
    this.vocab = new Float64Array(n);
    this.isMerge = new Uint8Array(n);
    this.nearStart = new Int32Array(n + 1);
    for (let v = 0; v < n; v++) {
      const { existedBy, vocab, mergeOf } = nodes[v]!;
      this.bornAt[v] = existedBy;
      this.vocab[v] = vocab ?? Number.NaN;
      this.isMerge[v] = mergeOf ? 1 : 0;
      this.nearStart[v + 1] = this.nearStart[v]! + nearest[v]!.length;
    }
    this.near = new Int32Array(this.nearStart[n]!);
    for (let v = 0; v < n; v++) this.near.set(nearest[v]!, this.nearStart[v]!);
    this.inPool = new Int32Array(n);
    this.measured = new Int32Array(n);
    this.turnMeasured = new Int32Array(n);
    this.below = new Float64Array(n);
    this.branch = new Int32Array(n);
    this.turnCost = new Float64Array(n);
    this.pool = new Int32Array(n);
    this.path = new Int32Array(n);
  }

  score(tree: Int32Array): CandidateScores {
    const n = this.nodes.length;
    const children = toChildren(tree);
    const older = countOlderChildren(this.nodes, tree);
    for (const marks of [this.inPool, this.measured, this.turnMeasured]) marks.fill(-1);
    const stays = this.formerTree === null ? null : findUnmoved(this.formerTree, tree);
    const next = this.former;
    const before = this.current;
    this.former = before;
    this.current = next ?? createWalks(n);
    const { start } = this.current;
    let at = 0;
    for (let child = 0; child < n; child++) {
      start[child] = at;
      const { pinned } = this.nodes[child]!;
      const first = at;
      if (pinned !== undefined) at = this.pin(pinned, at);
      else if (stays !== null && this.isUnmoved(stays, child)) at = this.copy(before, child, at);
      else at = this.walk(tree, children, child, at);
      if (pinned === undefined) this.weigh(tree, children.count, older, child, first, at);
    }
    start[n] = at;
    this.formerTree = tree.slice();
    const { parents, geometry } = this.current;
    return { start, parent: parents, score: this.scores, turned: this.turned, geometry };
  }

  list(tree: Int32Array, scores: CandidateScores): TreeCandidate[][] {
    const { count } = toChildren(tree);
    const older = countOlderChildren(this.nodes, tree);
    const lists: TreeCandidate[][] = [];
    for (let child = 0; child < this.nodes.length; child++) {
      const free = this.nodes[child]!.pinned === undefined;
      const found: TreeCandidate[] = [];
      for (let i = scores.start[child]!; i < scores.start[child + 1]!; i++) {
        const parent = scores.parent[i]!;
        const terms = toTerms(
          scores.geometry[i]!,
          free ? this.timeTerm(tree, older, child, parent) : 0,
          free ? this.hubTerm(tree, count, child, parent) : 0,
          free ? this.shrinkTerm(child, parent) : 0,
        );
        if (free && this.agreement) terms[LEARNED_DETECTOR_AGREES] = this.agreement(child, parent);
        found.push({ parent, terms, score: scores.score[i]!, turned: scores.turned[i]! });
      }
      lists.push(found.sort(bestFirst));
    }
    return lists;
  }

  /** Room for as many candidates more. */
  private makeRoom(at: number, more: number): void {
    while (at + more > this.current.parents.length) growWalks(this.current);
    while (at + more > this.scores.length) {
      this.scores = enlarged(this.scores, Float64Array, 2 * this.scores.length);
      this.turned = enlarged(this.turned, Float64Array, this.scores.length);
    }
  }

  private pin(parent: number, at: number): number {
    if (parent < 0) return at;
    this.makeRoom(at, 1);
    this.current.parents[at] = parent;
    this.scores[at] = this.turned[at] = this.current.geometry[at] = 0;
    return at + 1;
  }

  private copy(before: Walks, child: number, first: number): number {
    const end = before.start[child + 1]!;
    this.makeRoom(first, end - before.start[child]!);
    const { parents, geometry, branches } = this.current;
    let at = first;
    for (let i = before.start[child]!; i < end; i++, at++) {
      parents[at] = before.parents[i]!;
      geometry[at] = before.geometry[i]!;
      branches[at] = before.branches[i]!;
    }
    return at;
  }

  private walk(tree: Int32Array, children: Children, child: number, first: number): number {
    this.gather(tree, children, child);
    this.makeRoom(first, this.poolSize);
    const { parents, geometry, branches } = this.current;
    let at = first;
    for (let i = 0; i < this.poolSize; i++) {
      const q = this.pool[i]!;
      if (this.isBarred(child, q)) continue;
      this.measure(tree, child, q);
      parents[at] = q;
      geometry[at] = this.below[q]!;
      branches[at] = this.branch[q]!;
      at++;
    }
    return at;
  }

  /** Scores of the candidates of a child, those from `first` to `end`. */
  private weigh(
    tree: Int32Array,
    count: Int32Array,
    older: Int32Array,
    child: number,
    first: number,
    end: number,
  ): void {
    const { scores, turned, agreement } = this;
    const { parents, geometry, branches } = this.current;
    for (let i = first; i < end; i++) {
      const q = parents[i]!;
      scores[i] =
        geometry[i]! +
        this.timeTerm(tree, older, child, q) +
        this.hubTerm(tree, count, child, q) +
        this.shrinkTerm(child, q) +
        (agreement ? agreement(child, q) : 0);
      turned[i] = branches[i]! < 0 ? 0 : this.costOfTurning(tree, count, child, branches[i]!);
    }
  }

  private isLate(parent: number, child: number): boolean {
    return !existedBefore(this.bornAt[parent]!, this.bornAt[child]!);
  }

  private timeTerm(tree: Int32Array, older: Int32Array, child: number, q: number): number {
    if (!this.isLate(q, child)) return 0;
    const others = older[q]! - (tree[child] === q ? 1 : 0);
    return -(others > 0 ? REPEAT_TIME_COST : this.time);
  }

  private hubTerm(tree: Int32Array, count: Int32Array, child: number, q: number): number {
    return this.hub * this.logOf[1 + count[q]! - (tree[child] === q ? 1 : 0)]!;
  }

  private shrinkTerm(child: number, q: number): number {
    return vocabularyTerm(this.vocab[q]!, this.vocab[child]!, this.vocabulary);
  }

  private addWithAncestors(tree: Int32Array, child: number, from: number): void {
    const { inPool, pool } = this;
    for (let v = from; v >= 0 && inPool[v] !== child; v = tree[v]!) {
      inPool[v] = child;
      if (v !== child) pool[this.poolSize++] = v;
    }
  }

  private gather(tree: Int32Array, children: Children, child: number): void {
    this.poolSize = 0;
    const end = this.nearStart[child + 1]!;
    for (let i = this.nearStart[child]!; i < end; i++) this.addWithAncestors(tree, child, this.near[i]!);
    this.addWithAncestors(tree, child, tree[child]!);
    for (let i = children.start[child]!; i < children.start[child + 1]!; i++)
      this.addWithAncestors(tree, child, children.list[i]!);
    // ties go to the lower index
    sortNumbers(this.pool, this.poolSize);
  }

  /** Geometry of the way down to q in the tree without the child (what hangs below it hangs from its parent), and q's branch below it. */
  private measure(tree: Int32Array, child: number, q: number): void {
    const { measured, below, branch, path } = this;
    let length = 0;
    for (let v = q; v >= 0 && measured[v] !== child; ) {
      path[length++] = v;
      const p = tree[v]!;
      v = p === child ? tree[child]! : p;
    }
    for (let i = length - 1; i >= 0; i--) {
      const v = path[i]!;
      const direct = tree[v]!;
      const p = direct === child ? tree[child]! : direct;
      below[v] = p < 0 ? 0 : below[p]! + this.steps.of(p, v, child);
      branch[v] = direct === child ? v : p < 0 ? -1 : branch[p]!;
      measured[v] = child;
    }
  }

  private costOfTurning(tree: Int32Array, count: Int32Array, child: number, through: number): number {
    const p = tree[child]!;
    if (through < 0 || p < 0) return 0;
    if (this.turnMeasured[through] === child) return this.turnCost[through]!;
    const lateChild = this.isLate(child, through) ? -this.time : 0;
    const lateP = this.isLate(p, through) ? -this.time : 0;
    const hubLost = Math.log(count[child]!) - Math.log(1 + count[p]!);
    const cost = -(this.steps.of(p, child, through) + lateChild - lateP + this.hub * hubLost);
    this.turnMeasured[through] = child;
    this.turnCost[through] = cost;
    return cost;
  }

  /** A merge cannot be older than its child, nor above what it was mixed from. */
  private isBarred(child: number, q: number): boolean {
    return this.isMerge[q] === 1 && (this.nodes[q]!.mergeOf!.includes(child) || this.isLate(q, child));
  }

  /** Has nothing moved that the candidates of a node and their geometry follow from? A walk ends where its candidates do. */
  private isUnmoved(stays: Unmoved, child: number): boolean {
    if (stays.children[child] === 0 || stays.path[child] === 0) return false;
    const end = this.nearStart[child + 1]!;
    for (let i = this.nearStart[child]!; i < end; i++) if (stays.path[this.near[i]!] === 0) return false;
    return true;
  }
}

function bestFirst(a: TreeCandidate, b: TreeCandidate): number {
  return b.score - a.score || a.parent - b.parent;
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
  const room = 2 * walks.parents.length;
  walks.parents = enlarged(walks.parents, Int32Array, room);
  walks.geometry = enlarged(walks.geometry, Float64Array, room);
  walks.branches = enlarged(walks.branches, Int32Array, room);
}

/** 1 for nodes whose way up to the root is the same in both trees, and for nodes that have the same children. */
interface Unmoved {
  path: Int8Array;
  children: Int8Array;
}

function findUnmoved(before: Int32Array, after: Int32Array): Unmoved {
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

/** Ascending, in place. By insertion: a node has some twenty candidates. */
function sortNumbers(list: Int32Array, length: number): void {
  for (let i = 1; i < length; i++) {
    const value = list[i]!;
    let at = i;
    for (; at > 0 && list[at - 1]! > value; at--) list[at] = list[at - 1]!;
    list[at] = value;
  }
}

function toTerms(geometry: number, time: number, hub: number, vocabulary: number): TreeTerms {
  return {
    'branches-off-here': geometry,
    'created-before': time,
    'has-many-children': hub,
    'vocabulary-grew': vocabulary,
  };
}
