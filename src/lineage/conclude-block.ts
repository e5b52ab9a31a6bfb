import type { LineageModel } from '../types/lineage.ts';
import { type Block, toBlock } from './blocks.ts';
import { findBlockCasts, joinCasts } from './casts.ts';
import type { CopyClass, CopyFinding } from './copies.ts';
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
import { findMissingHub, hiddenHubOf, type MissingHub } from './hub-is-missing.ts';
import { isHubOfItsParents } from './is-hub-of-its-parents.ts';
import { findMerges } from './merges/find-merges.ts';
import type { ModelSamples } from './model-samples.ts';
import type { NotedMembers, StoredNeighbours } from './nearest-neighbours.ts';
import { createNotebook, type Notebook, type StoredNotes } from './notes.ts';
import { traceQuantised } from './trace-quantised.ts';
import { createPairTable } from './tree/pair-table.ts';

/** Families up to this size are loaded whole; larger ones are inferred from their cores. */
const WHOLE_FAMILY = 800;
/** Up to this size every member is a candidate of every other. */
const ALL_PAIRS = 150;
const HUBS_KEPT = 60;

/** All that a block's conclusions follow from but the options: its members, and when the weights of each existed at the latest. */
export interface BlockTask {
  models: readonly LineageModel[];
  existedBy: readonly number[];
  /** with the `notes` of another night; without it nothing is looked up, and nothing noted */
  noted?: NotedMembers;
}

/** What one block concludes by itself, before it is held against other blocks: plain data, models by name. */
export interface BlockConclusions {
  casts: CopyFinding[];
  family: {
    members: string[];
    nodes: FamilyTree['nodes'];
    tree: Omit<FamilyTree['tree'], 'candidates'>;
    reduced: boolean;
    childCounts: number[] | null;
    missing: MissingHub | null;
  } | null;
  /** merges, and quantised children */
  findings: ChildFinding[];
  /** of the family's tree: replaced when it is placed under another family */
  treeFindings: ChildFinding[];
  /** for the next night */
  notes?: BlockNotes;
}

/** What a block's next night can start from, by the contents of its models. */
export interface BlockNotes {
  numbers: StoredNotes;
  neighbours: StoredNeighbours | null;
}

/** Notes of the block at hand, by its models. */
interface OpenNotes {
  book: Notebook;
  contents: readonly string[];
}

/** Casts, merges, tree and quantised children of one block. */
export async function concludeBlock(
  { models, existedBy, noted }: BlockTask,
  { cache, options, calibration }: Pick<World, 'cache' | 'options' | 'calibration'>,
): Promise<BlockConclusions> {
  const before = (noted?.before ?? {}) as Partial<Record<keyof BlockNotes, unknown>>;
  const block = toBlock(
    models,
    [...models.keys()],
    { seed: options.seed, nearest: NEAREST },
    noted ? { contents: noted.contents, before: before.neighbours } : null,
  );
  const notes = noted ? { book: createNotebook(before.numbers), contents: noted.contents } : null;
  // copies of the members themselves lie outside: only their dates matter here
  const classes = new Map<string, CopyClass>();
  for (const [i, m] of models.entries())
    classes.set(m.repo, { source: m, members: [m], existedBy: existedBy[i]! });
  const world: World = { cache, options, calibration, classes };
  const casts =
    models.length < 2
      ? []
      : await findBlockCasts(models, block, world, notes?.book.open(notes.contents, 'cores'));
  joinCasts(casts, classes);
  const cast = new Set(casts.map((c) => c.child));
  const present = block.members.filter((i) => !cast.has(models[i]!.repo));
  const trunk = present.filter((i) => !models[i]!.fingerprint.quantized);
  const findings: ChildFinding[] = [];
  const family = trunk.length > 0 ? await growBlock(models, trunk, block, { findings, world, notes }) : null;
  if (family === null) return { casts, family: null, findings, treeFindings: [] };
  for (const i of present) {
    const model = models[i]!;
    if (!model.fingerprint.quantized) continue;
    const near = block.nearest.get(i)!.map((j) => models[j]!);
    const found = await findQuantisedSource(model, near, family, world);
    if (found) findings.push(found);
  }
  const hub = hiddenHubOf(family, world);
  const treeFindings = readTree(family, world, { hub });
  const kept = family.members.length > WHOLE_FAMILY ? await reduceFamily(family, world) : family;
  const { candidates: _, ...tree } = kept.tree;
  return {
    casts,
    family: {
      members: kept.members.map((m) => m.repo),
      nodes: kept.nodes,
      tree,
      reduced: kept.reduced ?? false,
      childCounts: kept.childCounts ?? null,
      missing: kept.reduced ? null : findMissingHub(kept, hub),
    },
    findings,
    treeFindings,
    ...(notes ? { notes: { numbers: notes.book.close(), neighbours: block.toStore() } } : {}),
  };
}

/** One block's tree. Small blocks are held against each other sample by sample; large ones by their cores alone. */
async function growBlock(
  all: readonly LineageModel[],
  trunk: readonly number[],
  block: Block,
  { findings, world, notes }: { findings: ChildFinding[]; world: World; notes: OpenNotes | null },
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
  const table = createPairTable(
    samples,
    notes && {
      book: notes.book,
      contents: Array.from(indexOf.keys(), (i) => notes.contents[i]!),
      kind: whole ? 'samples' : 'cores',
    },
  );
  const nearest =
    members.length <= ALL_PAIRS ? nearestInTable(table, NEAREST) : renumber(block.nearest, indexOf);
  const nodes = members.map((m) => toTreeNode(m, world));
  for (const { mixture, finding } of findMerges(table, members, nearest, world)) {
    if (isHubOfItsParents(table, mixture)) continue;
    findings.push(finding);
    nodes[mixture.child]!.pinned = mixture.parents[0]!.model;
    nodes[mixture.child]!.mergeOf = mixture.parents.map((p) => p.model);
  }
  return growFamily(members, samples, nodes, world, { table, nearest });
}

/** The neighbours of those who have a number, by these numbers. */
function renumber(nearest: Block['nearest'], indexOf: ReadonlyMap<number, number>): number[][] {
  const all: number[][] = [];
  for (const i of indexOf.keys()) {
    const mine: number[] = [];
    for (const j of nearest.get(i)!) {
      const number = indexOf.get(j);
      if (number !== undefined) mine.push(number);
    }
    all.push(mine);
  }
  return all;
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
