import { VERDICT_ORDER, VERDICT_WORDS } from '../../report/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { RELATIONS } from '../../types/lineage.ts';
import { VERDICTS } from '../../types/verdict.ts';
import type { PageHandler } from '../contract.ts';
import { compact, grouped, percent } from '../format.ts';
import { html, joinHtml } from '../html.ts';
import { edgePath, withQuery } from '../links.ts';
import { badge, modelLink } from '../parts/badges.ts';
import { option, pager } from '../parts/forms.ts';
import { table } from '../parts/table.ts';
import { labelOf } from '../read/cards.ts';
import { type Cursor, FLAGGED, readFlagged, SORTS, type Sort } from '../read/flagged.ts';
import { countOf } from '../snapshot.ts';

const PAGE_ROWS = 50;
const FAMILIES = ['llama', 'stable-diffusion'] as const;
const SORT_WORDS: Record<Sort, string> = {
  downloads: 'most downloaded first',
  newest: 'newest first',
  name: 'by name',
};

/** Models whose verdict calls for a look, or whatever verdicts are asked for. */
export const flaggedPage: PageHandler = async ({ store, snapshot, params, isStatic }) => {
  const asked = params.choices('verdict', VERDICTS);
  const sort = params.choice('sort', SORTS) ?? 'downloads';
  const filter = {
    verdicts: asked.length === 0 ? FLAGGED : asked,
    sort,
    family: params.choice('family', FAMILIES),
    owner: params.text('owner', 100),
    relation: params.choice('relation', RELATIONS),
    minDownloads: params.count('minDownloads', 0, 1e12),
    after: readCursor(params.text('after', 400), sort),
  };
  const page = await readFlagged(store, snapshot, filter, PAGE_ROWS);
  const query = {
    verdict: asked,
    family: filter.family,
    owner: filter.owner,
    relation: filter.relation,
    minDownloads: filter.minDownloads,
    sort: params.choice('sort', SORTS),
  };
  const next = page.next === null ? null : withQuery('/flagged', { ...query, after: writeCursor(page.next) });
  const body = html`<h1>Flagged models</h1>
<p class="lead">Models whose weights and card do not say the same. A verdict is about weights, not about anybody's intent.</p>
${
  isStatic
    ? ''
    : html`<form method="get" action="/flagged" class="filters"><fieldset><legend>Verdict</legend>${VERDICT_ORDER.map(
        (verdict) =>
          html`<label class="check"><input type="checkbox" name="verdict" value="${verdict}"${asked.includes(verdict) ? html` checked` : ''}> <span aria-hidden="true">${VERDICT_WORDS[verdict].symbol}</span> ${VERDICT_WORDS[verdict].word} <span class="soft">${grouped(countOf(snapshot, 'verdict', verdict))}</span></label>`,
      )}</fieldset>
<div class="row"><label>Family <select name="family">${option('', 'any', filter.family ?? '')}${FAMILIES.map((family) => option(family, family, filter.family))}</select></label>
<label>Owner <input type="text" name="owner" value="${filter.owner ?? ''}" maxlength="100"></label>
<label>Relation found <select name="relation">${option('', 'any', filter.relation ?? '')}${RELATIONS.map((relation) => option(relation, relation, filter.relation))}</select></label>
<label>Downloads at least <input type="number" name="minDownloads" min="0" step="1" value="${filter.minDownloads ?? ''}"></label>
<label>Order <select name="sort">${SORTS.map((value) => option(value, SORT_WORDS[value], sort))}</select></label>
<button type="submit">Show</button> <a href="/flagged">Clear</a></div></form>`
}
${
  page.rows.length === 0
    ? html`<p>${page.stoppedEarly ? 'None among the models looked through so far.' : 'No model matches.'}</p>`
    : table(
        `${asked.length === 0 ? 'Flagged models' : `Models ${asked.map((verdict) => VERDICT_WORDS[verdict].word).join(' or ')}`}, ${SORT_WORDS[sort]}`,
        [
          { title: 'Model', cell: (row) => modelLink(row.repo) },
          { title: 'Verdict', kind: 'keep', cell: (row) => badge(row.verdict) },
          {
            title: 'Declares',
            cell: (row) =>
              html`${joinHtml(
                row.declared.slice(0, 3).map((name) => html`<span class="repo">${name}</span>`),
                ', ',
              )}${row.declared.length > 3 ? ` and ${row.declared.length - 3} more` : ''}`,
          },
          {
            title: 'Weights point to',
            cell: (row) =>
              html`${joinHtml(
                row.inferred
                  .slice(0, 3)
                  .map((name) => modelLink(name, labelOf(name, snapshot.virtualLabels))),
                ', ',
              )}${row.inferred.length > 3 ? ` and ${row.inferred.length - 3} more` : ''}`,
          },
          {
            title: 'Probability',
            numeric: true,
            cell: (row) =>
              row.inferred[0] === undefined
                ? percent(row.probability)
                : html`<a href="${edgePath(row.repo, row.inferred[0])}" aria-label="Evidence, probability ${percent(row.probability)}">${row.probability === null ? 'evidence' : percent(row.probability)}</a>`,
          },
          { title: 'Downloads', numeric: true, cell: (row) => compact(row.downloads) },
        ],
        page.rows,
      )
}
${page.stoppedEarly ? html`<p class="meta">This combination is rare: many models were looked through for this page. The next one goes on from there.</p>` : ''}
${pager({ first: filter.after === null ? null : withQuery('/flagged', query), next })}`;
  return {
    title: 'Flagged models',
    place: 'flagged',
    data: { filter: { ...query, verdict: filter.verdicts, sort }, ...page, nextUrl: next },
    body,
  };
};

const writeCursor = ({ key, repo }: Cursor) => `${key}~${repo}`;

function readCursor(text: string | null, sort: Sort): Cursor | null {
  if (text === null) return null;
  const at = text.indexOf('~');
  const key = text.slice(0, at);
  const repo = text.slice(at + 1);
  const isRight = at >= 0 && repo !== '' && (sort !== 'downloads' || /^\d{1,15}$/.test(key));
  if (!isRight)
    throw new HublineageError('UsageInvalid', 'after is not a place in this list.', {
      hint: 'Leave it out to begin at the top.',
    });
  return { key: sort === 'downloads' ? Number(key) : key, repo };
}
