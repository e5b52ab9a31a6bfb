import { byText } from './compare.ts';
import type { FamilyNode } from './document.ts';
import { VERDICT_WORDS } from './verdict-words.ts';

/** One line of a drawn tree: a model, or a group of models folded away. */
export type TreeRow =
  | {
      kind: 'node';
      node: FamilyNode;
      depth: number;
      last: boolean;
      /** models below it that are not drawn */
      hidden: number;
    }
  | { kind: 'group'; text: string; count: number; depth: number; last: boolean };

export interface FoldOptions {
  /** lines drawn at most; a few more where `keep` asks for them */
  maxRows: number;
  /** never folded away (the model a page is about) */
  keep?: ReadonlySet<string>;
}

/** Leaves of one relation drawn under one parent while the whole tree fits. */
const LEAF_LIMIT = 10;
/** Children drawn under one parent when it does not. */
const CHILD_LIMIT = 12;

/**
 * A tree cut down to what a person can read. Leaves of one relation under one parent become "and 43 more quantized", least remarkable
 * first. When that is not enough, branches are opened largest first until the lines are used up; closed ones say how much is below them.
 * Reading order stays.
 */
export function foldTree(nodes: readonly FamilyNode[], options: FoldOptions): TreeRow[] {
  const inTree = new Set(nodes.map((node) => node.repo));
  const tops = nodes.filter((node) => node.parent === null || !inTree.has(node.parent));
  const children = Map.groupBy(
    nodes.filter((node) => node.parent !== null && inTree.has(node.parent)),
    (node) => node.parent ?? '',
  );
  const keep = withAncestors(nodes, options.keep ?? new Set());
  const childrenOf = (node: FamilyNode) => children.get(node.repo) ?? [];

  const leavesFolded = new Map(nodes.map((node) => [node.repo, foldLeaves(childrenOf(node), keep)]));
  const rows = draw(tops, leavesFolded);
  if (rows.length <= options.maxRows) return rows;
  return draw(tops, openLargest(tops, childrenOf, keep, options.maxRows));
}

/** What is drawn under an opened node; nodes missing from the map are closed. */
interface Opened {
  shown: readonly FamilyNode[];
  folded: { text: string; count: number } | null;
}

function foldLeaves(children: readonly FamilyNode[], keep: ReadonlySet<string>): Opened {
  const leaves = Map.groupBy(
    children.filter((node) => node.children === 0 && !keep.has(node.repo)),
    relationOf,
  );
  // a group of one line saves nothing over the line itself
  const hidden = new Set(
    [...leaves.values()].flatMap((group) =>
      group.length > LEAF_LIMIT + 1 ? mostRemarkable(group).slice(LEAF_LIMIT) : [],
    ),
  );
  return split(children, hidden);
}

/** Best first: the branch with most models below it is opened next, as long as its lines fit. */
function openLargest(
  tops: readonly FamilyNode[],
  childrenOf: (node: FamilyNode) => readonly FamilyNode[],
  keep: ReadonlySet<string>,
  maxRows: number,
): Map<string, Opened> {
  const opened = new Map<string, Opened>();
  const queue = [...tops];
  let rows = tops.length;
  while (queue.length > 0) {
    queue.sort((a, b) => rank(a, keep) - rank(b, keep) || byText(b.repo, a.repo));
    const node = queue.pop();
    if (!node) break;
    const children = childrenOf(node);
    const optional = mostRemarkable(children.filter((child) => !keep.has(child.repo)));
    const rest = optional.length > CHILD_LIMIT + 1 ? optional.slice(CHILD_LIMIT) : [];
    const decision = split(children, new Set(rest));
    const cost = decision.shown.length + (decision.folded ? 1 : 0);
    if (rows + cost > maxRows && !keep.has(node.repo)) continue;
    rows += cost;
    opened.set(node.repo, decision);
    queue.push(...decision.shown.filter((child) => child.children > 0));
  }
  return opened;
}

const rank = (node: FamilyNode, keep: ReadonlySet<string>) =>
  keep.has(node.repo) ? Number.POSITIVE_INFINITY : node.descendants;

function split(children: readonly FamilyNode[], hidden: ReadonlySet<FamilyNode>): Opened {
  const groups = new Map<string, number>();
  for (const node of children) {
    if (!hidden.has(node)) continue;
    const relation = relationOf(node);
    groups.set(relation, (groups.get(relation) ?? 0) + 1 + node.descendants);
  }
  return {
    shown: children.filter((node) => !hidden.has(node)),
    folded: groups.size === 0 ? null : sayFolded(groups),
  };
}

function sayFolded(groups: ReadonlyMap<string, number>): { text: string; count: number } {
  const parts = [...groups].sort((a, b) => b[1] - a[1] || byText(a[0], b[0]));
  const count = parts.reduce((sum, [, size]) => sum + size, 0);
  const [first] = parts;
  if (parts.length === 1 && first) return { text: `and ${count} more ${first[0]}`, count };
  return {
    text: `and ${count} more: ${parts.map(([relation, size]) => `${size} ${relation}`).join(', ')}`,
    count,
  };
}

function draw(tops: readonly FamilyNode[], opened: ReadonlyMap<string, Opened>): TreeRow[] {
  const rows: TreeRow[] = [];
  const toRow = (node: FamilyNode, depth: number, last: boolean): TreeRow => ({
    kind: 'node',
    node,
    depth,
    last,
    hidden: opened.has(node.repo) ? 0 : node.descendants,
  });
  const stack = tops.map((node, i) => toRow(node, 0, i === tops.length - 1)).reverse();
  for (let row = stack.pop(); row; row = stack.pop()) {
    rows.push(row);
    const decision = row.kind === 'node' ? opened.get(row.node.repo) : undefined;
    if (!decision) continue;
    const depth = row.depth + 1;
    const below: TreeRow[] = [
      ...decision.shown.map((node) => toRow(node, depth, false)),
      ...(decision.folded ? [{ kind: 'group' as const, ...decision.folded, depth, last: false }] : []),
    ];
    const last = below.at(-1);
    if (last) last.last = true;
    stack.push(...below.reverse());
  }
  return rows;
}

/** Large branches first, then what calls for a look, then what people use. */
function mostRemarkable(group: readonly FamilyNode[]): FamilyNode[] {
  const severity = (node: FamilyNode) => (node.verdict === null ? 0 : VERDICT_WORDS[node.verdict].severity);
  return [...group].sort(
    (a, b) =>
      b.descendants - a.descendants ||
      severity(b) - severity(a) ||
      (b.downloads ?? 0) - (a.downloads ?? 0) ||
      byText(a.repo, b.repo),
  );
}

const relationOf = (node: FamilyNode) => node.relation ?? 'related';

function withAncestors(nodes: readonly FamilyNode[], keep: ReadonlySet<string>): Set<string> {
  const byRepo = new Map(nodes.map((node) => [node.repo, node]));
  const kept = new Set<string>();
  for (const repo of keep) {
    let at = byRepo.get(repo);
    while (at && !kept.has(at.repo)) {
      kept.add(at.repo);
      at = at.parent === null ? undefined : byRepo.get(at.parent);
    }
  }
  return kept;
}
