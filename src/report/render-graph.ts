import type { ReportFamily } from './document.ts';
import { toDotString, toMermaidLabel } from './escape.ts';
import { type GraphNode, toGraph } from './graph-of-families.ts';

const DOT_HEAD = `digraph lineage {
  rankdir=LR;
  node [shape=box, style=rounded, fontname="sans-serif"];
  edge [fontname="sans-serif", fontsize=10];
`;

/** Graphviz, all families in one graph: parents left of children; dashed are virtual parents and the further parents of a merge. */
export function renderDot(families: readonly ReportFamily[]): string {
  const { nodes, edges } = toGraph(families);
  const lines = [
    ...nodes.map((node) => {
      const shape = isVirtual(node) ? ', style="rounded,dashed"' : '';
      const verdict = node.inside?.node.verdict;
      const comment = verdict ? `, comment=${toDotString(verdict)}` : '';
      return `  ${toDotString(node.id)} [label=${toDotString(node.label)}${shape}${comment}];`;
    }),
    ...edges.map(
      ({ from, to, relation, main }) =>
        `  ${toDotString(from)} -> ${toDotString(to)} [label=${toDotString(relation ?? '')}${main ? '' : ', style=dashed'}];`,
    ),
  ];
  return `${DOT_HEAD}${lines.join('\n')}\n}\n`;
}

/** A Mermaid flowchart of the same graph. Mermaid itself refuses more than 500 edges unless its `maxEdges` is raised. */
export function renderMermaid(families: readonly ReportFamily[]): string {
  const { nodes, edges } = toGraph(families);
  const ids = new Map(nodes.map((node, i) => [node.id, `n${i}`]));
  const lines = [
    ...nodes.map((node) => {
      const [id, label] = [ids.get(node.id), toMermaidLabel(node.label)];
      return isVirtual(node) ? `  ${id}([${label}])` : `  ${id}[${label}]`;
    }),
    ...edges.map(
      ({ from, to, relation, main }) =>
        `  ${ids.get(from)} ${main ? '-->' : '-.->'}${relation === null ? '' : `|${relation}|`} ${ids.get(to)}`,
    ),
  ];
  return `graph LR\n${lines.join('\n')}\n`;
}

const isVirtual = ({ id, inside }: GraphNode) =>
  inside === null ? id.startsWith('virtual/') : inside.node.kind === 'virtual';
