/** The index: SQLite behind async functions, its public SQL views, user SQL and exports. */
export type * from './contract.ts';
export { openStore } from './open-store.ts';
export { runQuery } from './run-query.ts';
export type { QueryOptions, QueryResult, SqlValue } from './sql-types.ts';
export type { ViewName, ViewRows } from './view-rows.ts';
export { isWeightFile, toWeightsKey } from './weights-key.ts';
