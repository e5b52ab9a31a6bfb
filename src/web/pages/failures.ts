import { HublineageError } from '../../types/errors.ts';
import type { PageHandler } from '../contract.ts';
import { grouped } from '../format.ts';
import { html } from '../html.ts';
import { withQuery } from '../links.ts';
import { modelLink } from '../parts/badges.ts';
import { pager } from '../parts/forms.ts';
import { table } from '../parts/table.ts';
import { MAX_FAILURES_COUNTED } from '../snapshot.ts';

const PAGE_ROWS = 100;
/** Each page costs what lies before it; beyond this, SQL asks better questions. */
const MAX_PAGE = 100;

/** What could not be done, by stage and code, and the models of each. */
export const failuresPage: PageHandler = async ({ store, snapshot, params }) => {
  const stage = params.text('stage', 40);
  const code = params.text('code', 60);
  const page = params.count('page', 1, MAX_PAGE) ?? 1;
  if ((stage === null) !== (code === null))
    throw new HublineageError('UsageInvalid', 'stage and code go together.', {
      hint: 'Choose a line of the table on /failures.',
    });
  const rows = await store.readView('failures', {
    ...(stage === null ? {} : { where: 'stage = ? AND error_code = ?', params: [stage, code] }),
    limit: PAGE_ROWS + 1,
    offset: (page - 1) * PAGE_ROWS,
  });
  const shown = rows.slice(0, PAGE_ROWS);
  const total = snapshot.failures.reduce((sum, row) => sum + row.models, 0);
  const next =
    rows.length > PAGE_ROWS && page < MAX_PAGE
      ? withQuery('/failures', { stage, code, page: page + 1 })
      : null;
  return {
    title: 'Failures',
    place: 'failures',
    data: { groups: snapshot.failures, stage, code, page, failures: shown, nextUrl: next },
    body: html`<h1>Failures</h1><p class="lead">Steps that did not succeed. “Could not look” is never taken for “no”: such a model stays without a verdict about its parent.</p>
${
  total === 0
    ? html`<p>None.</p>`
    : html`${table(
        total >= MAX_FAILURES_COUNTED ? 'By stage and code, at least' : 'By stage and code',
        [
          { title: 'Stage', cell: (row) => row.stage },
          {
            title: 'Error',
            cell: (row) =>
              html`<a href="${withQuery('/failures', { stage: row.stage, code: row.code })}"><code>${row.code}</code></a>`,
          },
          { title: 'Models', numeric: true, cell: (row) => grouped(row.models) },
        ],
        snapshot.failures,
      )}
<section aria-labelledby="each"><h2 id="each">${stage === null ? 'Each of them' : html`<code>${code}</code> in ${stage}`}</h2>${
        shown.length === 0
          ? html`<p>None.</p>`
          : table(
              'Failed steps',
              [
                { title: 'Model', cell: (row) => modelLink(row.repo) },
                { title: 'Stage', kind: 'keep', cell: (row) => row.stage },
                { title: 'Error', kind: 'keep', cell: (row) => html`<code>${row.error_code}</code>` },
                { title: 'Attempts', numeric: true, cell: (row) => row.attempts },
                { title: 'Last message', kind: 'wide', cell: (row) => row.last_error },
                { title: 'Not before', kind: 'keep', cell: (row) => row.retry_after ?? '' },
              ],
              shown,
              { hideCaption: true },
            )
      }${pager({ first: stage === null && page === 1 ? null : '/failures', next })}</section>`
}`,
  };
};
