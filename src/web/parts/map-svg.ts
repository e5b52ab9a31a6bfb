import { VERDICT_WORDS } from '../../report/index.ts';
import { type Html, html } from '../html.ts';
import { modelPath } from '../links.ts';
import type { MapNode } from '../read/family-map.ts';

/** half the picture's side in its own units, names included */
const HALF = 560;
const RADIUS = 460;
/** Names drawn; the others are told when pointed at. */
const MAX_NAMES = 24;
const MAX_LABEL = 28;

/**
 * A family as dots on rings. Links here are for pointers and left out of the tab order: a thousand stops would bury the table below, which
 * has the same models.
 */
export function mapSvg(nodes: readonly MapNode[], title: string): Html {
  const at = new Map(nodes.map((node) => [node.repo, node]));
  const px = (value: number) => Number((value * RADIUS).toFixed(1));
  const links = nodes.flatMap((node) => {
    const parent = node.parent === null ? undefined : at.get(node.parent);
    if (parent === undefined) return [];
    const radius = Math.hypot(parent.x, parent.y);
    const own = Math.hypot(node.x, node.y) || 1;
    const bend = (radius + own) / 2;
    const from =
      radius < 1e-6 ? { x: node.x / own, y: node.y / own } : { x: parent.x / radius, y: parent.y / radius };
    return `M${px(parent.x)} ${px(parent.y)}C${px(from.x * bend)} ${px(from.y * bend)} ${px((node.x / own) * bend)} ${px((node.y / own) * bend)} ${px(node.x)} ${px(node.y)}`;
  });
  const named = new Set(
    [...nodes]
      .filter((node) => node.depth === 0 || node.drawnBelow > 1)
      .sort((a, b) => b.drawnBelow - a.drawnBelow)
      .slice(0, MAX_NAMES)
      .map((node) => node.repo),
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
${nodes
  .filter((node) => named.has(node.repo))
  .map((node) => {
    const right = node.x >= 0;
    const short = node.label.slice(node.label.indexOf('/') + 1);
    return html`<text x="${px(node.x) + (right ? 12 : -12)}" y="${px(node.y) + 4}" text-anchor="${right ? 'start' : 'end'}">${short.length > MAX_LABEL ? `${short.slice(0, MAX_LABEL - 1)}…` : short}</text>`;
  })}</svg>`;
}
