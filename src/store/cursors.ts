import type { Store } from './contract.ts';
import type { Connection } from './database.ts';

type CursorMethods = Pick<Store, 'getCursor' | 'saveCursor' | 'clearCursor'>;

/** Where a crawl stands, as JSON under a key of the caller's choice: cursors, watermarks, checkpoints. */
export function createCursors(connection: Connection): CursorMethods {
  return {
    async getCursor<T = unknown>(key: string): Promise<T | null> {
      const value = connection.sql('SELECT value FROM t_cursors WHERE key = ?').pluck().get(key) as
        | string
        | undefined;
      return value === undefined ? null : (JSON.parse(value) as T);
    },
    async saveCursor(key, value) {
      connection.write(() =>
        connection
          .sql('INSERT OR REPLACE INTO t_cursors (key, value, saved_at) VALUES (?, ?, ?)')
          .run(key, JSON.stringify(value), connection.now().toISOString()),
      );
    },
    async clearCursor(key) {
      connection.write(() => connection.sql('DELETE FROM t_cursors WHERE key = ?').run(key));
    },
  };
}
