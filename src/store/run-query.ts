import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HublineageError } from '../types/errors.ts';
import { translateSqliteError } from './database.ts';
import { parseQuery } from './saved-queries.ts';
import { checkSql, toSqlRefusal } from './sql-guard.ts';
import type { QueryOptions, QueryResult } from './sql-types.ts';
import type { WorkerAnswer, WorkerRequest } from './sql-worker.ts';

const DEFAULTS = { timeoutMs: 10_000, maxRows: 10_000, maxBytes: 32 * 1024 * 1024 };
/** Resident bytes at which the query's process is ended; node itself needs about 60 MB. */
const MAX_MEMORY_BYTES = 768 * 1024 * 1024;
const MEMORY_POLL_MS = 50;

/** Compiled beside this file when this file is compiled, TypeScript when it is not. */
const WORKER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './sql-worker.ts' : './sql-worker.js', import.meta.url),
);

/** Resident memory of a process, bytes; null where the system does not tell by file. */
function readMemoryBytes(pid: number): number | null {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return resident === undefined ? null : Number(resident) * 1024;
  } catch {
    return null;
  }
}

/** Named values, completed with the defaults that a saved query's `-- @param name=default` lines give. */
function withDefaults(sql: string, params: QueryOptions['params'] = {}): QueryOptions['params'] & {} {
  if (Array.isArray(params)) return params;
  const defaults = parseQuery('', sql).parameters.filter((parameter) => parameter.default !== null);
  return { ...Object.fromEntries(defaults.map(({ name, default: value }) => [name, value])), ...params };
}

function toError(
  answer: Extract<WorkerAnswer, { failure: unknown }>,
  sql: string,
  path: string,
): HublineageError {
  const { message, code } = answer.failure;
  if (code !== null && /^SQLITE_(BUSY|CANTOPEN|NOTADB|CORRUPT|READONLY)/.test(code)) {
    const told = translateSqliteError(Object.assign(new Error(message), { code }), path);
    if (told instanceof HublineageError) return told;
  }
  return toSqlRefusal(message, sql);
}

/** Resolves with the child's answer; whatever else happens ends the child and rejects. */
function waitFor(
  child: ChildProcess,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      clearInterval(watch);
      signal?.removeEventListener('abort', abort);
      child.removeAllListeners();
      // Errors of a process that is being ended are of no interest.
      child.on('error', () => {});
      child.kill('SIGKILL');
      settle();
    };
    const fail = (error: HublineageError) => finish(() => reject(error));
    const abort = () => fail(new HublineageError('Interrupted', 'the query was interrupted'));
    const timer = setTimeout(
      () =>
        fail(
          new HublineageError(
            'SqlTimeout',
            `the query took longer than ${timeoutMs / 1000} s and was stopped`,
            {
              hint: 'narrow it with WHERE on repo, child, parent or ancestor, which are indexed, or allow it more time',
            },
          ),
        ),
      timeoutMs,
    );
    const watch = setInterval(() => {
      const used = child.pid === undefined ? null : readMemoryBytes(child.pid);
      if (used !== null && used > MAX_MEMORY_BYTES) {
        fail(
          new HublineageError(
            'SqlRefused',
            `the query used more than ${MAX_MEMORY_BYTES / 2 ** 20} MB and was stopped`,
            {
              hint: 'sort or group fewer rows, or ask for fewer columns',
            },
          ),
        );
      }
    }, MEMORY_POLL_MS);
    signal?.addEventListener('abort', abort, { once: true });
    child.once('message', (answer: WorkerAnswer) => finish(() => resolve(answer)));
    child.once('error', (error) =>
      fail(
        new HublineageError('Unexpected', `the query's process could not be started: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    child.once('exit', (code, killedBy) =>
      fail(
        new HublineageError('SqlRefused', `the query's process ended early (${killedBy ?? code})`, {
          hint: 'it probably ran out of memory: sort or group fewer rows',
        }),
      ),
    );
  });
}

/**
 * Runs one reading statement of a user against the index (`-- @param name=default` lines at its top give defaults), in a process of its own that is killed when it takes too long, uses too much
 * memory or is no longer wanted. Throws SqlRefused, SqlTimeout, Interrupted or DatabaseInvalid, each with what to do.
 */
export async function runQuery(
  dbPath: string,
  sql: string,
  options: QueryOptions = {},
): Promise<QueryResult> {
  checkSql(sql);
  if (!existsSync(dbPath)) {
    throw new HublineageError('DatabaseInvalid', 'there is no index yet', {
      where: dbPath,
      hint: 'run `hublineage refresh` first, or name another file with --db',
    });
  }
  if (options.signal?.aborted) throw new HublineageError('Interrupted', 'the query was interrupted');
  const timeoutMs = options.timeoutMs ?? DEFAULTS.timeoutMs;
  const child = fork(WORKER, [], {
    // Not the parent's flags and not its environment: a token has no business here.
    execArgv: ['--max-old-space-size=384', '--disable-warning=ExperimentalWarning'],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  const answered = waitFor(child, timeoutMs, options.signal);
  const request: WorkerRequest = {
    path: dbPath,
    sql,
    params: withDefaults(sql, options.params),
    maxRows: options.maxRows ?? DEFAULTS.maxRows,
    maxBytes: options.maxBytes ?? DEFAULTS.maxBytes,
    timeoutMs: timeoutMs + 1000,
  };
  child.send(request, () => {});
  const answer = await answered;
  if ('failure' in answer) throw toError(answer, sql, dbPath);
  return answer;
}
