import type { FamilyNode, ReportFamily } from '../document.ts';
import { toHtml, toRepoUrl } from '../escape.ts';
import { foldTree, type TreeRow } from '../fold-tree.ts';
import { compact, grouped, probability } from '../text.ts';
import { VERDICT_WORDS } from '../verdict-words.ts';

/** px; the drawing scales down as a whole on narrow screens and paper */
const ROW = 26;
const STEP = 26;
const LEFT = 14;
/** a character of the widest common fonts (DejaVu Sans, bold): too much only leaves air at the right */
const CHAR = 8.2;
const SMALL_CHAR = 7.2;
const PAD = 10;
const BEND = 8;
const MAX_LABEL = 64;

export interface TreeSvgOptions {
  maxRows: number;
  hubUrl: string;
  focus?: string | null;
}

/**
 * A family as an outline: one line a model, one step to the right a generation, curved lines from parent to child. Names never run into
 * each other however deep or wide the tree is, and it reads from top to bottom like a page. No style attributes: the page's CSP forbids them.
 */
export function renderTreeSvg(family: ReportFamily, options: TreeSvgOptions): string {
  const focus = options.focus ?? null;
  const rows = foldTree(family.nodes, {
    maxRows: options.maxRows,
    keep: new Set(focus === null ? [] : [focus]),
  });
  const placed = rows.map((row, i) => ({ row, x: LEFT + row.depth * STEP, y: PAD + i * ROW + ROW / 2 }));
  const width = Math.ceil(Math.max(320, ...placed.map(({ row, x }) => x + widthOf(row))));
  const height = rows.length * ROW + 2 * PAD;
  const parentAt: { x: number; y: number }[] = [];
  const rails: string[] = [];
  const links: string[] = [];
  for (const { row, x, y } of placed) {
    const parent = row.depth > 0 ? parentAt[row.depth - 1] : undefined;
    if (parent) {
      links.push(drawElbow(parent.x, x, y, row));
      if (row.last) rails.push(`M${parent.x} ${parent.y + 6}V${y - BEND}`);
    }
    parentAt[row.depth] = { x, y };
  }
  const items = placed.map(({ row, x, y }) =>
    row.kind === 'group' ? drawGroup(row, x, y) : drawNode(row, x, y, options),
  );
  const focused = placed.find(({ row }) => row.kind === 'node' && row.node.repo === focus);
  const ground = focused
    ? `<rect class="focus" x="2" y="${focused.y - ROW / 2 + 1}" width="${width - 4}" height="${ROW - 2}" rx="6"/>`
    : '';
  return [
    `<svg class="tree" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${toHtml(`Tree of ${family.label}: ${family.size} models`)}">`,
    ground,
    `<path class="link" d="${rails.join('')}"/>${links.join('')}`,
    ...items,
    '</svg>',
  ].join('\n');
}

/** From the parent's rail to the child; the line's kind repeats the relation that stands beside the name. */
function drawElbow(railX: number, x: number, y: number, row: TreeRow): string {
  const relation = row.kind === 'node' ? (row.node.relation ?? 'none') : 'group';
  const d = `M${railX} ${y - BEND}Q${railX} ${y} ${railX + BEND} ${y}H${x - 7}`;
  return `<path class="link rel-${toHtml(relation)}" d="${d}"/>`;
}

type NodeRow = Extract<TreeRow, { kind: 'node' }>;
type GroupRow = Extract<TreeRow, { kind: 'group' }>;

function drawGroup(row: GroupRow, x: number, y: number): string {
  return `<g class="group"><circle cx="${x}" cy="${y}" r="2"/><circle cx="${x - 5}" cy="${y}" r="2"/><circle cx="${x + 5}" cy="${y}" r="2"/><text x="${x + 14}" y="${y + 4}">${toHtml(row.text)}</text></g>`;
}

function drawNode({ node, hidden }: NodeRow, x: number, y: number, options: TreeSvgOptions): string {
  const words = node.verdict === null ? null : VERDICT_WORDS[node.verdict];
  const tone = words?.tone ?? 'plain';
  const label = clip(node.label);
  const slash = node.kind === 'repo' ? label.indexOf('/') : -1;
  const name = `<tspan class="owner">${toHtml(label.slice(0, slash + 1))}</tspan><tspan class="name">${toHtml(label.slice(slash + 1))}</tspan>`;
  const url = node.kind === 'repo' ? toRepoUrl(options.hubUrl, node.repo) : null;
  const text = `<text x="${x + 12}" y="${y + 4}">${name}<tspan class="note" dx="8">${toHtml(sideNote(node, hidden))}</tspan>${words && node.verdict !== 'confirmed' ? `<tspan class="verdict ${tone}" dx="8">${toHtml(`${words.symbol} ${words.word}`)}</tspan>` : ''}</text>`;
  const mark =
    node.kind === 'virtual'
      ? `<circle class="dot virtual" cx="${x}" cy="${y}" r="5"/>`
      : `<circle class="dot ${tone}" cx="${x}" cy="${y}" r="5"/>`;
  const body = `<title>${toHtml(tooltip(node))}</title>${mark}${text}`;
  return `<g class="node">${url === null ? body : `<a href="${toHtml(url)}" rel="noopener noreferrer">${body}</a>`}</g>`;
}

function sideNote(node: FamilyNode, hidden: number): string {
  const parts: string[] = [];
  if (node.relation !== null) {
    const others = node.otherParents.length;
    parts.push(others > 0 ? `${node.relation} with ${others} other${others > 1 ? 's' : ''}` : node.relation);
  }
  if (node.probability !== null) parts.push(probability(node.probability));
  if (node.downloads !== null && node.downloads > 0) parts.push(`${compact(node.downloads)} ↓`);
  if (hidden > 0) parts.push(`${grouped(hidden)} below`);
  return parts.join(' · ');
}

function tooltip(node: FamilyNode): string {
  const lines = [node.label];
  if (node.relation !== null)
    lines.push(
      `${node.relation} of ${[node.parent, ...node.otherParents.map((other) => other.label)].join(', ')}`,
    );
  if (node.probability !== null) lines.push(`probability ${probability(node.probability)}`);
  if (node.verdict !== null)
    lines.push(`${VERDICT_WORDS[node.verdict].word}: ${VERDICT_WORDS[node.verdict].meaning}`);
  if (node.descendants > 0) lines.push(`${node.descendants} below it`);
  return lines.join(' · ');
}

const clip = (text: string) => (text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text);

function widthOf(row: TreeRow): number {
  if (row.kind === 'group') return row.text.length * CHAR + 30;
  const verdict =
    row.node.verdict === null ? 0 : (VERDICT_WORDS[row.node.verdict].word.length + 2) * SMALL_CHAR + 8;
  return (
    clip(row.node.label).length * CHAR + sideNote(row.node, row.hidden).length * SMALL_CHAR + verdict + 44
  );
}
