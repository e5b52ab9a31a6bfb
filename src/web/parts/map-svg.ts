import { VERDICT_WORDS } from '../../report/index.ts';
import { type Html, html } from '../html.ts';
import { modelPath } from '../links.ts';
import type { MapNode } from '../read/family-map.ts';

/** half the picture's side in its own units, names included */
const HALF = 560;
const RADIUS = 460;
/** Names drawn; the others are told when pointed at. */
const MAX_NAMES = 30;
const MAX_LABEL = 28;
/** a character of the widest common font, and the height of a line */
const CHAR = 8;
const LINE = 16;

const px = (value: number) => Number((value * RADIUS).toFixed(1));

/** A link leaves its ring and reaches the next at a right angle: both bends lie half-way, on the rays from the root. */
function drawLink(root: MapNode, parent: MapNode, node: MapNode): string {
  const ray = (to: MapNode) => {
    const [x, y] = [to.x - root.x, to.y - root.y];
    const length = Math.hypot(x, y);
    return length < 1e-6 ? null : { x: x / length, y: y / length, length };
  };
  const end = ray(node);
  if (end === null) return '';
  const start = ray(parent) ?? { ...end, length: 0 };
  const bend = (start.length + end.length) / 2;
  const point = (x: number, y: number) => `${px(root.x + x * bend)} ${px(root.y + y * bend)}`;
  return `M${px(parent.x)} ${px(parent.y)}C${point(start.x, start.y)} ${point(end.x, end.y)} ${px(node.x)} ${px(node.y)}`;
}

/**
 * A family as dots on rings. Links here are for pointers and left out of the tab order: a thousand stops would bury the table below, which
 * has the same models.
 */
export function mapSvg(nodes: readonly MapNode[], title: string): Html {
  const root = nodes[0];
  if (root === undefined) return html`<p>Nothing to draw.</p>`;
  const at = new Map(nodes.map((node) => [node.repo, node]));
  const links = nodes.map((node) => {
    const parent = node.parent === null ? undefined : at.get(node.parent);
    return parent === undefined ? '' : drawLink(root, parent, node);
  });
  const named = new Set(
    [...nodes]
      .filter((node) => nodes.length <= MAX_NAMES || node.depth === 0 || node.drawnBelow > 1)
      .sort((a, b) => b.drawnBelow - a.drawnBelow)
      .slice(0, MAX_NAMES)
      .map((node) => node.repo),
  );
  const labels = placeLabels(
    root,
    nodes.filter((node) => named.has(node.repo)),
  );
  const small = nodes.length > 300;
  return html`<svg viewBox="${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}" width="${2 * HALF}" height="${2 * HALF}" role="img" aria-label="${title}">
<path class="link" d="${links.join('')}"/>
${nodes.map((node) => {
  const tone = node.virtual ? 'virtual' : node.verdict === null ? 'plain' : VERDICT_WORDS[node.verdict].tone;
  const r = Math.min(14, (small ? 2.6 : 4.5) + Math.sqrt(node.drawnBelow) * 0.7);
  const word = node.verdict === null ? '' : ` · ${VERDICT_WORDS[node.verdict].word}`;
  return html`<a href="${modelPath(node.repo)}" tabindex="-1"><title>${node.label}${node.relation === null ? '' : ` · ${node.relation}`}${word}</title><circle class="dot ${tone}" cx="${px(node.x)}" cy="${px(node.y)}" r="${r.toFixed(1)}"/></a>`;
})}
${labels.map(
  (label) =>
    html`<text x="${label.x}" y="${label.y}" text-anchor="${label.isRight ? 'start' : 'end'}">${label.text}</text>`,
)}</svg>`;
}

interface Label {
  text: string;
  x: number;
  y: number;
  isRight: boolean;
}

/** Names beside their dots, on the side away from the root, the largest branches first; one that would run into another is left out. */
function placeLabels(root: MapNode, nodes: readonly MapNode[]): Label[] {
  const placed: (Label & { from: number; to: number })[] = [];
  for (const node of [...nodes].sort((a, b) => b.drawnBelow - a.drawnBelow)) {
    const short = node.label.slice(node.label.indexOf('/') + 1);
    const text = short.length > MAX_LABEL ? `${short.slice(0, MAX_LABEL - 1)}…` : short;
    const isRight = node.x >= root.x;
    const x = px(node.x) + (isRight ? 12 : -12);
    const y = px(node.y) + 4;
    const width = text.length * CHAR;
    const [from, to] = isRight ? [x, x + width] : [x - width, x];
    if (placed.some((other) => Math.abs(other.y - y) < LINE && other.from < to && from < other.to)) continue;
    placed.push({ text, x, y, isRight, from, to });
  }
  return placed;
}
