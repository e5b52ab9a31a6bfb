import type { SampleLoader } from '../types/fingerprint.ts';
import type { Edge, FamilyMember, LineageModel, LineageResult, VirtualParent } from '../types/lineage.ts';
import { type Block, findBlocks } from './blocks.ts';
import { DEFAULT_CALIBRATION } from './calibration.ts';
import { type CopyClass, type CopyFinding, findCasts, findEqualModels, groupBy } from './copies.ts';
import { toCoreSamples } from './core-samples.ts';
import { findDepthChange, layerCount, placeAcrossDepth } from './depth/trace-depth-change.ts';
import { traceTransformed } from './disguise/trace-transformed.ts';
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
import { type ChildFinding, type FoundParent, toEdges, toEvidence } from './findings.ts';
import { addVirtualParent, findMissingHub } from './hub-is-missing.ts';
import { findRecreatedOriginals, renameCopies } from './is-recreated-original.ts';
import { findMerges } from './merges/find-merges.ts';
import { createSampleCache, type ModelSamples } from './model-samples.ts';
import type { LineageOptions } from './options.ts';
import { placeAdapter } from './place-adapters.ts';
import { logistic } from './probability.ts';
import { traceQuantised } from './trace-quantised.ts';
import { createPairTable } from './tree/pair-table.ts';

const CACHED_MODELS = 1200;
/** Families up to this size are loaded whole; larger ones are inferred from their cores. */
const WHOLE_FAMILY = 800;
/** Up to this size every member is a candidate of every other. */
const ALL_PAIRS = 150;
const HUBS_KEPT = 60;

/** The whole inference, in the order that works: copies, blocks, casts, merges, trees, depth changes, disguises, quantised, adapters. */
export async function inferHublineage(
  models: readonly LineageModel[],
  load: SampleLoader,
  options: LineageOptions,
): Promise<LineageResult> {
  const cache = createSampleCache(load, CACHED_MODELS);
  const notes: string[] = [];
  const full = models.filter((m) => m.fingerprint.kind === 'full');
  const { classes, findings: equal } = await findEqualModels(full, cache);
  const world: World = {
    cache,
    options,
    calibration: options.calibration ?? DEFAULT_CALIBRATION,
    classes: new Map<string, CopyClass>(classes.map((c) => [c.source.repo, c])),
    notes,
  };
  let findings: ChildFinding[] = [];
  let copies: CopyFinding[] = [...equal];
  const families: FamilyTree[] = [];
  const byShape = groupBy(
    classes.map((c) => c.source),
    shapeKey,
  );
  for (const sources of byShape.values()) {
    const group = await inferShape(sources, world);
    copies.push(...group.copies);
    findings.push(...group.findings);
    families.push(...group.families);
  }
  const derived = countDerived(models, findings);
  const renamed = findRecreatedOriginals(families, world.classes, derived);
  if (renamed.size > 0) {
    copies = renameCopies(copies, renamed);
    findings = findings.map((f) => renameParents(f, renamed));
    for (const family of families)
      for (const node of family.nodes) node.repo = renamed.get(node.repo)?.repo ?? node.repo;
  }
  const known = new Set(models.map((m) => m.repo));
  const virtualParents = families.flatMap((family) => {
    const hub = findMissingHub(family);
    return hub ? [addVirtualParent(family, hub, findings, known, world)] : [];
  });
  for (const adapter of models) {
    if (adapter.fingerprint.kind !== 'adapter') continue;
    const samples = (await cache.get([adapter.repo])).get(adapter.repo);
    const found = placeAdapter(adapter, samples, families, world);
    if (found) findings.push(found);
  }
  findings.push(...copies.map((c) => toCopyFinding(c, world)));
  return assemble(models, findings, options.minProbability, virtualParents, notes);
}

function countDerived(
  models: readonly LineageModel[],
  findings: readonly ChildFinding[],
): Map<string, number> {
  const children = new Set(findings.map((f) => f.child));
  const derived = new Map<string, number>();
  for (const m of models) if (children.has(m.repo)) derived.set(m.owner, (derived.get(m.owner) ?? 0) + 1);
  return derived;
}

function renameParents(finding: ChildFinding, renamed: ReadonlyMap<string, LineageModel>): ChildFinding {
  const rename = (p: FoundParent): FoundParent => ({ ...p, repo: renamed.get(p.repo)?.repo ?? p.repo });
  return {
    ...finding,
    child: renamed.get(finding.child)?.repo ?? finding.child,
    chosen: finding.chosen.map(rename),
    ties: finding.ties.map(rename),
  };
}

/** Models of one shape can be compared whatever their depth and vocabulary. Head counts are not always told. */
function shapeKey({ fingerprint: f }: LineageModel): string {
  const w = f.widths;
  return [f.scheme, f.family, w.hidden, w.intermediate, w.crossAttention].join('|');
}

