import type { Page } from '../contract.ts';
import { type HtmlValue, html } from '../html.ts';
import { searchForm } from '../layout.ts';
import { modelLink } from '../parts/badges.ts';

/** A page that says what is wrong and what to do next. */
export function errorPage(
  status: number,
  title: string,
  hint: HtmlValue,
  extra: Record<string, unknown> = {},
): Page {
  return {
    status,
    title,
    data: { error: { status, message: title, ...extra } },
    body: html`<h1>${title}</h1><p>${hint}</p>`,
  };
}

export function notFoundPage(what: string, nearest: readonly string[], isStatic = false): Page {
  const title = 'There is no such page';
  const names =
    nearest.length === 0
      ? html`<p>No model has a name like it.</p>`
      : html`<p>Models with names like it:</p><ul>${nearest.map((repo) => html`<li>${modelLink(repo)}</li>`)}</ul>`;
  return {
    status: 404,
    title,
    data: { error: { status: 404, message: title, asked: what, nearest } },
    body: html`<h1>${title}</h1><p>Nothing in this index is at <code>${what}</code>.</p>${names}${isStatic ? '' : searchForm('', 'again', true)}`,
  };
}
