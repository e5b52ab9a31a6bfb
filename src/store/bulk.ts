import type { Connection } from './database.ts';

/** From here on building indexes anew is faster than keeping them while rows come in. */
export const BULK_ROWS = 20_000;

/**
 * A write that replaces whole tables. When there are many rows, their indexes are dropped and built anew at its end, in the same
 * transaction, and foreign keys are not looked up row by row (which also lets DELETE empty a table at once): every id comes from the node
 * lookup, so they hold by construction. On a million edges this is minutes against seconds.
 */
export function writeBulk<T>(
  connection: Connection,
  tables: readonly string[],
  rows: number,
  fn: () => T,
): T {
  if (rows < BULK_ROWS) return connection.write(fn);
  // A pragma that only works outside of transactions.
  connection.db.pragma('foreign_keys = OFF');
  try {
    return connection.write(() => {
      const indexes = connection
        .sql(`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
          AND tbl_name IN (SELECT value FROM json_each(?)) ORDER BY name`)
        .all(JSON.stringify(tables)) as { name: string; sql: string }[];
      for (const { name } of indexes) connection.db.exec(`DROP INDEX ${name}`);
      const result = fn();
      for (const { sql } of indexes) connection.db.exec(sql);
      return result;
    });
  } finally {
    connection.db.pragma('foreign_keys = ON');
  }
}
