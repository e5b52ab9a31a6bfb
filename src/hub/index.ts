export { createHubClient } from './client.ts';
export type { HubClock } from './clock.ts';
export { createSystemClock } from './clock.ts';
export type {
  Bucket,
  CallOptions,
  ChangedPage,
  HubBudget,
  HubClient,
  HubClientOptions,
  HubEvent,
  HubMeter,
  HubStats,
  ListPage,
  ListQuery,
  ModelInfo,
  SkippedRow,
} from './contract.ts';
export { BUCKETS } from './contract.ts';
export { createMeter } from './meter.ts';
