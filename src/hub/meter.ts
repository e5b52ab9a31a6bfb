import { BUCKETS, type Bucket, type HubMeter } from './contract.ts';

export function createMeter(): HubMeter {
  const requestsByBucket = Object.fromEntries(BUCKETS.map((bucket) => [bucket, 0])) as Record<Bucket, number>;
  return { requestsByBucket, bytes: 0 };
}
