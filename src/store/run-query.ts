import type { QueryOptions, QueryResult } from './sql-types.ts';
export async function runQuery(
  _dbPath: string,
  _sql: string,
  _options: QueryOptions = {},
): Promise<QueryResult> {
  throw new Error('being built');
}
