/**
 * The library: what the command line is made of, for programs. Functions with I/O are async, take their configuration as a value, and
 * never print, exit or read the environment (`loadConfig` alone does the last). Bad input raises `HublineageError`.
 */
export { adapterFits, auditAll, auditModel } from './audit/index.ts';
export { extractClaims, normalizeRepoName, parseFrontMatter, resolveClaims } from './claims/index.ts';
export { configJsonSchema, DEFAULT_FILTERS, type LoadedConfig, loadConfig } from './config/index.ts';
export {
  DEFAULT_SAMPLING,
  decodeFingerprint,
  encodeFingerprint,
  fingerprintModel,
  meterFiles,
  SCHEME_VERSION,
} from './fingerprint/index.ts';
export { createHubClient, createSystemClock, type HubClient, type HubEvent } from './hub/index.ts';
export {
  explainPair,
  inferLineage,
  LINEAGE_METHODS,
  type LineageOptions,
  placeModel,
  relatedness,
} from './lineage/index.ts';
export { type Minihub, type MinihubOptions, startMinihub } from './minihub/index.ts';
export { type BehaviourDocument, compareByBehaviour, readCompletions } from './phylolm/index.ts';
export {
  auditFolder,
  compareModels,
  explainEdge,
  identify,
  type RunEvent,
  type RunOptions,
  type RunOutcome,
  readReport,
  readReportRows,
  runStages,
  STAGES,
  type Stage,
  withSubjects,
  writeReports,
} from './refresh/index.ts';
export {
  buildFamilyReport,
  buildModelReport,
  buildReport,
  type ReportDocument,
  renderCsv,
  renderCycloneDx,
  renderDot,
  renderGraphml,
  renderHtml,
  renderJson,
  renderMarkdown,
  renderMermaid,
  renderMetrics,
  renderSarif,
  renderTree,
  suggestCardPatch,
} from './report/index.ts';
export {
  exportSqlite,
  exportViews,
  openStore,
  runQuery,
  type Store,
  VIEW_NAMES,
  VIEWS,
} from './store/index.ts';
export type * from './types/claims.ts';
export type { Config } from './types/config.ts';
export { ERROR_CODES, type ErrorCode, HublineageError, isHublineageError } from './types/errors.ts';
export type * from './types/fingerprint.ts';
export type * from './types/hub.ts';
export type * from './types/lineage.ts';
export type * from './types/verdict.ts';
export { VERSION } from './types/version.ts';
export type * from './types/weights.ts';
export { createExplorer, exportSite, startExplorer } from './web/index.ts';
export { openModel, ROUND_TRIP } from './weights/index.ts';
