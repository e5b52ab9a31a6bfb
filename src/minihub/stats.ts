import type { MinihubStats } from './options.ts';

export function emptyStats(): MinihubStats {
  return {
    routes: {},
    buckets: { api: 0, resolvers: 0, pages: 0 },
    throttled: 0,
    bytes: { hub: 0, cdn: 0 },
    downloads: {},
    faults: {},
    leakedTokens: 0,
    status: {},
  };
}
