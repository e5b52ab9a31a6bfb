import { HublineageError } from '../../types/errors.ts';
import { RELATIONS, type Relation } from '../../types/lineage.ts';
import type { PageHandler } from '../contract.ts';
import { compact, grouped, percent, plural } from '../format.ts';
import { html } from '../html.ts';
import { childrenPath, edgePath, withQuery } from '../links.ts';
import { badge, chip, modelLink } from '../parts/badges.ts';
import { pager } from '../parts/forms.ts';
import { table } from '../parts/table.ts';
import { isVirtual, labelOf, readCards } from '../read/cards.ts';
import { countChildren, listChildren } from '../read/children.ts';
import { notFoundPage } from './error.ts';

const PAGE_ROWS = 100;

/** Everything made directly from one model, where a tree shows only the best known. */
export const childrenPage: PageHandler = async ({ store, snapshot, subject, params, isStatic }) => {
  const found = await store.findRepo(subject);
  const parent = found?.repo ?? subject;
  if (found === null && !isVirtual(subject, snapshot.virtualLabels))
    return notFoundPage(subject, await store.suggestRepos(subject, 8), isStatic);
  const relation = params.choice('relation', RELATIONS);
  const counts = await countChildren(store, parent);
  const edges = await listChildren(
    store,
    parent,
    relation,
    readAfter(params.text('after', 400)),
    PAGE_ROWS + 1,
  );
  const shown = edges.slice(0, PAGE_ROWS);
  const cards = await readCards(
    store,
    snapshot.virtualLabels,
    shown.map((edge) => edge.child),
  );
  const last = shown.at(-1);
  const next =
    edges.length > PAGE_ROWS && last
      ? withQuery(childrenPath(parent), { relation, after: `${last.relation}~${last.child}` })
      : null;
  const total = counts.reduce((sum, row) => sum + row.count, 0);
  const label = labelOf(parent, snapshot.virtualLabels);
  const rows = shown.map((edge) => ({ ...edge, card: cards.get(edge.child)! }));
  const tab = (value: Relation | null, text: string) =>
    html`<li><a href="${childrenPath(parent, value)}"${value === relation ? html` aria-current="page"` : ''}>${text}</a></li>`;
  return {
    title: `Made from ${label}`,
    data: { parent, counts, relation, children: shown, nextUrl: next },
    body: html`<header class="page-head"><h1>Made from ${modelLink(parent, label)}</h1><p class="lead">${plural(total, 'direct child', 'direct children')}.</p></header>
${isStatic ? '' : html`<nav aria-label="Relations"><ul class="tabs">${tab(null, `all ${grouped(total)}`)}${counts.map((row) => tab(row.relation, `${row.relation} ${grouped(row.count)}`))}</ul></nav>`}
${
  rows.length === 0
    ? html`<p>None.</p>`
    : table(
        `Children${relation === null ? ', by relation and name' : ` by ${relation}, by name`}`,
        [
          { title: 'Model', cell: (row) => modelLink(row.child, row.card.label) },
          { title: 'Relation', kind: 'keep', cell: (row) => chip(row.relation) },
          {
            title: 'Probability',
            numeric: true,
            cell: (row) =>
              html`<a href="${edgePath(row.child, row.parent)}" aria-label="Evidence, probability ${percent(row.probability)}">${percent(row.probability)}</a>`,
          },
          {
            title: 'Verdict',
            kind: 'keep',
            cell: (row) => (row.card.verdict === null ? '' : badge(row.card.verdict)),
          },
          {
            title: 'Downloads',
            numeric: true,
            cell: (row) => (row.card.downloads === null ? '' : compact(row.card.downloads)),
          },
        ],
        rows,
      )
}
${pager({ first: params.text('after', 400) === null ? null : childrenPath(parent, relation), next })}`,
  };
};

function readAfter(text: string | null): { relation: string; child: string } | null {
  if (text === null) return null;
  const at = text.indexOf('~');
  if (at < 1 || at === text.length - 1)
    throw new HublineageError('UsageInvalid', 'after is not a place in this list.', {
      hint: 'Leave it out to begin at the top.',
    });
  return { relation: text.slice(0, at), child: text.slice(at + 1) };
}
