import type { LineageModel } from '../types/lineage.ts';
import type { Calibration } from './calibration.ts';
import type { CopyClass } from './copies.ts';
import type { ChildFinding } from './findings.ts';
import type { ModelSamples, SampleCache } from './model-samples.ts';
import { createNearestList } from './numeric/nearest-list.ts';
import type { LineageOptions } from './options.ts';
import { logistic, probabilityOfRoot } from './probability.ts';
import { learnedDetectorAgrees } from './probes/learned-detector-agrees.ts';
import { type NamedRival, splitTies } from './tie-set.ts';
import { type GrownTree, growTree, type TreeNode } from './tree/grow-tree.ts';
import type { HiddenHub } from './tree/hidden-hub.ts';
import { closenessOfPair, createPairTable, type PairTable } from './tree/pair-table.ts';

/** Candidate parents a model: the truth is beyond the twentieth neighbour only in hubs, whose centre is always added. */
export const NEAREST = 20;

/** What every step gets: the models, their samples, what is known of copies, and the numbers to weigh with. */
export interface World {
  cache: SampleCache;
  options: LineageOptions;
  calibration: Calibration;
  /** copy class of every source */
  classes: ReadonlyMap<string, CopyClass>;
}

/** One family of one depth: related models with a tree over them. */
export interface FamilyTree {
  members: LineageModel[];
  table: PairTable;
  nodes: TreeNode[];
  nearest: number[][];
  tree: GrownTree;
  /** nodes beyond `members` are of another family, put in to be parents */
  foreign: number;
  /** true for the root and hubs of a family too large to load */
  reduced?: boolean;
  /** children in the whole family, where only a part is here */
  childCounts?: number[];
}

export function countChildren(family: FamilyTree): number[] {
  if (family.childCounts) return family.childCounts;
  const children = family.nodes.map(() => 0);
  family.tree.parent.forEach((p) => {
    if (p >= 0) children[p]!++;
  });
  return children;
}

export function toTreeNode(model: LineageModel, world: World): TreeNode {
  return {
    repo: model.repo,
    existedBy: world.classes.get(model.repo)?.existedBy ?? model.createdAt,
    vocab: model.fingerprint.widths.vocab,
  };
}

/** The K closest of all, by closeness over all samples. For families small enough to hold every pair against every other. */
export function nearestInTable(table: PairTable, wanted: number): number[][] {
  const list = createNearestList(wanted);
  const nearest: number[][] = [];
  for (let i = 0; i < table.size; i++) {
    list.clear();
    for (let j = 0; j < table.size; j++) if (j !== i) list.offer(-closenessOfPair(table, i, j), j);
    nearest.push(list.items());
  }
  return nearest;
}

/**
 * For each node, the probability that its edge points the right way: that the root is neither in its subtree nor a model that is not in
 * the index, between it and its parent.
 */
function probabilityAbove(
  parent: Int32Array,
  rootScores: Float64Array,
  hiddenRootScores: Float64Array,
): Float64Array {
  const n = parent.length;
  let top = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < n; v++) top = Math.max(top, rootScores[v]!, hiddenRootScores[v]!);
  const subtree = new Float64Array(n);
  let total = 0;
  for (let v = 0; v < n; v++) {
    subtree[v] = toShare(rootScores[v]!, top) + toShare(hiddenRootScores[v]!, top);
    total += subtree[v]!;
  }
  for (const v of deepestFirst(parent)) if (parent[v]! >= 0) subtree[parent[v]!]! += subtree[v]!;
  const above = new Float64Array(n).fill(1);
  if (total > 0) for (let v = 0; v < n; v++) above[v] = Math.max(0, Math.min(1, 1 - subtree[v]! / total));
  return above;
}

function toShare(score: number, top: number): number {
  return Number.isFinite(score) ? Math.exp(score - top) : 0;
}

function deepestFirst(parent: Int32Array): number[] {
  const children: number[][] = Array.from(parent, () => []);
  const order: number[] = [];
  for (let v = 0; v < parent.length; v++) {
    if (parent[v]! >= 0) children[parent[v]!]!.push(v);
    else order.push(v);
  }
  for (let i = 0; i < order.length; i++) order.push(...children[order[i]!]!);
  return order.reverse();
}

/**
 * Findings of a tree for the nodes asked for. Pinned nodes have been explained elsewhere.
 * @param hub what the root may only stand in for; not asked where a family is placed under another
 */
export function readTree(
  family: FamilyTree,
  world: World,
  {
    hub = null,
    relationOf = isFinetune,
  }: {
    hub?: HiddenHub | null;
    relationOf?: (child: number, parent: number) => ChildFinding['relation'];
  } = {},
): ChildFinding[] {
  const { tree, nodes } = family;
  const above = probabilityAbove(tree.parent, tree.rootScores, tree.hiddenRootScores);
  const hubIsThere = hub === null ? 1 : logistic(-hub.logOdds);
  const hanging = tree.parent.filter((p) => p === tree.root).length;
  const rootIsThere = probabilityOfRoot(hanging, world.calibration);
  const findings: ChildFinding[] = [];
  for (let child = 0; child < nodes.length; child++) {
    const parent = tree.parent[child]!;
    if (parent < 0 || nodes[child]!.pinned !== undefined) continue;
    const candidates = toRivals(family, child);
    const chosen = tree.candidates[child]!.findIndex((c) => c.parent === parent);
    if (chosen < 0) continue;
    const split = splitTies(
      candidates,
      chosen,
      above[child]! * rootIsThere * (parent === tree.root && hub?.sharing.has(child) ? hubIsThere : 1),
      world.calibration,
    );
    const relation = relationOf(child, parent);
    findings.push({
      child: nodes[child]!.repo,
      relation,
      method:
        relation === 'upscaled' || relation === 'pruned'
          ? 'layers'
          : relation === 'transformed'
            ? 'transformed'
            : 'tree',
      chosen: [split.chosen],
      ties: split.ties,
    });
  }
  return findings;
}

function isFinetune(): ChildFinding['relation'] {
  return 'finetune';
}

function toRivals({ tree, nodes }: FamilyTree, child: number): NamedRival[] {
  const rivals: NamedRival[] = [];
  for (const { parent, terms, score, turned } of tree.candidates[child]!)
    rivals.push({
      repo: nodes[parent]!.repo,
      terms: { ...terms, 'turns-the-branch-around': turned },
      score: score + turned,
    });
  return rivals;
}

/** Grows the tree of a family; without neighbour lists every pair is held against every other. */
export function growFamily(
  members: LineageModel[],
  samples: readonly ModelSamples[],
  nodes: TreeNode[],
  world: World,
  options: { foreign?: number; table?: PairTable; nearest?: number[][] } = {},
): FamilyTree {
  const table = options.table ?? createPairTable(samples);
  const nearest = options.nearest ?? nearestInTable(table, NEAREST);
  const { phylogeny, weight = 0 } = world.options.detectors ?? {};
  const agreement =
    phylogeny && weight > 0 && (options.foreign ?? 0) === 0
      ? learnedDetectorAgrees(
          members,
          members.map((_, i) => table.samples(i)),
          (i) => nearest[i]!,
          phylogeny,
          weight,
        )
      : null;
  const tree = growTree(table, nodes, nearest, world.calibration, undefined, agreement);
  return { members, table, nodes, nearest, tree, foreign: options.foreign ?? 0 };
}
