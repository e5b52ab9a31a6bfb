import type { ReportFamily } from './document.ts';
import { toHtml } from './escape.ts';

const KEYS = [
  ['label', 'node', 'string'],
  ['kind', 'node', 'string'],
  ['family', 'node', 'string'],
  ['verdict', 'node', 'string'],
  ['downloads', 'node', 'long'],
  ['relation', 'edge', 'string'],
  ['probability', 'edge', 'double'],
  ['weight', 'edge', 'double'],
] as const;

/** GraphML (http://graphml.graphdrawing.org) of families, edges from parent to child; opens in Gephi, yEd and networkx. */
export function renderGraphml(families: readonly ReportFamily[]): string {
  const nodes = new Map<string, string>();
  const edges: string[] = [];
  for (const family of families) {
    for (const node of family.nodes) {
      nodes.set(
        node.repo,
        element('node', `id="${toHtml(node.repo)}"`, {
          label: node.label,
          kind: node.kind,
          family: family.family,
          verdict: node.verdict,
          downloads: node.downloads,
        }),
      );
      const edge = (parent: string, probability: number | null, weight: number | null) =>
        element('edge', `source="${toHtml(parent)}" target="${toHtml(node.repo)}"`, {
          relation: node.relation,
          probability,
          weight,
        });
      if (node.parent !== null) edges.push(edge(node.parent, node.probability, node.weight));
      for (const other of node.otherParents) edges.push(edge(other.parent, other.probability, other.weight));
    }
  }
  const keys = KEYS.map(
    ([name, target, type]) => `  <key id="${name}" for="${target}" attr.name="${name}" attr.type="${type}"/>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ...keys,
    '  <graph id="lineage" edgedefault="directed">',
    ...nodes.values(),
    ...edges,
    '  </graph>',
    '</graphml>\n',
  ].join('\n');
}

function element(name: string, attributes: string, data: Record<string, string | number | null>): string {
  const fields = Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `<data key="${key}">${toHtml(String(value))}</data>`);
  return `    <${name} ${attributes}>${fields.join('')}</${name}>`;
}
