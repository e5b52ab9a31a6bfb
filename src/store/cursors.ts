import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import type { Store } from './contract.ts';
import type { Connection } from './database.ts';
import { cursors } from './schema.ts';

type CursorMethods = Pick<Store, 'getCursor' | 'saveCursor' | 'clearCursor'>;

/** To be called inside a write, beside the rows the cursor stands behind. */
export function writeCursor(connection: Connection, key: string, value: unknown): void {
  const row = { value: JSON.stringify(value), savedAt: connection.now().toISOString() };
  drizzle(connection.db)
    .insert(cursors)
    .values({ key, ...row })
    .onConflictDoUpdate({ target: cursors.key, set: row })
    .run();
}

/** Where a crawl stands, as JSON under a key of the caller's choice: cursors, watermarks, checkpoints. */
export function createCursors(connection: Connection): CursorMethods {
  const orm = drizzle(connection.db);
  return {
    async getCursor<T = unknown>(key: string): Promise<T | null> {
      const row = orm.select().from(cursors).where(eq(cursors.key, key)).get();
      return row === undefined ? null : (JSON.parse(row.value) as T);
    },
    async saveCursor(key, value) {
      connection.write(() => writeCursor(connection, key, value));
    },
    async clearCursor(key) {
      connection.write(() => orm.delete(cursors).where(eq(cursors.key, key)).run());
    },
  };
}
