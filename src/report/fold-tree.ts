import { byText } from './compare.ts';
import type { FamilyNode } from './document.ts';
import { VERDICT_WORDS } from './verdict-words.ts';

/** One line of a drawn tree: a model, or a group of models folded away. */
export type TreeRow =
  | { kind: 'node'; node: FamilyNode; depth: number; last: boolean }
  | { kind: 'group'; text: string; count: number; depth: number; last: boolean };

export interface FoldOptions {
  /** lines drawn at most */
  maxRows: number;
  /** never folded away (the model a page is about) */
  keep?: ReadonlySet<string>;
}

/** Leaves of one relation shown under one parent, from generous to strict, until the tree fits. */
const LEAF_LIMITS = [10, 6, 4, 2, 1];

/**
 * A tree cut down to what a person can read: leaves of one relation under one parent become "and 43 more quantized", least remarkable
 * first; when that is not enough, whole branches fold from the bottom up. Reading order stays.
 */
export function foldTree(nodes: readonly FamilyNode[], options: FoldOptions): TreeRow[] {
  const keep = withAncestors(nodes, options.keep ?? new Set());
  let rows: TreeRow[] = [];
  for (const limit of LEAF_LIMITS) {
    rows = draw(nodes, keep, limit, Number.POSITIVE_INFINITY);
    if (rows.length <= options.maxRows) return rows;
  }
  const deepest = nodes.reduce((max, node) => Math.max(max, node.depth), 0);
  for (let depth = Math.min(deepest, 64); depth >= 1; depth -= 1) {
    rows = draw(nodes, keep, 1, depth);
    if (rows.length <= options.maxRows) return rows;
  }
  return cutShort(rows, options.maxRows);
}

function draw(
  nodes: readonly FamilyNode[],
  keep: ReadonlySet<string>,
  leafLimit: number,
  maxDepth: number,
): TreeRow[] {
  const inTree = new Set(nodes.map((node) => node.repo));
  const children = Map.groupBy(
    nodes.filter((node) => node.parent !== null && inTree.has(node.parent)),
    (node) => node.parent ?? '',
  );
  const rows: TreeRow[] = [];
  type Item = { row: TreeRow; node: FamilyNode | null };
  const tops = nodes.filter((node) => node.parent === null || !inTree.has(node.parent));
  const stack: Item[] = tops.toReversed().map((node) => toItem(node, 0, true));
  for (let item = stack.pop(); item; item = stack.pop()) {
    rows.push(item.row);
    if (!item.node) continue;
    const depth = item.row.depth + 1;
    const own = children.get(item.node.repo) ?? [];
    const shown: Item[] = [];
    const folded = new Map<string, number>();
    const fold = (relation: string, count: number) =>
      folded.set(relation, (folded.get(relation) ?? 0) + count);
    if (depth > maxDepth && !own.some((node) => keep.has(node.repo))) {
      if (own.length > 0)
        fold(
          '',
          own.reduce((sum, node) => sum + 1 + node.descendants, 0),
        );
    } else {
      const leaves = Map.groupBy(
        own.filter((node) => node.children === 0 && !keep.has(node.repo)),
        (node) => node.relation ?? '',
      );
      const hidden = new Set([...leaves.values()].flatMap((group) => leastRemarkable(group, leafLimit)));
      for (const node of own) {
        if (hidden.has(node)) fold(node.relation ?? 'related', 1);
        else shown.push(toItem(node, depth, false));
      }
    }
    for (const [relation, count] of folded) {
      const text = relation === '' ? `and ${count} more below` : `and ${count} more ${relation}`;
      shown.push({ row: { kind: 'group', text, count, depth, last: false }, node: null });
    }
    const last = shown.at(-1);
    if (last) last.row.last = true;
    stack.push(...shown.reverse());
  }
  return rows;

  function toItem(node: FamilyNode, depth: number, last: boolean): Item {
    return { row: { kind: 'node', node, depth, last }, node };
  }
}

/** What goes when a group is too large; one line more is no gain over the line that would say so. */
function leastRemarkable(group: readonly FamilyNode[], limit: number): FamilyNode[] {
  if (group.length <= limit + 1) return [];
  const severity = (node: FamilyNode) => (node.verdict === null ? 0 : VERDICT_WORDS[node.verdict].severity);
  return [...group]
    .sort(
      (a, b) =>
        severity(b) - severity(a) || (b.downloads ?? 0) - (a.downloads ?? 0) || byText(a.repo, b.repo),
    )
    .slice(limit);
}

function withAncestors(nodes: readonly FamilyNode[], keep: ReadonlySet<string>): Set<string> {
  const byRepo = new Map(nodes.map((node) => [node.repo, node]));
  const kept = new Set<string>();
  for (const repo of keep) {
    for (
      let at = byRepo.get(repo);
      at && !kept.has(at.repo);
      at = at.parent === null ? undefined : byRepo.get(at.parent)
    ) {
      kept.add(at.repo);
    }
  }
  return kept;
}

function cutShort(rows: TreeRow[], maxRows: number): TreeRow[] {
  const rest = rows.slice(maxRows - 1);
  const count = rest.reduce((sum, row) => sum + (row.kind === 'group' ? row.count : 1), 0);
  return [
    ...rows.slice(0, maxRows - 1),
    { kind: 'group', text: `and ${count} more`, count, depth: 1, last: true },
  ];
}
