import { compact, grouped, percent } from '../format.ts';
import { type Html, html, joinHtml } from '../html.ts';
import { childrenPath, edgePath } from '../links.ts';
import { labelOf } from '../read/cards.ts';
import type { OutlineRow } from '../read/outline.ts';
import type { Snapshot } from '../snapshot.ts';
import { badge, chip, modelLink } from './badges.ts';
import { outlineSvg } from './outline-svg.ts';
import { table } from './table.ts';

/** The tree as a picture and, folded below it, as a table. */
export function treeSection(
  rows: readonly OutlineRow[],
  focus: string,
  { virtualLabels }: Pick<Snapshot, 'virtualLabels'>,
  title = 'Tree',
): Html {
  const models = rows.filter((row) => row.kind === 'model');
  return html`<section aria-labelledby="tree"><h2 id="tree">${title}</h2>
<div class="treebox" tabindex="0" role="region" aria-label="${title}">${outlineSvg(rows, `Tree around ${focus}, ${models.length} models drawn`, focus)}</div>
<details><summary>The same as a table</summary>${table(
    'Models of the tree above, in its order',
    [
      {
        title: 'Model',
        cell: (row: OutlineRow) =>
          row.kind === 'more'
            ? html`<a href="${childrenPath(row.parent, row.relation)}">and ${grouped(row.count)} more ${row.relation ?? ''} of ${labelOf(row.parent, virtualLabels)}</a>`
            : modelLink(row.repo, row.label),
      },
      { title: 'Generation', numeric: true, cell: (row: OutlineRow) => row.depth },
      {
        title: 'Relation',
        kind: 'keep',
        cell: (row: OutlineRow) => (row.relation === null ? '' : chip(row.relation)),
      },
      {
        title: 'Parents',
        cell: (row: OutlineRow) =>
          row.kind === 'more' || row.parent === null
            ? ''
            : joinHtml(
                [row.parent, ...row.otherParents].map((parent) =>
                  modelLink(parent, labelOf(parent, virtualLabels)),
                ),
                ', ',
              ),
      },
      {
        title: 'Probability',
        numeric: true,
        cell: (row: OutlineRow) =>
          row.kind === 'more' || row.parent === null || row.probability === null
            ? ''
            : html`<a href="${edgePath(row.repo, row.parent)}">${percent(row.probability)}</a>`,
      },
      {
        title: 'Verdict',
        kind: 'keep',
        cell: (row: OutlineRow) => (row.kind === 'more' || row.verdict === null ? '' : badge(row.verdict)),
      },
      {
        title: 'Downloads',
        numeric: true,
        cell: (row: OutlineRow) =>
          row.kind === 'more' || row.downloads === null ? '' : compact(row.downloads),
      },
    ],
    rows,
  )}</details></section>`;
}
