/** The explorer: the index as pages, each also JSON; served over HTTP or written as files. */
export type { Explorer, ExplorerOptions, ExplorerRequest, ExplorerResponse } from './contract.ts';
export { createExplorer } from './create-explorer.ts';
export { exportSite, type SiteOptions, type SiteSummary } from './export-site.ts';
export { isLoopback, type RunningExplorer, type StartOptions, startExplorer } from './start-explorer.ts';