interface ShapeResult {
  copies: CopyFinding[];
  findings: ChildFinding[];
  families: FamilyTree[];
}

async function inferShape(all: readonly LineageModel[], world: World): Promise<ShapeResult> {
  const blocks = findBlocks(all, { seed: world.options.seed, nearest: NEAREST });
  const copies = await findCasts(all, blocks, world);
  const cast = new Set(copies.map((c) => c.child));
  const findings: ChildFinding[] = [];
  let families: FamilyTree[] = [];
  const quantised: { model: LineageModel; near: LineageModel[]; family: FamilyTree | null }[] = [];
  for (const block of blocks) {
    const present = block.members.filter((i) => !cast.has(all[i]!.repo));
    const trunk = present.filter((i) => !all[i]!.fingerprint.quantized);
    const family = trunk.length > 0 ? await growBlock(all, trunk, block, findings, world) : null;
    if (family && family.members.length > WHOLE_FAMILY) {
      findings.push(...readTree(family, world));
      families.push(await reduceFamily(family, world));
    } else if (family) families.push(family);
    for (const i of present)
      if (all[i]!.fingerprint.quantized)
        quantised.push({ model: all[i]!, near: block.nearest.get(i)!.map((j) => all[j]!), family });
  }
  families = joinAcrossDepth(families, findings, world);
  for (const family of families)
    if (family.foreign === 0 && !family.reduced) findings.push(...readTree(family, world));
  traceDisguises(families, findings, world);
  for (const { model, near, family } of quantised) {
    if (family === null) continue;
    const found = await findQuantisedSource(model, near, family, world);
    if (found) findings.push(found);
  }
  return { copies, findings, families };
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
    findings.push(finding);
    nodes[mixture.child]!.pinned = mixture.parents[0]!.model;
    nodes[mixture.child]!.mergeOf = mixture.parents.map((p) => p.model);
  }
  return growFamily(members, [], nodes, world, { table, nearest });
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

/** Families of one shape and different depth: the derived one is placed under the other. */
function joinAcrossDepth(families: FamilyTree[], findings: ChildFinding[], world: World): FamilyTree[] {
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
      const placed = placeAcrossDepth(change, world);
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
function traceDisguises(families: readonly FamilyTree[], findings: ChildFinding[], world: World): void {
  for (const suspect of families) {
    if (suspect.foreign > 0) continue;
    let best: ChildFinding | null = null;
    for (const family of families) {
      if (family === suspect || family.foreign > 0 || layerCount(family) !== layerCount(suspect)) continue;
      // the larger family is where it came from; two single models go by time
      if (family.members.length < suspect.members.length) continue;
      if (family.members.length === suspect.members.length && !(rootTime(family) < rootTime(suspect)))
        continue;
      const found = traceTransformed(suspect, family, world);
      if (found && (best === null || found.chosen[0]!.probability > best.chosen[0]!.probability))
        best = found;
    }
    if (best) findings.push(best);
  }
}

function rootTime(family: FamilyTree): number {
  return family.nodes[family.tree.root]!.existedBy;
}

function toCopyFinding(copy: CopyFinding, world: World): ChildFinding {
  const raw = 6;
  const final = Math.min(world.calibration.cap, raw);
  const probe =
    copy.method === 'hash'
      ? 'same-files'
      : copy.method === 'values'
        ? 'equal-values'
        : 'equal-after-rounding';
  return {
    child: copy.child,
    relation: copy.relation,
    method: copy.method,
    chosen: [
      {
        repo: copy.parent,
        probability: logistic(final),
        weight: null,
        parentKind: 'repo',
        logOdds: { [probe]: raw, calibration: final - raw },
        values: { [probe]: copy.agreement },
        details: { [probe]: copy.detail },
      },
    ],
    ties: [],
  };
}

function assemble(
  models: readonly LineageModel[],
  findings: readonly ChildFinding[],
  minProbability: number,
  virtualParents: VirtualParent[],
  notes: string[],
): LineageResult {
  const sorted = [...findings].sort((a, b) => (a.child < b.child ? -1 : a.child > b.child ? 1 : 0));
  const edges = sorted.flatMap((f) => toEdges(f, minProbability));
  return {
    edges,
    evidence: sorted.flatMap(toEvidence),
    families: familiesOf(models, edges),
    virtualParents,
    notes,
  };
}

/** Root and depth of every model along its first rank-1 parent. */
export function familiesOf(models: readonly LineageModel[], edges: readonly Edge[]): FamilyMember[] {
  const parent = new Map<string, string>();
  for (const e of edges) if (e.rank === 1 && !parent.has(e.child)) parent.set(e.child, e.parent);
  return models.map((m) => {
    let root = m.repo;
    let depth = 0;
    const seen = new Set([root]);
    for (let next = parent.get(root); next !== undefined && !seen.has(next); next = parent.get(root)) {
      root = next;
      seen.add(root);
      depth++;
    }
    return { repo: m.repo, root, depth };
  });
}
