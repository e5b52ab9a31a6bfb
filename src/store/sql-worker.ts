/**
 * The process a user's SQL runs in. better-sqlite3 has neither an interrupt nor a progress callback, so the only way to stop a runaway
 * query is to kill its process; this one holds nothing but a read-only connection and an empty environment.
 */
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import type { SqlValue } from './sql-types.ts';

export interface WorkerRequest {
  path: string;
  sql: string;
  params: Record<string, SqlValue> | readonly SqlValue[];
  maxRows: number;
  maxBytes: number;
  /** the process ends itself after this long, should its parent have died */
  timeoutMs: number;
}

export type WorkerAnswer =
  | { columns: string[]; rows: SqlValue[][]; truncated: boolean }
  | { failure: { message: string; code: string | null } };

/** The main thread is inside SQLite and cannot be asked, so another thread holds the clock. */
function startWatchdog(timeoutMs: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${Math.trunc(timeoutMs)})`;
  new Worker(code, { eval: true }).unref();
}

/** Values as the other side may show them: whole numbers beyond 2^53 stay exact, bytes become SQL hex literals. */
function toSqlValue(value: unknown): SqlValue {
  if (typeof value === 'bigint')
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  return value as SqlValue;
}

function sizeOf(value: SqlValue): number {
  return typeof value === 'string' ? value.length + 3 : 12;
}

function answer(request: WorkerRequest): WorkerAnswer {
  const db = new Sqlite(request.path, { readonly: true, timeout: 5000 });
  try {
    db.pragma('query_only = ON');
    db.pragma('trusted_schema = OFF');
    // Sorting in memory instead of temporary files: memory is what the parent watches.
    db.pragma('temp_store = MEMORY');
    db.pragma('cache_size = -65536');
    const statement = db.prepare(request.sql);
    if (!statement.readonly || !statement.reader)
      return { failure: { message: 'this statement does not only read', code: null } };
    statement.raw().safeIntegers();
    const columns = statement.columns().map((column) => column.name);
    const rows: SqlValue[][] = [];
    let bytes = 0;
    const bound = Array.isArray(request.params) ? request.params : [request.params];
    for (const raw of statement.iterate(...bound)) {
      const row = (raw as unknown[]).map(toSqlValue);
      for (const value of row) bytes += sizeOf(value);
      if (rows.length >= request.maxRows || bytes > request.maxBytes)
        return { columns, rows, truncated: true };
      rows.push(row);
    }
    return { columns, rows, truncated: false };
  } finally {
    db.close();
  }
}

process.once('message', (request: WorkerRequest) => {
  startWatchdog(request.timeoutMs);
  let result: WorkerAnswer;
  try {
    result = answer(request);
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    result = { failure: { message, code: code ?? null } };
  }
  process.send?.(result, () => process.disconnect?.());
});
