import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { HublineageError } from '../types/errors.ts';

export interface LockHolder {
  pid: number;
  host: string;
  command: string;
  /** ISO 8601 */
  since: string;
}

export interface RunLock {
  release(): void;
}

function describeHolder(path: string): string {
  try {
    const holder = JSON.parse(readFileSync(`${path}.holder`, 'utf8')) as LockHolder;
    return `process ${holder.pid} on ${holder.host} (${holder.command}, since ${holder.since})`;
  } catch {
    return 'another process';
  }
}

/**
 * One writing run a database. The lock is SQLite's own exclusive lock on a file beside the database: the operating system takes it away
 * from a process that was killed, so there are no stale locks to clean up, which a pid file cannot promise.
 * @throws HublineageError LockHeld, naming who holds it
 */
export function acquireLock(databaseFile: string, command: string, now: () => Date): RunLock {
  const path = `${databaseFile}.lock`;
  let lock: Database.Database;
  try {
    mkdirSync(dirname(path), { recursive: true });
    lock = new Database(path, { timeout: 0 });
  } catch (error) {
    throw new HublineageError('DatabaseInvalid', 'The lock file beside the database cannot be opened.', {
      where: path,
      hint: 'The folder of the database must be writable.',
      cause: error,
    });
  }
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY'))
      throw new HublineageError(
        'LockHeld',
        `Another run is writing to this database: ${describeHolder(path)}.`,
        {
          where: databaseFile,
          hint: 'Wait for it to end and run again; reading (show, tree, sql, report) works meanwhile.',
        },
      );
    throw new HublineageError('DatabaseInvalid', 'The lock file beside the database cannot be locked.', {
      where: path,
      cause: error,
    });
  }
  const holder: LockHolder = { pid: process.pid, host: hostname(), command, since: now().toISOString() };
  writeFileSync(`${path}.holder.tmp`, JSON.stringify(holder));
  renameSync(`${path}.holder.tmp`, `${path}.holder`);
  return {
    release() {
      rmSync(`${path}.holder`, { force: true });
      if (lock.inTransaction) lock.exec('ROLLBACK');
      lock.close();
      // the file itself stays: deleting it would let two processes lock two files of one name
    },
  };
}
