import {
  bindParameters,
  getQuery,
  listQueries,
  type QueryResult,
  type SavedQuery,
  type SqlValue,
  VIEW_NAMES,
  VIEWS,
} from '../../store/index.ts';
import { HublineageError, isHublineageError } from '../../types/errors.ts';
import type { PageHandler } from '../contract.ts';
import { measured, plural } from '../format.ts';
import { type Html, html, lines } from '../html.ts';
import { modelPath, withQuery } from '../links.ts';
import { table } from '../parts/table.ts';
import { errorPage } from './error.ts';

const MAX_SQL_CHARS = 6_000;
/** Columns whose texts are models. */
const MODEL_COLUMNS = new Set([
  'repo',
  'child',
  'parent',
  'ancestor',
  'root',
  'declared_repo',
  'resolved_repo',
  'gated_repo',
  'family_root',
  'example',
]);

/** A reader's own question in SQL, or one of the saved ones. The query runs in a process of its own, reading only. */
export const sqlPage: PageHandler = async ({ options, params }) => {
  if (options.sql == null)
    return errorPage(
      404,
      'SQL is off here',
      html`The operator can turn it on with <code>hublineage serve --sql on</code>; with a copy of the database, <code>hublineage sql</code> asks the same questions.`,
    );
  const savedName = params.text('saved', 100);
  const given = params.prefixed('p.');
  const saved = savedName === null ? null : await getQuery(savedName);
  const typed = params.text('sql', MAX_SQL_CHARS);
  const sql = typed ?? saved?.sql ?? null;
  const outcome = await ask(options.sql, saved, typed, given);
  const queries = await listQueries();
  const body = html`<h1>SQL</h1><p class="lead">The index as SQL views: read-only, one statement, stopped when it takes too long.</p>
<form method="get" action="/sql" class="sql"><label for="sql">Query</label>
<textarea id="sql" name="sql" rows="8" spellcheck="false" maxlength="${MAX_SQL_CHARS}" required>${lines(sql ?? 'SELECT verdict, count(*) AS models\nFROM verdicts\nGROUP BY verdict\nORDER BY models DESC')}</textarea>
${saved === null ? '' : parameterFields(saved, given)}
<button type="submit">Run</button></form>
${saved === null ? '' : html`<p><b>${saved.title}.</b> ${saved.description}</p>`}
${outcome === null ? '' : outcome instanceof HublineageError ? html`<p class="notice bad" role="alert">${outcome.message}${outcome.hint === undefined ? '' : html` <span class="soft">${outcome.hint}</span>`}</p>` : results(outcome)}
<section aria-labelledby="saved"><h2 id="saved">Saved queries</h2><ul class="plain">${queries.map((query) => html`<li><a href="${withQuery('/sql', { saved: query.name })}">${query.title}</a> <span class="meta">${query.description}</span></li>`)}</ul></section>
<section aria-labelledby="views"><h2 id="views">Views and their columns</h2>${VIEW_NAMES.map(
    (name) =>
      html`<details><summary><code>${name}</code></summary><p>${VIEWS[name].description}</p><dl class="facts">${Object.entries(VIEWS[name].columns).map(([column, words]) => html`<div><dt><code>${column}</code></dt><dd>${words}</dd></div>`)}</dl></details>`,
  )}</section>`;
  const failed = outcome instanceof HublineageError;
  return {
    title: 'SQL',
    place: 'sql',
    status: failed && !needsParameter(outcome, saved, typed) ? 400 : 200,
    data: failed
      ? { sql, error: { code: outcome.code, message: outcome.message, hint: outcome.hint ?? null } }
      : {
          sql,
          saved: savedName,
          savedQueries: queries.map(({ name, title, parameters }) => ({ name, title, parameters })),
          ...(outcome === null ? {} : { result: toJson(outcome) }),
        },
    body,
  };
};

/** A saved query opened without its values is a form to fill in, not a mistake. */
const needsParameter = (error: HublineageError, saved: SavedQuery | null, typed: string | null) =>
  error.code === 'SqlRefused' && saved !== null && typed === null && error.message.includes(' needs ');

async function ask(
  run: (query: string, params: Record<string, SqlValue>) => Promise<QueryResult>,
  saved: SavedQuery | null,
  typed: string | null,
  given: Record<string, string>,
): Promise<QueryResult | HublineageError | null> {
  const values = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, toValue(text)]));
  try {
    if (typed !== null) return await run(typed, values);
    if (saved !== null) return await run(saved.sql, bindParameters(saved, values));
    return null;
  } catch (error) {
    if (isHublineageError(error, 'SqlRefused') || isHublineageError(error, 'SqlTimeout')) return error;
    throw error;
  }
}

const toValue = (text: string): SqlValue => {
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : text;
};

function parameterFields(query: SavedQuery, given: Record<string, string>): Html {
  return html`<input type="hidden" name="saved" value="${query.name}"><div class="row">${query.parameters.map(
    (parameter) =>
      html`<label>${parameter.name} <input type="text" name="p.${parameter.name}" value="${given[parameter.name] ?? String(parameter.default ?? '')}" title="${parameter.description}"${parameter.default === null ? html` required` : ''}></label>`,
  )}</div>`;
}

function results({ columns, rows, truncated }: QueryResult): Html {
  if (rows.length === 0) return html`<p>No rows.</p>`;
  const isNumeric = (i: number) => rows.every((row) => row[i] === null || typeof row[i] !== 'string');
  return table(
    `${truncated ? 'The first ' : ''}${plural(rows.length, 'row')}`,
    columns.map((title, i) => ({
      title,
      numeric: isNumeric(i),
      cell: (row: SqlValue[]) => cell(title, row[i] ?? null),
    })),
    rows,
  );
}

function cell(column: string, value: SqlValue): Html | string {
  if (value === null) return html`<span class="soft">null</span>`;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return measured(value);
  return MODEL_COLUMNS.has(column) && value !== '' ? html`<a href="${modelPath(value)}">${value}</a>` : value;
}

const toJson = ({ columns, rows, truncated }: QueryResult) => ({
  columns,
  rows: rows.map((row) => row.map((value) => (typeof value === 'bigint' ? value.toString() : value))),
  truncated,
});
