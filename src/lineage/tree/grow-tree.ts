import type { Calibration } from '../calibration.ts';
import { type BranchPriors, DEFAULT_BRANCH_PRIORS } from './branch-point.ts';
import { createBranchSteps } from './branch-steps.ts';
import { countOlderChildren, moveRoot, reroot, rootOf, rootsToTry, scoreRootPlaces } from './choose-root.ts';
import { createTreeComparison, type TreeComparison } from './compare-trees.ts';
import type { PairTable } from './pair-table.ts';
import { createScorer, type Scorer } from './score-candidates.ts';
import { firstGuess, solveTree } from './solve-tree.ts';

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

const MAX_ROUNDS = 8;
/** A tree must be better by this much to be better. */
const LEAST_GAIN = 1e-9;
/** Families beyond this get one start and few rounds: their hub is not in doubt. */
const LARGE = 1500;

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
  const steps = createBranchSteps(table, priors);
  const scorer = createScorer({ nodes, nearest, calibration, steps, agreement });
  const fixed = nodes.findIndex((node) => node.pinned === -1);
  const trees: Int32Array[] = [];
  const keep = (found: Int32Array | null) => {
    if (found !== null && !trees.some((tree) => sameTree(tree, found))) trees.push(found);
  };
  const met: Met = new Map();
  const large = n > LARGE;
  // Once as if time could not lie, which puts most chains in order at once; once as if it hardly counted, and then also as if the root
  // were older than it says: each child that leaves a late root for an older sibling spares the price of its date, though all together
  // pay it once.
  for (const trust of large ? [1000] : [1000, 1]) {
    const start = firstGuess(table, nodes, nearest, calibration.time * trust);
    for (const root of fixed >= 0 ? [fixed] : rootsToTry(nodes, start, calibration, large ? 1 : 3)) {
      const from = reroot(start, root);
      keep(settle(scorer, nodes, from, calibration, met));
      // one older child pays for its date whoever else comes: only of several is there something to forgive
      if (trust > 1 || fixed >= 0 || countOlderChildren(nodes, from)[root]! < 2) continue;
      const forgiven = forgive(nodes, root);
      const others = createScorer({ nodes: forgiven, nearest, calibration, steps, agreement });
      keep(settle(others, forgiven, from, calibration, new Map()));
    }
  }
  const parent = pickTree(trees, createTreeComparison(nodes, calibration, steps));
  return {
    root: rootOf(parent),
    parent,
    candidates: scorer.list(parent, scorer.score(parent)),
    ...scoreRootPlaces(nodes, parent, calibration),
  };
}

/** Trees that some start came by, by contents, with the earliest round they were met in. */
type Met = Map<string, number>;

/**
 * Scores, solves and moves the root until nothing changes; in a cycle of trees, until one is met again. Null as soon as it comes by a
 * tree that an earlier start came by with as many rounds left: from there it would go the same way.
 */
function settle(
  scorer: Scorer,
  nodes: readonly TreeNode[],
  start: Int32Array,
  calibration: Calibration,
  met: Met,
): Int32Array | null {
  let parent = start;
  const mine = new Map<string, number>();
  const rounds = nodes.length > LARGE ? 4 : MAX_ROUNDS;
  for (let round = 0; round < rounds; round++) {
    const solved = solveTree(nodes, scorer.score(parent), rootOf(parent));
    // the first rounds keep the root they were given, so that a hub gets the chance to gather its children
    const next = round < 2 ? solved : moveRoot(nodes, solved, calibration);
    if (round >= 2 && sameTree(parent, next)) break;
    const key = hashTree(next);
    if (round >= 2 && mine.has(key)) break;
    // rounds 0 and 1 do something else than the later ones, and what they lead to depends on how many of them are left
    const before = met.get(round === 0 ? `first ${key}` : key);
    if (before !== undefined && before <= round) return null;
    mine.set(key, round);
    parent = next;
  }
  for (const [key, round] of mine) {
    const name = round === 0 ? `first ${key}` : key;
    met.set(name, Math.min(round, met.get(name) ?? round));
  }
  return parent;
}

/** The tree that is better than most others; of several, the one that is better by most. */
function pickTree(trees: readonly Int32Array[], compare: TreeComparison): Int32Array {
  let best = { tree: trees[0]!, wins: -1, margin: 0 };
  for (const tree of trees) {
    let wins = 0;
    let margin = 0;
    for (const other of trees) {
      if (other === tree) continue;
      const logOdds = compare(tree, other);
      if (logOdds > 0) wins++;
      margin += logOdds;
    }
    if (wins > best.wins || (wins === best.wins && margin > best.margin + LEAST_GAIN))
      best = { tree, wins, margin };
  }
  return best.tree;
}

/** As if a model had been there before all others: one that was uploaded again, or late, has the date of that. */
function forgive(nodes: readonly TreeNode[], root: number): readonly TreeNode[] {
  return nodes.map((node, i) => (i === root ? { ...node, existedBy: Number.NEGATIVE_INFINITY } : node));
}

function sameTree(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** 64 bits of a tree, which two of the hundred trees of one search do not share by chance. */
function hashTree(parent: Int32Array): string {
  let h1 = 0x811c9dc5;
  let h2 = 0x9747b28c;
  for (let i = 0; i < parent.length; i++) {
    const p = parent[i]!;
    h1 = Math.imul(h1 ^ p, 0x01000193);
    h1 ^= h1 >>> 13;
    h2 = Math.imul((h2 ^ p) + 0x7ed55d16, 0x85ebca6b);
    h2 ^= h2 >>> 15;
  }
  return `${h1 >>> 0}/${h2 >>> 0}`;
}
