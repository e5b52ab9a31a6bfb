import type { SampleLoader } from '../types/fingerprint.ts';
import type { LineageModel, LineageResult } from '../types/lineage.ts';
import { assemble } from './assemble.ts';
import { DEFAULT_CALIBRATION } from './calibration.ts';
import { type CopyClass, type CopyFinding, findEqualModels, groupBy } from './copies.ts';
import type { FamilyTree, World } from './family-tree.ts';
import type { ChildFinding, FoundParent } from './findings.ts';
import { createGate, nextTurn } from './gate.ts';
import { addVirtualParent } from './hub-is-missing.ts';
import type { SettledFamily } from './infer-block.ts';
import { inferShape, type ShapeResult, shapeKey } from './infer-shape.ts';
import { findRecreatedOriginals, renameCopies } from './is-recreated-original.ts';
import { createSampleCache } from './model-samples.ts';
import type { LineageOptions } from './options.ts';
import { placeAdapter } from './place-adapters.ts';
import { logistic } from './probability.ts';

/** Models whose samples are kept where blocks are concluded elsewhere: only families placed under another are loaded here then. */
const CACHED_BESIDE_RUNNER = 200;

/** The whole inference, in the order that works: copies, blocks, casts, merges, trees, depth changes, disguises, quantised, adapters. */
export async function inferHublineage(
  models: readonly LineageModel[],
  load: SampleLoader,
  options: LineageOptions,
): Promise<LineageResult> {
  const cache = options.runner ? createSampleCache(load, CACHED_BESIDE_RUNNER) : createSampleCache(load);
  const full = models.filter((m) => m.fingerprint.kind === 'full');
  const { classes, findings: equal } = await findEqualModels(full, cache);
  const world: World = {
    cache,
    options,
    calibration: options.calibration ?? DEFAULT_CALIBRATION,
    classes: new Map<string, CopyClass>(classes.map((c) => [c.source.repo, c])),
  };
  let findings: ChildFinding[] = [];
  let copies: CopyFinding[] = [...equal];
  let families: FamilyTree[] = [];
  const byShape = groupBy(
    classes.map((c) => c.source),
    shapeKey,
  );
  const gate = createGate(options.runner?.atOnce ?? 1);
  const shapes: Promise<ShapeResult>[] = [];
  for (const sources of byShape.values()) {
    const shape = inferShape(sources, world, gate);
    // whoever fails first is reported by the loop below
    shape.catch(() => {});
    shapes.push(shape);
    // finding blocks takes long: meanwhile the answers of blocks under way would wait
    await nextTurn();
  }
  for (const group of await Promise.all(shapes)) {
    copies = copies.concat(group.copies);
    findings = findings.concat(group.findings);
    families = families.concat(group.families);
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
  const packs = new Set(models.filter((m) => m.fingerprint.quantizedBeside).map((m) => m.repo));
  for (const copy of copies) findings.push(toCopyFinding(copy, packs, world));
  return assemble(models, findings, options.minProbability, virtualParents);
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

/** @param packs repos that offer quantised files: an unquantised one among them is how it was read, not what the repo is */
function toCopyFinding(copy: CopyFinding, packs: ReadonlySet<string>, world: World): ChildFinding {
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
    relation: copy.relation === 'cast' && packs.has(copy.child) ? 'quantized' : copy.relation,
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
