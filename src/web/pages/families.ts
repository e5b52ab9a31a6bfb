import type { PageHandler } from '../contract.ts';
import { grouped } from '../format.ts';
import { html } from '../html.ts';
import { familyPath, withQuery } from '../links.ts';
import { nameText } from '../parts/badges.ts';
import { pager } from '../parts/forms.ts';
import { table } from '../parts/table.ts';
import { labelOf } from '../read/cards.ts';

const PAGE_ROWS = 50;
/** Pages are counted from the top, each costing what lies above it; smaller families are found by their models. */
const MAX_PAGE = 100;

/** Family trees, largest first. */
export const familiesPage: PageHandler = async ({ store, snapshot, params }) => {
  const family = params.choice('family', ['llama', 'stable-diffusion']);
  const page = params.count('page', 1, MAX_PAGE) ?? 1;
  const rows = await store.readView('roots', {
    ...(family === null ? {} : { where: 'family = ?', params: [family] }),
    order: 'models DESC',
    limit: PAGE_ROWS + 1,
    offset: (page - 1) * PAGE_ROWS,
  });
  const shown = rows.slice(0, PAGE_ROWS);
  const next =
    rows.length > PAGE_ROWS && page < MAX_PAGE ? withQuery('/families', { family, page: page + 1 }) : null;
  return {
    title: 'Families',
    place: 'families',
    data: { family, page, families: shown, nextUrl: next },
    body: html`<h1>Families</h1><p class="lead">Models that hang together by their weights, under the model (or the absent base) at the top.</p>
${
  shown.length === 0
    ? html`<p>None.</p>`
    : table(
        'Families by number of models',
        [
          {
            title: 'Root',
            cell: (row) =>
              html`<a class="repo" href="${familyPath(row.root)}">${nameText(labelOf(row.root, snapshot.virtualLabels))}</a>`,
          },
          { title: 'Architecture family', kind: 'keep', cell: (row) => row.family ?? '' },
          { title: 'Models', numeric: true, cell: (row) => grouped(row.models) },
          { title: 'Generations', numeric: true, cell: (row) => row.max_depth },
        ],
        shown,
      )
}
${pager({ first: page === 1 ? null : withQuery('/families', { family }), next })}`,
  };
};
