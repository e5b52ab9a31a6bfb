import { BUCKETS, type Bucket, type HubMeter, type HubStats } from './contract.ts';

export function createMeter(): HubMeter {
  const requestsByBucket = Object.fromEntries(BUCKETS.map((bucket) => [bucket, 0])) as Record<Bucket, number>;
  return { requestsByBucket, bytes: 0 };
}

/** A copy that later requests do not change. */
export function snapshotStats(stats: HubStats): HubStats {
  return { ...stats, requestsByBucket: { ...stats.requestsByBucket } };
}
