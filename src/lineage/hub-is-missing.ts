import type { VirtualParent } from '../types/lineage.ts';
import type { FamilyTree, World } from './family-tree.ts';
import type { ChildFinding, FoundParent } from './findings.ts';
import { hashText } from './numeric/random.ts';
import { calibrate, logistic } from './probability.ts';
import { measureBranchPoint } from './tree/branch-point.ts';

export interface MissingHub {
  /** the root and those of its children that share the missing parent with it */
  children: number[];
  /** median cosine of their steps, seen from the root */
  cosine: number;
  /** what it had to exceed */
  needed: number;
}

const MIN_CHILDREN = 3;
/** Steps of siblings from a parent that is there have cosines around .05; seen from a sibling they share its own step back. */
const MIN_COSINE = 0.3;
/** A root younger than several of its children was re-created or is a stand-in: a smaller cosine settles it. */
const MIN_OLDER = 2;
const MIN_COSINE_WHEN_LATE = 0.12;
const MAX_CHILDREN = 30;

/**
 * At the true parent the steps to its children are nearly orthogonal; if the parent is missing and its lightest child stands in for it,
 * all steps share the way back from that child to the hub. Only asked at the root: anywhere else the parent is known.
 */
export function findMissingHub({ tree, table, nodes, foreign, reduced }: FamilyTree): MissingHub | null {
  if (foreign > 0 || reduced) return null;
  const { root } = tree;
  const children = [...tree.parent.keys()].filter((v) => tree.parent[v] === root).slice(0, MAX_CHILDREN);
  if (children.length < MIN_CHILDREN) return null;
  const cosines: number[] = [];
  const mean = new Map(children.map((c) => [c, 0]));
  for (const a of children)
    for (const b of children) {
      if (a === b) continue;
      const point = measureBranchPoint(table, root, a, b);
      if (!point) continue;
      if (a < b) cosines.push(point.siblingCosine);
      mean.set(b, mean.get(b)! + point.siblingCosine / (children.length - 1));
    }
  if (cosines.length === 0) return null;
  cosines.sort((x, y) => x - y);
  const cosine = cosines[Math.floor(cosines.length / 2)]!;
  const older = children.filter((c) => nodes[c]!.existedBy < nodes[root]!.existedBy).length;
  const needed = older >= MIN_OLDER ? MIN_COSINE_WHEN_LATE : MIN_COSINE;
  if (cosine < needed) return null;
  return { children: [root, ...children.filter((c) => mean.get(c)! > needed / 2)], cosine, needed };
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
  const raw = 1 + 8 * (hub.cosine - hub.needed);
  const final = calibrate(raw, world.calibration);
  const parent: FoundParent = {
    repo: id,
    probability: logistic(final),
    weight: null,
    parentKind: 'virtual',
    logOdds: { 'hub-is-missing': raw, calibration: final - raw },
    values: { 'hub-is-missing': hub.cosine },
    details: {
      'hub-is-missing': `Seen from the most central model of the family, the steps to ${hub.children.length - 1} others have a median cosine of ${hub.cosine.toFixed(2)}; children of a model that is there have about .05.`,
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
  return { id, declaredLabel: commonLabel(children, known, world), children };
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
