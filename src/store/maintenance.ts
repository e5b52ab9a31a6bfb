import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HublineageError } from '../types/errors.ts';
import type { Store } from './contract.ts';
import { type Connection, translateSqliteError } from './database.ts';

type MaintenanceMethods = Pick<Store, 'backup' | 'integrityCheck' | 'close'>;

/** More problems than these are not listed: one is enough to restore a backup. */
const MAX_PROBLEMS = 100;

export function createMaintenance(connection: Connection): MaintenanceMethods {
  const { db } = connection;
  return {
    async backup(path) {
      if (resolve(path) === resolve(connection.path)) {
        throw new HublineageError('UsageInvalid', 'a backup cannot replace the index it is made from', {
          where: path,
          hint: 'name another file',
        });
      }
      try {
        mkdirSync(dirname(path), { recursive: true });
        // A backup that is cut short must not take the place of last night's.
        const partial = `${path}.partial`;
        rmSync(partial, { force: true });
        await db.backup(partial);
        renameSync(partial, path);
      } catch (error) {
        throw translateSqliteError(error, path);
      }
    },
    async integrityCheck() {
      const problems = db.pragma(`integrity_check(${MAX_PROBLEMS})`) as { integrity_check: string }[];
      const dangling = db.pragma('foreign_key_check') as {
        table: string;
        rowid: number | null;
        parent: string;
      }[];
      return [
        ...problems.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
        ...dangling
          .slice(0, MAX_PROBLEMS)
          .map((row) => `${row.table} row ${row.rowid ?? '?'} points to no row of ${row.parent}`),
      ];
    },
    async close() {
      if (!db.open) return;
      // Lets the planner know what the tables look like; a few milliseconds.
      if (!connection.readonly) db.pragma('optimize');
      db.close();
    },
  };
}
