import type { LineageModel } from '../types/lineage.ts';
import { findBlocks } from './blocks.ts';
import { joinCasts } from './casts.ts';
import type { CopyFinding } from './copies.ts';
import { findDepthChange, layerCount, placeAcrossDepth } from './depth/trace-depth-change.ts';
import { isDisguised, traceTransformed } from './disguise/trace-transformed.ts';
import { type FamilyTree, NEAREST, type World } from './family-tree.ts';
import type { ChildFinding } from './findings.ts';
import type { Gate } from './gate.ts';
import { type BlockResult, inferBlock, reload, type SettledFamily } from './infer-block.ts';

/** Models of one shape can be compared whatever their depth and vocabulary. Head counts are not always told. */
export function shapeKey({ fingerprint: f }: LineageModel): string {
  const w = f.widths;
  return [f.scheme, f.family, w.hidden, w.intermediate, w.crossAttention].join('|');
}

export interface ShapeResult {
  copies: CopyFinding[];
  findings: ChildFinding[];
  families: FamilyTree[];
}

/**
 * Everything about models of one shape: blocks by themselves, as many at once as the gate lets in, then families of different depth and
 * disguises, which cross blocks.
 */
export async function inferShape(
  all: readonly LineageModel[],
  world: World,
  gate: Gate,
): Promise<ShapeResult> {
  const blocks = findBlocks(all, { seed: world.options.seed, nearest: NEAREST });
  // The largest first: begun last, it would be waited for with all other threads idle.
  const order = [...blocks.keys()].sort((a, b) => blocks[b]!.members.length - blocks[a]!.members.length);
  const inferred: BlockResult[] = new Array(blocks.length);
  await Promise.all(
    order.map((i) =>
      gate(async () => {
        inferred[i] = await inferBlock(all, blocks[i]!, world);
      }),
    ),
  );
  const copies = inferred.flatMap((result) => result.casts);
  joinCasts(copies, world.classes);
  const findings: ChildFinding[] = [];
  const settled: SettledFamily[] = [];
  const ownFindings = new Map<FamilyTree, ChildFinding[]>();
  for (const found of inferred) {
    for (const finding of found.findings) findings.push(finding);
    if (found.family === null) continue;
    settled.push(found.family);
    ownFindings.set(found.family, found.treeFindings);
  }
  const families = await joinAcrossDepth(settled, findings, world);
  for (const family of families) for (const own of ownFindings.get(family) ?? []) findings.push(own);
  await traceDisguises(families, findings, world);
  return { copies, findings, families };
}

/** Families of one shape and different depth: the derived one is placed under the other. */
async function joinAcrossDepth(
  families: readonly FamilyTree[],
  findings: ChildFinding[],
  world: World,
): Promise<FamilyTree[]> {
  const result = [...families];
  const depths = new Set(families.map(layerCount));
  if (depths.size < 2) return result;
  for (let i = 0; i < result.length; i++) {
    const mine = result[i]!;
    if (mine.foreign > 0) continue;
    for (const other of families) {
      if (layerCount(other) === layerCount(mine)) continue;
      const change = findDepthChange(mine, other, families.length ** 2);
      if (change?.child !== mine) continue;
      const parent = await reload(other, world);
      const placed = placeAcrossDepth({ ...change, child: await reload(mine, world), parent }, world);
      // of a reduced family only the root is placed: the rest has its tree already
      const root = mine.nodes[mine.tree.root]!.repo;
      findings.push(...placed.findings.filter((f) => !mine.reduced || f.child === root));
      result[i] = mine.reduced ? mine : placed.family;
      break;
    }
  }
  return result;
}

/** Roots related to nobody in place may be another family's member in disguise. */
async function traceDisguises(
  families: readonly FamilyTree[],
  findings: ChildFinding[],
  world: World,
): Promise<void> {
  for (const suspect of families) {
    if (suspect.foreign > 0) continue;
    let best: ChildFinding | null = null;
    for (const family of families) {
      if (family === suspect || family.foreign > 0 || layerCount(family) !== layerCount(suspect)) continue;
      // the larger family is where it came from; two single models go by time
      if (family.members.length < suspect.members.length) continue;
      if (family.members.length === suspect.members.length && !(rootTime(family) < rootTime(suspect)))
        continue;
      if (!isDisguised(suspect, family)) continue;
      const found = traceTransformed(suspect, await reload(family, world), world);
      if (found && (best === null || found.chosen[0]!.probability > best.chosen[0]!.probability))
        best = found;
    }
    if (best) findings.push(best);
  }
}

function rootTime(family: FamilyTree): number {
  return family.nodes[family.tree.root]!.existedBy;
}
