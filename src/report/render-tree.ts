import type { FamilyNode, ReportFamily } from './document.ts';
import { toPlain } from './escape.ts';
import { foldTree } from './fold-tree.ts';
import { renderDot, renderMermaid } from './render-graph.ts';
import { probability } from './text.ts';
import { VERDICT_WORDS } from './verdict-words.ts';

export type TreeFormat = 'text' | 'json' | 'dot' | 'mermaid';

export interface TreeOptions {
  /** lines of the text tree; folded groups say what was left out. 200 when absent; the other formats hold every node */
  maxRows?: number;
  /** marked, and never folded away */
  focus?: string;
}

/** A family (or the part of it around one model) for people and for other tools. */
export function renderTree(family: ReportFamily, format: TreeFormat, options: TreeOptions = {}): string {
  switch (format) {
    case 'text':
      return renderText(family, options);
    case 'json':
      return `${JSON.stringify(family, null, 2)}\n`;
    case 'dot':
      return renderDot([family]);
    case 'mermaid':
      return renderMermaid([family]);
  }
}

function renderText(family: ReportFamily, options: TreeOptions): string {
  const rows = foldTree(family.nodes, {
    maxRows: options.maxRows ?? 200,
    keep: new Set(options.focus === undefined ? [] : [options.focus]),
  });
  const rails: boolean[] = [];
  const lines = rows.map((row) => {
    rails.length = Math.max(0, row.depth - 1);
    const indent = rails.map((open) => (open ? '│  ' : '   ')).join('');
    const elbow = row.depth === 0 ? '' : row.last ? '└─ ' : '├─ ';
    if (row.depth > 0) rails[row.depth - 1] = !row.last;
    const text = row.kind === 'group' ? row.text : describeNode(row.node, row.hidden, options.focus);
    return `${indent}${elbow}${text}`;
  });
  return `${lines.join('\n')}\n`;
}

function describeNode(node: FamilyNode, hidden: number, focus: string | undefined): string {
  const parts = [toPlain(node.label) + (node.repo === focus ? '  ◀' : '')];
  if (node.relation !== null) {
    const others =
      node.otherParents.length > 0
        ? ` with ${node.otherParents.map((other) => toPlain(other.label)).join(', ')}`
        : '';
    parts.push(`${node.relation}${others}`);
  }
  if (node.probability !== null) parts.push(probability(node.probability));
  if (node.verdict !== null)
    parts.push(`${VERDICT_WORDS[node.verdict].symbol} ${VERDICT_WORDS[node.verdict].word}`);
  if (hidden > 0) parts.push(`(${hidden} below)`);
  return parts.join('  ');
}
