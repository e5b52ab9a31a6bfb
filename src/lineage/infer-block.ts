import type { LineageModel } from '../types/lineage.ts';
import type { Block } from './blocks.ts';
import { type BlockConclusions, type BlockTask, concludeBlock } from './conclude-block.ts';
import type { CopyFinding } from './copies.ts';
import { toCoreSamples } from './core-samples.ts';
import type { FamilyTree, World } from './family-tree.ts';
import type { ChildFinding } from './findings.ts';
import type { MissingHub } from './hub-is-missing.ts';
import { describeBlock, type InferenceMemory } from './memory.ts';
import type { ModelSamples } from './model-samples.ts';
import { createPairTable, type PairTable } from './tree/pair-table.ts';

/**
 * A family whose own tree is finished, without its samples but the root's: what other families are held against. Samples of a hundred
 * thousand models and distances of millions of pairs do not fit in memory; `reload` brings back those of one family.
 */
export interface SettledFamily extends FamilyTree {
  missing: MissingHub | null;
}

/** A block's conclusions, its family ready to be held against others. */
export interface BlockResult {
  casts: CopyFinding[];
  family: SettledFamily | null;
  findings: ChildFinding[];
  treeFindings: ChildFinding[];
}

/** Casts, merges, tree and quantised children of one block; remembered as long as all they follow from is the same. */
export async function inferBlock(
  all: readonly LineageModel[],
  block: Block,
  world: World,
): Promise<BlockResult> {
  const { memory, runner } = world.options;
  const models = block.members.map((i) => all[i]!);
  // a model by itself costs no more than looking it up
  const alone = models.length === 1;
  const keys = memory && !alone ? describeBlock(models, world) : null;
  const known = memory && keys ? await memory.recall(keys.conclusions) : undefined;
  if (known !== undefined) {
    memory!.retain(keys!.notes[0]!);
    return settle(known as BlockConclusions, models, world);
  }
  const existedBy = models.map((m) => world.classes.get(m.repo)?.existedBy ?? m.createdAt);
  const task: BlockTask = { models, existedBy };
  if (memory && keys)
    task.noted = { contents: keys.contents(), before: await recallFirst(memory, keys.notes) };
  const { notes, ...found } = await (runner && !alone ? runner.run(task) : concludeBlock(task, world));
  if (memory && keys) {
    await memory.keep(keys.conclusions, found);
    if (notes) await memory.keep(keys.notes[0]!, notes);
  }
  return settle(found, models, world);
}

async function recallFirst(memory: InferenceMemory, keys: readonly string[]): Promise<unknown> {
  for (const key of keys) {
    const known = await memory.recall(key);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** The family with its root's samples. Its findings are the caller's to change. */
async function settle(
  { casts, family: kept, findings, treeFindings }: BlockConclusions,
  models: readonly LineageModel[],
  world: World,
): Promise<BlockResult> {
  if (kept === null) return { casts, family: null, findings, treeFindings };
  const byRepo = new Map(models.map((m) => [m.repo, m]));
  const { tree, missing, nodes, childCounts } = kept;
  const members = kept.members.map((repo) => byRepo.get(repo)!);
  const top = members[tree.root]!;
  const root = (await world.cache.get([top.repo])).get(top.repo) ?? toCoreSamples(top);
  const family: SettledFamily = {
    members,
    nodes,
    nearest: [],
    table: onlyRoot(root, tree.root),
    tree: { ...tree, candidates: [] },
    foreign: 0,
    missing,
    ...(kept.reduced ? { reduced: true } : {}),
    ...(childCounts ? { childCounts } : {}),
  };
  return { casts, family, findings, treeFindings };
}

/** A table that has the root's samples alone, under the root's number. */
function onlyRoot(samples: ModelSamples, root: number): PairTable {
  const table = createPairTable([samples]);
  table.samples = (model) => {
    if (model !== root) throw new RangeError('samples of a settled family have to be loaded again');
    return samples;
  };
  return table;
}

/** The family with all its samples, for the rare case that another family is placed under it or it under another. */
export async function reload(family: FamilyTree, world: World): Promise<FamilyTree> {
  if (!('missing' in family)) return family;
  const loaded = await world.cache.get(family.members.map((m) => m.repo));
  const samples = family.members.map((m) => loaded.get(m.repo) ?? toCoreSamples(m));
  return { ...family, table: createPairTable(samples) };
}
