/** The index: SQLite behind async functions, its public SQL views, user SQL and exports. */

export type { ViewName, ViewRows } from '../types/view-rows.ts';
export type * from './contract.ts';
export { type ExportOptions, exportSqlite, exportViews } from './export-index.ts';
export { exportText } from './export-text.ts';
export { openStore } from './open-store.ts';
export { runQuery } from './run-query.ts';
export {
  bindParameters,
  getQuery,
  listQueries,
  type QueryParameter,
  type SavedQuery,
} from './saved-queries.ts';
export type { QueryOptions, QueryResult, SqlValue } from './sql-types.ts';
export { VIEW_NAMES, VIEWS, type ViewDefinition } from './view-definitions.ts';
export { isWeightFile, toWeightsKey } from './weights-key.ts';
