import type { VerdictKind } from '../types/verdict.ts';
import { byText, countBy } from './compare.ts';
import type { FamilyNode, ReportFamily } from './document.ts';
import type { EdgeRow, FamilyRow, ModelRow, VerdictRow, VirtualParentRow } from './rows.ts';
import { VERDICT_ORDER } from './verdict-words.ts';

export interface FamilyRows {
  families: readonly FamilyRow[];
  models: readonly ModelRow[];
  edges: readonly EdgeRow[];
  verdicts: readonly Pick<VerdictRow, 'repo' | 'verdict'>[];
  virtualParents?: readonly VirtualParentRow[];
}

/**
 * Families as flat trees in reading order, largest first. A merge hangs under the parent with the largest share (ties by name) and
 * names the others; members whose parent is missing hang under the root, so nobody is lost to a broken row.
 */
export function buildFamilies(rows: FamilyRows): ReportFamily[] {
  const models = new Map(rows.models.map((model) => [model.repo, model]));
  const verdicts = new Map(rows.verdicts.map((row) => [row.repo, row.verdict]));
  const labels = new Map((rows.virtualParents ?? []).map((row) => [row.id, row.declared_label]));
  const chosen = Map.groupBy(
    rows.edges.filter((edge) => edge.rank === 1),
    (edge) => edge.child,
  );
  const groups = Map.groupBy(rows.families, (row) => row.root);
  const families = [...groups].map(([root, members]) =>
    buildFamily(root, members, { models, verdicts, labels, chosen }),
  );
  return families.sort((a, b) => b.size - a.size || b.downloads - a.downloads || byText(a.root, b.root));
}

interface Lookups {
  models: ReadonlyMap<string, ModelRow>;
  verdicts: ReadonlyMap<string, VerdictKind>;
  labels: ReadonlyMap<string, string | null>;
  chosen: ReadonlyMap<string, EdgeRow[]>;
}

function buildFamily(root: string, members: readonly FamilyRow[], lookups: Lookups): ReportFamily {
  const names = new Set([root, ...members.map((member) => member.repo)]);
  const parentEdges = new Map<string, EdgeRow[]>();
  const childrenOf = new Map<string, string[]>();
  for (const repo of names) {
    if (repo === root) continue;
    const edges = (lookups.chosen.get(repo) ?? [])
      .filter((edge) => names.has(edge.parent) && edge.parent !== repo)
      .sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0) || byText(a.parent, b.parent));
    parentEdges.set(repo, edges);
    const parent = edges[0]?.parent ?? root;
    const siblings = childrenOf.get(parent);
    if (siblings) siblings.push(repo);
    else childrenOf.set(parent, [repo]);
  }
  const order = readingOrder(root, names, childrenOf);
  const below = countDescendants(order);
  const nodes = order.map(({ repo, parent, depth }) => {
    const edges = parentEdges.get(repo) ?? [];
    const edge = edges.find((candidate) => candidate.parent === parent);
    const model = lookups.models.get(repo);
    return {
      repo,
      label: labelOf(repo, lookups.labels),
      kind: isVirtual(repo, lookups) ? 'virtual' : 'repo',
      parent,
      otherParents: edges
        .filter((other) => other !== edge)
        .map((other) => ({
          parent: other.parent,
          label: labelOf(other.parent, lookups.labels),
          weight: other.weight,
          probability: other.probability,
        })),
      relation: edge?.relation ?? null,
      probability: edge?.probability ?? null,
      weight: edge?.weight ?? null,
      depth,
      children: childrenOf.get(repo)?.length ?? 0,
      descendants: below.get(repo) ?? 0,
      verdict: lookups.verdicts.get(repo) ?? null,
      downloads: model?.downloads ?? null,
    } satisfies FamilyNode;
  });
  return summarise(root, nodes, members, lookups);
}

function summarise(
  root: string,
  nodes: FamilyNode[],
  members: readonly FamilyRow[],
  { labels }: Lookups,
): ReportFamily {
  const related = nodes.flatMap((node) => (node.relation === null ? [] : [node.relation]));
  const judged = nodes.flatMap((node) => (node.verdict === null ? [] : [node.verdict]));
  return {
    root,
    label: labelOf(root, labels),
    family: members.find((member) => member.family)?.family ?? null,
    size: nodes.filter((node) => node.kind === 'repo').length,
    depth: nodes.reduce((deepest, node) => Math.max(deepest, node.depth), 0),
    downloads: nodes.reduce((sum, node) => sum + (node.downloads ?? 0), 0),
    relations: countBy(related, (relation) => relation).map(({ key, count }) => ({ relation: key, count })),
    verdicts: countBy(judged, (verdict) => verdict)
      .map(({ key, count }) => ({ verdict: key, count }))
      .sort((a, b) => VERDICT_ORDER.indexOf(a.verdict) - VERDICT_ORDER.indexOf(b.verdict)),
    nodes,
  };
}

interface Step {
  repo: string;
  parent: string | null;
  depth: number;
}

/** Parents before children, larger branches first; without recursion, since chains of checkpoints may be long. */
function readingOrder(
  root: string,
  names: ReadonlySet<string>,
  childrenOf: ReadonlyMap<string, string[]>,
): Step[] {
  const sizes = branchSizes(root, childrenOf);
  const seen = new Set<string>();
  const order: Step[] = [];
  const stack: Step[] = [{ repo: root, parent: null, depth: 0 }];
  const walk = () => {
    for (let step = stack.pop(); step; step = stack.pop()) {
      if (seen.has(step.repo)) continue;
      seen.add(step.repo);
      order.push(step);
      const { repo, depth } = step;
      const children = [...(childrenOf.get(repo) ?? [])].sort(
        (a, b) => (sizes.get(a) ?? 0) - (sizes.get(b) ?? 0) || byText(b, a),
      );
      for (const child of children) stack.push({ repo: child, parent: repo, depth: depth + 1 });
    }
  };
  walk();
  // members caught in a cycle of broken rows are reached from no root
  for (const repo of [...names].sort(byText)) {
    if (seen.has(repo)) continue;
    stack.push({ repo, parent: root, depth: 1 });
    walk();
  }
  return order;
}

function branchSizes(root: string, childrenOf: ReadonlyMap<string, string[]>): Map<string, number> {
  const order: Step[] = [];
  const seen = new Set<string>();
  const stack: Step[] = [{ repo: root, parent: null, depth: 0 }];
  for (let step = stack.pop(); step; step = stack.pop()) {
    if (seen.has(step.repo)) continue;
    seen.add(step.repo);
    order.push(step);
    for (const child of childrenOf.get(step.repo) ?? []) {
      stack.push({ repo: child, parent: step.repo, depth: step.depth + 1 });
    }
  }
  return countDescendants(order);
}

function countDescendants(order: readonly Step[]): Map<string, number> {
  const below = new Map<string, number>();
  for (const { repo, parent } of order.toReversed()) {
    if (parent !== null) below.set(parent, (below.get(parent) ?? 0) + 1 + (below.get(repo) ?? 0));
  }
  return below;
}

const isVirtual = (repo: string, { labels, models }: Lookups) =>
  labels.has(repo) || (!models.has(repo) && repo.startsWith('virtual/'));

/** A virtual parent is called by what its children declare, with a mark that it is not here; others by their name. */
export function labelOf(repo: string, labels: ReadonlyMap<string, string | null>): string {
  const label = labels.get(repo);
  if (label) return `${label} (absent)`;
  return labels.has(repo) ? 'absent parent' : repo;
}
