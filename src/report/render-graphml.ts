import type { ReportFamily } from './document.ts';
import { toHtml } from './escape.ts';
import { toGraph } from './graph-of-families.ts';

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
  const { nodes, edges } = toGraph(families);
  const nodeLines = nodes.map(({ id, label, inside }) =>
    element('node', `id="${toHtml(id)}"`, {
      label,
      kind: inside?.node.kind ?? (id.startsWith('virtual/') ? 'virtual' : 'repo'),
      family: inside?.family.family ?? null,
      verdict: inside?.node.verdict ?? null,
      downloads: inside?.node.downloads ?? null,
    }),
  );
  const edgeLines = edges.map(({ from, to, relation, probability, weight }) =>
    element('edge', `source="${toHtml(from)}" target="${toHtml(to)}"`, { relation, probability, weight }),
  );
  const keys = KEYS.map(
    ([name, target, type]) => `  <key id="${name}" for="${target}" attr.name="${name}" attr.type="${type}"/>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ...keys,
    '  <graph id="lineage" edgedefault="directed">',
    ...nodeLines,
    ...edgeLines,
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
