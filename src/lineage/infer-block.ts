import type { LineageModel } from '../types/lineage.ts';
import type { Block } from './blocks.ts';
import { type CopyFinding, findBlockCasts } from './copies.ts';
import { toCoreSamples } from './core-samples.ts';
import {
  countChildren,
  type FamilyTree,
  growFamily,
  NEAREST,
  nearestInTable,
  readTree,
  toTreeNode,
  type World,
} from './family-tree.ts';
import type { ChildFinding } from './findings.ts';
import { findMissingHub, type MissingHub } from './hub-is-missing.ts';
import { isHubOfItsParents } from './is-hub-of-its-parents.ts';
import { describeBlock } from './memory.ts';
import { findMerges } from './merges/find-merges.ts';
import type { ModelSamples } from './model-samples.ts';
import { traceQuantised } from './trace-quantised.ts';
import { createPairTable } from './tree/pair-table.ts';

/** Families up to this size are loaded whole; larger ones are inferred from their cores. */
const WHOLE_FAMILY = 800;
/** Up to this size every member is a candidate of every other. */
const ALL_PAIRS = 150;
const HUBS_KEPT = 60;

/**
 * A family whose own tree is finished, without its samples but the root's: what other families are held against. Samples of a hundred
 * thousand models and distances of millions of pairs do not fit in memory; `reload` brings back those of one family.
 */
export interface SettledFamily extends FamilyTree {
  missing: MissingHub | null;
}

/** What one block concludes by itself, before it is held against other blocks. */
export interface BlockResult {
  family: SettledFamily | null;
  /** merges, and quantised children */
  findings: ChildFinding[];
  /** of the family's tree: replaced when it is placed under another family */
  treeFindings: ChildFinding[];
}

/** The part of a result that is kept between runs: plain data, models by name. */
interface KeptBlock {
  family: {
    members: string[];
    nodes: FamilyTree['nodes'];
    tree: Omit<FamilyTree['tree'], 'candidates'>;
    reduced: boolean;
    childCounts: number[] | null;
    missing: MissingHub | null;
  } | null;
  findings: ChildFinding[];
  treeFindings: ChildFinding[];
}

/** Casts of one block; remembered as long as its members are the same. */
export async function inferCasts(
  all: readonly LineageModel[],
  block: Block,
  world: World,
): Promise<CopyFinding[]> {
  if (block.members.length < 2) return [];
  const { memory } = world.options;
  const key = memory ? describeBlock('casts', all, block, world) : null;
  if (memory && key !== null) {
    const known = await memory.recall(key);
    if (known !== undefined) return known as CopyFinding[];
  }
  const found = await findBlockCasts(all, block, world);
  if (memory && key !== null) await memory.keep(key, found);
  return found;
}

/** Merges, tree and quantised children of one block; remembered as long as all it follows from is the same. */
export async function inferBlock(
  all: readonly LineageModel[],
  block: Block,
  casts: ReadonlySet<string>,
  world: World,
): Promise<BlockResult> {
  const { memory } = world.options;
  // a model by itself costs no more than looking it up
  const key = memory && block.members.length > 1 ? describeBlock('family', all, block, world) : null;
  if (memory && key !== null) {
    const known = await memory.recall(key);
    if (known !== undefined) return restore(known as KeptBlock, all, block, world);
  }
  const found = await computeBlock(all, block, casts, world);
  if (memory && key !== null) await memory.keep(key, toKept(found));
  return found;
}

async function computeBlock(
  all: readonly LineageModel[],
  block: Block,
  casts: ReadonlySet<string>,
  world: World,
): Promise<BlockResult> {
  const present = block.members.filter((i) => !casts.has(all[i]!.repo));
  const trunk = present.filter((i) => !all[i]!.fingerprint.quantized);
  const findings: ChildFinding[] = [];
  const family = trunk.length > 0 ? await growBlock(all, trunk, block, findings, world) : null;
  if (family === null) return { family: null, findings, treeFindings: [] };
  for (const i of present) {
    const model = all[i]!;
    if (!model.fingerprint.quantized) continue;
    const near = block.nearest.get(i)!.map((j) => all[j]!);
    const found = await findQuantisedSource(model, near, family, world);
    if (found) findings.push(found);
  }
  const treeFindings = readTree(family, world);
  const kept = family.members.length > WHOLE_FAMILY ? await reduceFamily(family, world) : family;
  const missing = findMissingHub(kept, world);
  return { family: settle(kept, kept.table.samples(kept.tree.root), missing), findings, treeFindings };
}

/** Lets go of samples, distances and candidates. */
function settle(family: FamilyTree, root: ModelSamples, missing: MissingHub | null): SettledFamily {
  const single = createPairTable([root]);
  const at = family.tree.root;
  return {
    ...family,
    missing,
    nearest: [],
    tree: { ...family.tree, candidates: [] },
    table: {
      ...single,
      samples(model) {
        if (model !== at) throw new RangeError('samples of a settled family have to be loaded again');
        return root;
      },
    },
  };
}

/** The family with all its samples, for the rare case that another family is placed under it or it under another. */
export async function reload(family: FamilyTree, world: World): Promise<FamilyTree> {
  if (!('missing' in family)) return family;
  const loaded = await world.cache.get(family.members.map((m) => m.repo));
  const samples = family.members.map((m) => loaded.get(m.repo) ?? toCoreSamples(m));
  return { ...family, table: createPairTable(samples) };
}

