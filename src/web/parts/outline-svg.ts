import { VERDICT_WORDS } from '../../report/index.ts';
import { compact, grouped, percent } from '../format.ts';
import { Html, html } from '../html.ts';
import { childrenPath, modelPath } from '../links.ts';
import type { OutlineRow } from '../read/outline.ts';

/** px */
const ROW = 27;
const STEP = 24;
const LEFT = 14;
const PAD = 8;
const BEND = 8;
/** a character of the widest common fonts: too much only leaves air at the right */
const CHAR = 8;
const SMALL_CHAR = 7;
const MAX_LABEL = 64;

/**
 * A tree as an outline: one line a model, one step to the right a generation, every line a link. Names never run into each other however
 * deep or wide the tree is. Sizes are attributes and colours classes, since the CSP forbids inline styles.
 */
export function outlineSvg(rows: readonly OutlineRow[], title: string, focus: string | null = null): Html {
  const placed = rows.map((row, i) => ({ row, x: LEFT + row.depth * STEP, y: PAD + i * ROW + ROW / 2 }));
  const width = Math.ceil(Math.max(280, ...placed.map(({ row, x }) => x + widthOf(row))));
  const height = rows.length * ROW + 2 * PAD;
  const parentAt: { x: number; y: number }[] = [];
  /** where the rail under each depth ends */
  const rails = new Map<number, { x: number; from: number; to: number }>();
  const paths: Html[] = [];
  const flush = (depth: number) => {
    const rail = rails.get(depth);
    if (rail) paths.push(html`<path class="link" d="M${rail.x} ${rail.from}V${rail.to}"/>`);
    rails.delete(depth);
  };
  for (const { row, x, y } of placed) {
    for (const depth of [...rails.keys()]) if (depth >= row.depth) flush(depth);
    const parent = row.depth > 0 ? parentAt[row.depth - 1] : undefined;
    if (parent) {
      rails.set(row.depth - 1, { x: parent.x, from: parent.y + 6, to: y - BEND });
      const relation = row.relation ?? 'none';
      const d = `M${parent.x} ${y - BEND}Q${parent.x} ${y} ${parent.x + BEND} ${y}H${x - 7}`;
      paths.push(html`<path class="link rel-${relation}" d="${d}"/>`);
    }
    parentAt[row.depth] = { x, y };
  }
  for (const depth of [...rails.keys()]) flush(depth);
  const focused = placed.find(({ row }) => row.kind === 'model' && row.repo === focus);
  const ground = focused
    ? html`<rect class="focus" x="2" y="${focused.y - ROW / 2 + 1}" width="${width - 4}" height="${ROW - 2}" rx="6"/>`
    : null;
  return html`<svg class="tree" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="group" aria-label="${title}">
${ground}${paths}
${placed.map(({ row, x, y }) => html`${row.kind === 'more' ? drawMore(row, x, y) : drawModel(row, x, y, row.repo === focus)}\n`)}</svg>`;
}

type ModelRow = Extract<OutlineRow, { kind: 'model' }>;
type MoreRow = Extract<OutlineRow, { kind: 'more' }>;

const sayMore = (row: MoreRow) => `and ${grouped(row.count)} more ${row.relation ?? 'children'}`;

function drawMore(row: MoreRow, x: number, y: number): Html {
  return html`<a href="${childrenPath(row.parent, row.relation)}" class="group"><circle cx="${x}" cy="${y}" r="2"/><circle cx="${x - 5}" cy="${y}" r="2"/><circle cx="${x + 5}" cy="${y}" r="2"/><text x="${x + 14}" y="${y + 4}">${sayMore(row)}</text></a>`;
}

function drawModel(row: ModelRow, x: number, y: number, isFocus: boolean): Html {
  const words = row.verdict === null ? null : VERDICT_WORDS[row.verdict];
  const tone = words?.tone ?? 'plain';
  const label = clip(row.label);
  const slash = row.virtual ? -1 : label.indexOf('/');
  const mark = row.virtual
    ? html`<circle class="dot virtual" cx="${x}" cy="${y}" r="5"/>`
    : html`<circle class="dot ${tone}" cx="${x}" cy="${y}" r="5"/>`;
  const verdict =
    words === null ? null : html`<tspan class="verdict ${tone}" dx="8">${words.symbol} ${words.word}</tspan>`;
  // without spaces between the parts, assistive technology would read one word
  return html`<a href="${modelPath(row.repo)}" class="node"${isFocus ? new Html(' aria-current="page"') : ''}>${mark}<text x="${x + 12}" y="${y + 4}"><tspan class="owner">${label.slice(0, slash + 1)}</tspan><tspan class="name">${label.slice(slash + 1)}</tspan> <tspan class="note" dx="5">${sideNote(row)}</tspan> ${verdict}</text></a>`;
}

function sideNote(row: ModelRow): string {
  const others = row.otherParents.length;
  return [
    row.relation === null
      ? ''
      : others > 0
        ? `${row.relation} with ${others} other${others > 1 ? 's' : ''}`
        : row.relation,
    row.probability === null ? '' : percent(row.probability),
    row.downloads === null || row.downloads === 0 ? '' : `${compact(row.downloads)}\u00a0↓`,
    row.below > 0 ? `${grouped(row.below)} below` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

const clip = (text: string) => (text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text);

function widthOf(row: OutlineRow): number {
  if (row.kind === 'more') return sayMore(row).length * CHAR + 30;
  const verdict = row.verdict === null ? 0 : (VERDICT_WORDS[row.verdict].word.length + 2) * SMALL_CHAR + 8;
  return clip(row.label).length * CHAR + sideNote(row).length * SMALL_CHAR + verdict + 40;
}
