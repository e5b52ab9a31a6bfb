import type { SampleLoader } from '../types/fingerprint.ts';
import type { Edge, FamilyMember, LineageModel, LineageResult, VirtualParent } from '../types/lineage.ts';
import { findBlocks } from './blocks.ts';
import { DEFAULT_CALIBRATION } from './calibration.ts';
import { type CopyClass, type CopyFinding, findEqualModels, groupBy, joinCasts } from './copies.ts';
import { findDepthChange, layerCount, placeAcrossDepth } from './depth/trace-depth-change.ts';
import { isDisguised, traceTransformed } from './disguise/trace-transformed.ts';
import { type FamilyTree, NEAREST, type World } from './family-tree.ts';
import { type ChildFinding, type FoundParent, toEdges, toEvidence } from './findings.ts';
import { addVirtualParent } from './hub-is-missing.ts';
import { inferBlock, inferCasts, reload, type SettledFamily } from './infer-block.ts';
import { findRecreatedOriginals, renameCopies } from './is-recreated-original.ts';
import { createSampleCache } from './model-samples.ts';
import type { LineageOptions } from './options.ts';
import { placeAdapter } from './place-adapters.ts';
import { logistic } from './probability.ts';

const CACHED_MODELS = 1200;
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
    append(copies, group.copies);
    append(findings, group.findings);
    append(families, group.families);
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
    const hub = 'missing' in family ? (family as SettledFamily).missing : null;
    return hub ? [addVirtualParent(family, hub, findings, known, world)] : [];
  });
  for (const adapter of models) {
    if (adapter.fingerprint.kind !== 'adapter') continue;
    const samples = (await cache.get([adapter.repo])).get(adapter.repo);
    const found = placeAdapter(adapter, samples, families, world);
    if (found) findings.push(found);
  }
  for (const copy of copies) findings.push(toCopyFinding(copy, world));
  return assemble(models, findings, options.minProbability, virtualParents, notes);
}

/** As arguments of `push`, some hundred thousand items overflow the stack. */
function append<T>(list: T[], more: readonly T[]): void {
  for (const item of more) list.push(item);
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
  const copies: CopyFinding[] = [];
  for (const block of blocks) append(copies, await inferCasts(all, block, world));
  joinCasts(copies, world.classes);
  const casts = new Set(copies.map((c) => c.child));
  const findings: ChildFinding[] = [];
  const settled: SettledFamily[] = [];
  const ownFindings = new Map<FamilyTree, ChildFinding[]>();
  for (const block of blocks) {
    const found = await inferBlock(all, block, casts, world);
    append(findings, found.findings);
    if (found.family === null) continue;
    settled.push(found.family);
    ownFindings.set(found.family, found.treeFindings);
  }
  const families = await joinAcrossDepth(settled, findings, world);
  for (const family of families) append(findings, ownFindings.get(family) ?? []);
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
