import type { VirtualParent } from '../types/lineage.ts';
import { estimateMissingCore } from './estimate-missing-core.ts';
import type { FamilyTree, World } from './family-tree.ts';
import type { ChildFinding, FoundParent } from './findings.ts';
import { hashText } from './numeric/random.ts';
import { logistic } from './probability.ts';
import { type HiddenHub, measureHiddenHub, scaledDistance } from './tree/hidden-hub.ts';

/** A virtual parent with more children than this is listed with the first of them. */
const MAX_SIBLINGS = 500;

/** Whoever names a model that nobody has seen should be surer than even: at less than this, edges are only made less probable. */
const INVENTED = 1;

export interface MissingHub {
  /** the root and those of its children that share the missing parent with it */
  children: number[];
  found: HiddenHub;
}

/** Whether the root of a block's own tree only stands in for a hub that is not in the index; null where that cannot be asked. */
export function hiddenHubOf({ tree, nodes, table }: FamilyTree, world: World): HiddenHub | null {
  const children = [...tree.parent.keys()].filter((v) => tree.parent[v] === tree.root);
  return measureHiddenHub(table, nodes, tree.root, children, world.calibration);
}

/** The hub that a family's root and its children hang from, where geometry makes it clearly likelier than not that it is not in the index. */
export function findMissingHub(family: FamilyTree, found: HiddenHub | null): MissingHub | null {
  if (found === null || found.logOdds < INVENTED) return null;
  return { children: findSiblings(family, [family.tree.root, ...found.sharing]), found };
}

/**
 * Without their hub, siblings of equal steps hang from one another as likely as from the root. One that hangs from a known child p but
 * leaves the way from p to the other children where the hub is, not at p, is another child: (d_pv^2 + d_ps^2 - d_vs^2) / 2 is the step
 * from p to the hub then, and 0 for a child of p.
 */
function findSiblings({ tree, nodes, table }: FamilyTree, known: readonly number[]): number[] {
  const siblings = [...known];
  if (siblings.length < 3) return siblings;
  const distance = (a: number, b: number) => scaledDistance(table, a, b);
  const shared = (at: number, a: number, b: number) =>
    (distance(at, a) + distance(at, b) - distance(a, b)) / 2;
  const fixed = known.slice(0, 8);
  for (let i = 0; i < siblings.length && siblings.length < MAX_SIBLINGS; i++) {
    const p = siblings[i]!;
    const others = fixed.filter((s) => s !== p);
    const step = median(others.flatMap((s, k) => others.slice(k + 1).map((u) => shared(p, s, u))));
    if (!(step > 0)) continue;
    tree.parent.forEach((parent, v) => {
      if (parent !== p || siblings.includes(v) || nodes[v]!.pinned !== undefined) return;
      if (median(others.map((s) => shared(p, v, s))) > step / 2) siblings.push(v);
    });
  }
  return siblings;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Hangs the root and its siblings from a virtual parent; the former parent stays among the ties. Changes `findings` in place. */
export function addVirtualParent(
  family: FamilyTree,
  hub: MissingHub,
  findings: ChildFinding[],
  known: ReadonlySet<string>,
  world: World,
): VirtualParent {
  const children = hub.children.map((i) => family.nodes[i]!.repo).sort();
  const kind = family.members[0]!.fingerprint.family;
  const id = `virtual/${kind}-${hashText(children.join()).toString(16).padStart(8, '0')}`;
  const core = estimateMissingCore(hub.children.map((i) => family.members[i]!.fingerprint));
  const estimated =
    core === null
      ? ''
      : ` Its weights are estimated from ${core.from} children, ${core.values.length} values with an expected relative error of ${(100 * core.relativeError).toFixed(2)} %.`;
  const raw = hub.found.logOdds;
  const { cap } = world.calibration;
  const final = Math.max(-cap, Math.min(cap, raw));
  const parent: FoundParent = {
    repo: id,
    probability: logistic(final),
    weight: null,
    parentKind: 'virtual',
    logOdds: { 'hub-is-missing': raw, calibration: final - raw },
    values: { 'hub-is-missing': hub.found.cosine },
    details: {
      'hub-is-missing': `Seen from the most central model of the family, the steps to ${hub.children.length - 1} others have cosines of ${hub.found.cosine.toFixed(2)} (mean of median and lower quartile); children of a model that is there have about .02.${estimated}`,
    },
  };
  for (const child of children) {
    const at = findings.findIndex((f) => f.child === child);
    const before = at >= 0 ? findings[at]! : null;
    if (before && before.relation !== 'finetune') continue;
    const left =
      (1 - parent.probability) / Math.max(1, (before?.chosen.length ?? 0) + (before?.ties.length ?? 0));
    const ties = before ? [...before.chosen, ...before.ties].map((p) => shrink(p, left)) : [];
    const finding: ChildFinding = { child, relation: 'finetune', method: 'tree', chosen: [parent], ties };
    if (at >= 0) findings[at] = finding;
    else findings.push(finding);
  }
  return { id, declaredLabel: commonLabel(children, known, world), children, core };
}

function shrink(p: FoundParent, probability: number): FoundParent {
  const target = Math.log(probability / (1 - probability));
  const sum = Object.values(p.logOdds).reduce((a, b) => a + b, 0);
  return { ...p, probability, logOdds: { ...p.logOdds, 'hub-is-missing': target - sum } };
}

/** A base that most of the children declare and that is not in the index. */
function commonLabel(children: readonly string[], known: ReadonlySet<string>, world: World): string | null {
  const votes = new Map<string, number>();
  for (const child of children)
    for (const label of new Set(world.options.labels?.get(child) ?? []))
      if (!known.has(label)) votes.set(label, (votes.get(label) ?? 0) + 1);
  const [best] = [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return best && best[1] * 2 > children.length ? best[0] : null;
}
