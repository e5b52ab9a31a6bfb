import type { RepoFilter, StoredRepo } from './contract.ts';
import type { Connection } from './database.ts';
import { fromRepoRow, REPO_COLUMNS, type RepoRow } from './repo-row.ts';

const PAGE_ROWS = 500;

function toCondition(filter: RepoFilter): { where: string; params: string[] } {
  const conditions = ['r.superseded = 0'];
  const params: string[] = [];
  const oneOf = (column: string, values: readonly string[]) => {
    conditions.push(`${column} IN (${values.map(() => '?').join(', ')})`);
    params.push(...values);
  };
  if (filter.presentOnly !== false) conditions.push('r.gone = 0');
  if (filter.families !== undefined) oneOf('r.family', filter.families);
  if (filter.statuses !== undefined) oneOf('r.status', filter.statuses);
  return { where: conditions.join(' AND '), params };
}

/** Page by page behind the last key: a cursor held open would keep every writer waiting on this connection. */
export async function* iterateRepos(connection: Connection, filter: RepoFilter): AsyncIterable<StoredRepo> {
  const { where, params } = toCondition(filter);
  const statement =
    connection.sql(`SELECT ${REPO_COLUMNS} FROM t_repos r JOIN t_repo_facts f ON f.hub_id = r.hub_id
    WHERE r.hub_id > ? AND ${where} ORDER BY r.hub_id LIMIT ${PAGE_ROWS}`);
  let after = '';
  for (;;) {
    const rows = statement.all(after, ...params) as RepoRow[];
    for (const row of rows) yield fromRepoRow(row);
    if (rows.length < PAGE_ROWS) return;
    after = rows.at(-1)!.hub_id;
  }
}

export function countRepos(connection: Connection, filter: RepoFilter): number {
  const { where, params } = toCondition(filter);
  return connection
    .sql(`SELECT count(*) FROM t_repos r WHERE ${where}`)
    .pluck()
    .get(...params) as number;
}
