import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import type { ViewName, ViewRows } from '../types/view-rows.ts';
import type { Store } from './contract.ts';
import type { Connection } from './database.ts';
import { VIEWS } from './view-definitions.ts';

type ViewMethods = Pick<Store, 'readView' | 'countView'>;

/** The stored views' mark among the migrations: row 0 holds the hash of their definitions. */
const VIEWS_NUMBER = 0;

function toViewSql(name: string): string {
  const view = VIEWS[name as ViewName];
  const columns = Object.keys(view.columns).join(', ');
  return `CREATE VIEW ${name} (${columns}) AS\n${view.sql}`;
}

/** Takes the public views away, and their mark. */
export function dropViews(db: Database): void {
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'view'").pluck().all() as string[];
  for (const name of names) db.exec(`DROP VIEW "${name}"`);
  db.prepare('DELETE FROM t_migrations WHERE number = ?').run(VIEWS_NUMBER);
}

const VIEW_SQL = Object.keys(VIEWS).map(toViewSql);
const VIEWS_HASH = createHash('sha256').update(VIEW_SQL.join(';\n')).digest('hex');

/** Whether the views in the file are those of this release. */
export function hasCurrentViews(db: Database): boolean {
  return (
    db.prepare('SELECT sha256 FROM t_migrations WHERE number = ?').pluck().get(VIEWS_NUMBER) === VIEWS_HASH
  );
}

/** Makes the public views anew when their definitions are not those in the file; rows are never touched. */
export function ensureViews(db: Database, now: () => Date): void {
  if (hasCurrentViews(db)) return;
  db.transaction(() => {
    // Asked again under the write lock: another process may have come first.
    if (hasCurrentViews(db)) return;
    dropViews(db);
    for (const statement of VIEW_SQL) db.exec(statement);
    db.prepare('INSERT INTO t_migrations (number, name, sha256, applied_at) VALUES (?, ?, ?, ?)').run(
      VIEWS_NUMBER,
      'views',
      VIEWS_HASH,
      now().toISOString(),
    );
  }).immediate();
}

export function createViewReader(connection: Connection): ViewMethods {
  const bind = (params: readonly unknown[] | Record<string, unknown> | undefined) =>
    params === undefined ? [] : Array.isArray(params) ? params : [params];
  return {
    async readView<V extends ViewName>(view: V, query: Parameters<Store['readView']>[1] = {}) {
      const clauses = [
        `SELECT * FROM ${view}`,
        query.where === undefined ? '' : `WHERE ${query.where}`,
        query.order === undefined ? '' : `ORDER BY ${query.order}`,
        query.limit === undefined ? '' : `LIMIT ${Math.trunc(query.limit)}`,
        query.limit === undefined || query.offset === undefined ? '' : `OFFSET ${Math.trunc(query.offset)}`,
      ];
      return connection.sql(clauses.join(' ')).all(...bind(query.params)) as ViewRows[V][];
    },
    async countView(view, query = {}) {
      const where = query.where === undefined ? '' : `WHERE ${query.where}`;
      return connection
        .sql(`SELECT count(*) FROM ${view} ${where}`)
        .pluck()
        .get(...bind(query.params)) as number;
    },
  };
}
