import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Database } from 'better-sqlite3';
import { HublineageError } from '../types/errors.ts';
import type { ViewName } from '../types/view-rows.ts';
import { connect } from './database.ts';
import { checkCurrent, listMigrations } from './migrate.ts';
import type { SqlValue } from './sql-types.ts';
import { VIEWS } from './view-definitions.ts';

export type ColumnType = 'text' | 'integer' | 'real';

const INTEGERS = new Set(
  `params downloads likes rank depth attempts models max_depth run_id first_run last_run repos_seen repos_new repos_changed repos_gone
  fingerprinted shared failed edges verdicts requests_api requests_resolvers requests_pages requests_cdn bytes
  shared_prompts completions other_completions`.split(/\s+/),
);
const REALS = new Set(['probability', 'weight', 'value', 'log_odds', 'similarity', 'distance']);

/** What a column of a view holds; names mean the same thing in every view. */
export function toColumnType(column: string): ColumnType {
  if (INTEGERS.has(column)) return 'integer';
  return REALS.has(column) ? 'real' : 'text';
}

export function listColumns(view: ViewName): string[] {
  return Object.keys(VIEWS[view].columns);
}

/** Columns that put the rows of a view in an order of their own: the same index gives the same file, whatever plan SQLite chooses. */
export const EXPORT_ORDER: { [V in ViewName]: string } = {
  models: 'repo',
  declared_bases: 'repo, declared, source, relation',
  edges: 'child, rank, parent',
  edge_evidence: 'child, parent, probe, detail',
  ancestors: 'repo, depth, ancestor',
  families: 'root, depth, repo',
  verdicts: 'repo',
  failures: 'repo, stage',
  runs: 'run_id',
  behaviour: 'repo, other',
  roots: 'root',
  counts: 'subject, label',
  edge_history: 'child, parent, first_run',
  verdict_history: 'repo, run_id',
};

export interface ExportSource {
  /** rows of a view as arrays in the order of its columns, sorted by EXPORT_ORDER */
  rows(view: ViewName): IterableIterator<SqlValue[]>;
  close(): void;
}

/** Opens the index for reading in one transaction: every view is told of the same moment, whatever is written meanwhile. */
export function openSource(dbPath: string): ExportSource {
  const db: Database = connect(dbPath, { readonly: true, busyTimeoutMs: 10_000 });
  try {
    checkCurrent(db, dbPath, listMigrations());
    db.exec('BEGIN');
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    rows: (view) =>
      db.prepare(`SELECT * FROM ${view} ORDER BY ${EXPORT_ORDER[view]}`).raw().iterate() as IterableIterator<
        SqlValue[]
      >,
    close: () => db.close(),
  };
}

/** Writes a file beside its name and renames it when it is whole; throws UsageInvalid where one stands already. */
export async function writeWhole(
  target: string,
  options: { overwrite?: boolean | undefined; never?: string },
  write: (partial: string) => Promise<void>,
): Promise<void> {
  if (options.never !== undefined && resolve(target) === resolve(options.never)) {
    throw new HublineageError('UsageInvalid', 'an export cannot replace the index it is made from', {
      where: target,
      hint: 'name another file',
    });
  }
  if (existsSync(target) && options.overwrite !== true) {
    throw new HublineageError('UsageInvalid', 'there is a file of this name already', {
      where: target,
      hint: 'name another file, or ask for it to be overwritten',
    });
  }
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  try {
    await write(partial);
    renameSync(partial, target);
  } finally {
    rmSync(partial, { force: true });
  }
}
