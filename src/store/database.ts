import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { HublineageError } from '../types/errors.ts';

/** One connection with its prepared statements; what every file of this room works on. */
export interface Connection {
  readonly db: Database;
  readonly path: string;
  readonly readonly: boolean;
  readonly now: () => Date;
  /** the statement, compiled once */
  sql(text: string): Statement;
  /** Runs fn in one write transaction: all of it or nothing, also after kill -9. */
  write<T>(fn: () => T): T;
}

export interface ConnectOptions {
  readonly: boolean;
  busyTimeoutMs: number;
}

/** SQLite's errors as ours; anything else unchanged. */
export function translateSqliteError(error: unknown, path: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return error;
  const told = (message: string, hint: string) =>
    new HublineageError('DatabaseInvalid', message, { where: path, hint, cause: error });
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return told(
      'another process is writing to the index',
      'wait until it is done, then run the command again',
    );
  if (code.startsWith('SQLITE_NOTADB'))
    return told('this file is not a SQLite database', 'name another file with --db');
  if (code.startsWith('SQLITE_CORRUPT'))
    return told('the index is damaged', 'restore the last backup; `hublineage doctor` tells what is damaged');
  if (code.startsWith('SQLITE_FULL'))
    return told('the disk is full', 'free some space, then run the command again');
  if (code.startsWith('SQLITE_READONLY'))
    return told('the index cannot be written to', 'check the permissions of the file and its folder');
  if (code.startsWith('SQLITE_CANTOPEN'))
    return told(
      'the index cannot be opened',
      'check the path and the permissions of the file and its folder',
    );
  if (code.startsWith('SQLITE_IOERR'))
    return told('the index cannot be read or written', 'check the disk, and that the path names a file');
  return error;
}

/** Opens the file: WAL, synchronous NORMAL (a power cut may lose the last commits, never consistency), foreign keys on. */
export function connect(path: string, options: ConnectOptions): Database {
  if (options.readonly && !existsSync(path)) {
    throw new HublineageError('DatabaseInvalid', 'there is no index yet', {
      where: path,
      hint: 'run `hublineage refresh` first, or name another file with --db',
    });
  }
  try {
    if (!options.readonly && path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    const db = new Sqlite(path, { readonly: options.readonly, timeout: options.busyTimeoutMs });
    if (options.readonly) {
      db.pragma('query_only = ON');
    } else {
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = NORMAL');
    }
    db.pragma('foreign_keys = ON');
    db.pragma('cache_size = -65536');
    return db;
  } catch (error) {
    throw translateSqliteError(error, path);
  }
}

export function createConnection(db: Database, path: string, readonly: boolean, now: () => Date): Connection {
  const statements = new Map<string, Statement>();
  return {
    db,
    path,
    readonly,
    now,
    sql(text) {
      let statement = statements.get(text);
      if (statement === undefined) {
        statement = db.prepare(text);
        statements.set(text, statement);
      }
      return statement;
    },
    write(fn) {
      if (readonly) {
        throw new HublineageError('DatabaseInvalid', 'the index is open for reading only', { where: path });
      }
      try {
        return db.transaction(fn).immediate();
      } catch (error) {
        throw translateSqliteError(error, path);
      }
    },
  };
}