function toKept({ family, findings, treeFindings }: BlockResult): KeptBlock {
  if (family === null) return { family, findings, treeFindings };
  const { nodes, members, missing } = family;
  const { candidates: _, ...tree } = family.tree;
  return {
    family: {
      members: members.map((m) => m.repo),
      nodes,
      tree,
      reduced: family.reduced ?? false,
      childCounts: family.childCounts ?? null,
      missing,
    },
    findings,
    treeFindings,
  };
}

async function restore(
  kept: KeptBlock,
  all: readonly LineageModel[],
  block: Block,
  world: World,
): Promise<BlockResult> {
  const { findings, treeFindings } = kept;
  if (kept.family === null) return { family: null, findings, treeFindings };
  const byRepo = new Map(block.members.map((i) => [all[i]!.repo, all[i]!]));
  const { tree, missing, nodes, childCounts } = kept.family;
  const members = kept.family.members.map((repo) => byRepo.get(repo)!);
  const top = members[tree.root]!;
  const samples = (await world.cache.get([top.repo])).get(top.repo) ?? toCoreSamples(top);
  const family: FamilyTree = {
    members,
    nodes,
    nearest: [],
    table: createPairTable([samples]),
    tree: { ...tree, candidates: [] },
    foreign: 0,
    ...(kept.family.reduced ? { reduced: true } : {}),
    ...(childCounts ? { childCounts } : {}),
  };
  return { family: settle(family, samples, missing), findings, treeFindings };
}

/** One block's tree. Small blocks are held against each other sample by sample; large ones by their cores alone. */
async function growBlock(
  all: readonly LineageModel[],
  trunk: readonly number[],
  block: Block,
  findings: ChildFinding[],
  world: World,
): Promise<FamilyTree | null> {
  const whole = trunk.length <= WHOLE_FAMILY;
  const loaded = whole ? await world.cache.get(trunk.map((i) => all[i]!.repo)) : null;
  const members: LineageModel[] = [];
  const samples: ModelSamples[] = [];
  const indexOf = new Map<number, number>();
  for (const i of trunk) {
    const mine = loaded ? loaded.get(all[i]!.repo) : toCoreSamples(all[i]!);
    if (!mine) continue;
    indexOf.set(i, members.length);
    members.push(all[i]!);
    samples.push(mine);
  }
  if (members.length === 0) return null;
  const table = createPairTable(samples);
  const nearest =
    members.length <= ALL_PAIRS
      ? nearestInTable(table, NEAREST)
      : [...indexOf.keys()].map((i) => block.nearest.get(i)!.flatMap((j) => indexOf.get(j) ?? []));
  const nodes = members.map((m) => toTreeNode(m, world));
  for (const { mixture, finding } of findMerges(table, members, nearest, world)) {
    if (isHubOfItsParents(table, mixture)) continue;
    findings.push(finding);
    nodes[mixture.child]!.pinned = mixture.parents[0]!.model;
    nodes[mixture.child]!.mergeOf = mixture.parents.map((p) => p.model);
  }
  return growFamily(members, samples, nodes, world, { table, nearest });
}

/** A large family as its root and largest hubs with all their samples: what other families are held against. */
async function reduceFamily(family: FamilyTree, world: World): Promise<FamilyTree> {
  const children = countChildren(family);
  const kept = new Set([family.tree.root]);
  const order = family.members.map((_, i) => i).sort((a, b) => children[b]! - children[a]! || a - b);
  for (const i of order) if (kept.size < HUBS_KEPT) kept.add(i);
  const list = [...kept];
  const loaded = await world.cache.get(list.map((i) => family.members[i]!.repo));
  const present = list.filter((i) => loaded.has(family.members[i]!.repo));
  const index = new Map(present.map((i, k) => [i, k]));
  const nodes = present.map((i) => {
    let up = family.tree.parent[i]!;
    while (up >= 0 && !index.has(up)) up = family.tree.parent[up]!;
    const { mergeOf: _, ...node } = family.nodes[i]!;
    return { ...node, pinned: up < 0 ? -1 : index.get(up)! };
  });
  const members = present.map((i) => family.members[i]!);
  const samples = present.map((i) => loaded.get(family.members[i]!.repo)!);
  const reduced = growFamily(members, samples, nodes, world, { nearest: members.map(() => []) });
  return { ...reduced, reduced: true, childCounts: present.map((i) => children[i]!) };
}

async function findQuantisedSource(
  model: LineageModel,
  near: readonly LineageModel[],
  family: FamilyTree,
  world: World,
): Promise<ChildFinding | null> {
  const children = countChildren(family);
  const position = new Map(family.members.map((m, i) => [m.repo, i]));
  const candidates =
    family.members.length <= ALL_PAIRS
      ? family.members
      : [
          ...new Set([...near, ...family.members.filter((_, i) => children[i]! > 1).slice(0, NEAREST)]),
        ].filter((m) => position.has(m.repo));
  const loaded = await world.cache.get([model.repo, ...candidates.map((m) => m.repo)]);
  const mine = loaded.get(model.repo);
  if (!mine) return null;
  return traceQuantised(
    model,
    mine,
    candidates.flatMap((m) => {
      const samples = loaded.get(m.repo);
      return samples ? [{ model: m, samples, children: children[position.get(m.repo)!]! }] : [];
    }),
    world,
  );
}
