import Sqlite from 'better-sqlite3';
import type { ViewName } from '../types/view-rows.ts';
import { translateSqliteError } from './database.ts';
import { listColumns, openSource, toColumnType } from './export-source.ts';
import { VIEW_NAMES } from './view-definitions.ts';

/** Columns people look things up by, each list an index. */
const INDEXES: { [V in ViewName]: string[] } = {
  models: ['repo', 'owner', 'family_root', 'downloads', 'status'],
  declared_bases: ['repo', 'resolved_repo'],
  edges: ['child', 'parent', 'relation'],
  edge_evidence: ['child, parent'],
  ancestors: ['repo, depth', 'ancestor, depth'],
  families: ['repo', 'root, depth'],
  verdicts: ['repo', 'verdict'],
  failures: ['repo', 'error_code'],
  runs: ['run_id'],
  behaviour: ['repo', 'other'],
  roots: ['root', 'models'],
  counts: ['subject'],
  edge_history: ['child', 'first_seen'],
  verdict_history: ['repo', 'at'],
};

/**
 * Writes the public views as plain tables with indexes into a database of its own, for tools that should neither see our private tables
 * nor need our views: Datasette, DuckDB, a notebook.
 */
export async function writeSqlite(dbPath: string, file: string): Promise<void> {
  // Rows are handed over one by one: attaching the index would open it for writing.
  const source = openSource(dbPath);
  const db = new Sqlite(file);
  try {
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.transaction(() => {
      for (const view of VIEW_NAMES) {
        const columns = listColumns(view).map((column) => `${column} ${toColumnType(column).toUpperCase()}`);
        db.exec(`CREATE TABLE ${view} (${columns.join(', ')}) STRICT`);
        const insert = db.prepare(`INSERT INTO ${view} VALUES (${columns.map(() => '?').join(', ')})`);
        for (const row of source.rows(view)) insert.run(row);
        for (const [i, index] of INDEXES[view].entries())
          db.exec(`CREATE INDEX ${view}_${i + 1} ON ${view} (${index})`);
      }
    })();
    db.exec('ANALYZE');
  } catch (error) {
    throw translateSqliteError(error, file);
  } finally {
    db.close();
    source.close();
  }
}
