import type { RepoRecord, RepoSeed } from './repos/record.ts';
import type { VirtualSpec } from './virtual/model.ts';

/** Requests a window, by bucket (hub-docs, rate limits of September 2025). */
export interface QuotaLimits {
  api: number;
  resolvers: number;
  pages: number;
  /** length of the fixed window; 300 on the Hub */
  windowSeconds: number;
}

export type QuotaTier =
  | 'anonymous'
  | 'free'
  | 'pro'
  | 'team'
  | 'enterprise'
  | 'enterprise-plus'
  | 'academia'
  | 'unlimited';

export interface Clock {
  /** ms since epoch */
  now(): number;
}

/** Who a bearer token is. */
export interface TokenRights {
  /** gated or private repos it may read; `*` = all */
  grants: readonly string[] | '*';
  /** quota of its holder; the server's own when absent */
  quotas?: QuotaLimits | QuotaTier;
}

/** Everything that can go wrong on request; each name is one class, the checklist in docs/reference/minihub.md explains them. */
export const FAULT_CLASSES = [
  'reset-mid-body',
  'stalled-body',
  'slow-drip',
  'truncated-body',
  'body-too-long',
  'range-ignored',
  'range-wrong',
  'range-total-wrong',
  'range-off-by-one',
  'flipped-byte',
  'http-500',
  'http-502',
  'http-503',
  'http-504',
  'html-200',
  'empty-200',
  'invalid-json',
  'cut-json',
  'huge-error',
  'link-loop',
  'link-foreign',
  'link-malformed',
  'short-page',
  'repeated-row',
  'missing-row',
  'empty-page',
  'redirect-foreign',
  'redirect-loop',
  'redirect-bare-relative',
  'redirect-without-location',
  'redirect-308',
  'signature-expires',
  'clock-skew',
  'forbidden-parallel',
  'repo-deleted',
  'repo-gated',
  'repo-renamed',
  'main-moves',
  'throttle-with-retry-after',
  'throttle-without-headers',
  'throttle-html',
  'ratelimit-absent',
  'ratelimit-malformed',
  'ratelimit-t-too-large',
  'quota-lowered',
  'cdn-dns',
  'cdn-tls',
] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

export interface FaultRule {
  /** share of requests hit, 0 to 1 */
  rate: number;
  /** hits one URL can take, so that retries come through; Infinity = for ever. Default 1 */
  maxPerUrl?: number;
  /** only these repos (case as on the Hub); default all */
  repos?: readonly string[];
}

/** A bad night: the same seed and the same requests give the same faults, whatever the order requests of different URLs arrive in. */
export interface FaultSpec {
  seed: number;
  classes: Partial<Record<FaultClass, number | FaultRule>>;
  /** how long a stalled body says nothing before the connection ends; 60,000 on a bad real night */
  stallMs?: number;
}

export interface LogEntry {
  method: string;
  /** path and query as asked, without the signature */
  url: string;
  status: number;
  origin: 'hub' | 'cdn';
  /** bytes of body sent */
  bytes: number;
  bucket: 'api' | 'resolvers' | 'pages' | null;
  /** faults injected into this answer */
  faults: readonly FaultClass[];
  range: string | null;
}

export interface MinihubOptions {
  /** folder served as a Hub: `repos.json` at its root, or just owner/name/ folders */
  dir?: string;
  /** models that exist as formulas; served besides those of `dir` */
  virtual?: VirtualSpec;
  /** any other repos, in memory or generated */
  repos?: Iterable<RepoSeed>;
  /** port of the Hub's origin; 0 = any */
  port?: number;
  /** port of the CDN's origin; 0 = any */
  cdnPort?: number;
  /** address both origins listen on; loopback unless somebody asks for more */
  host?: string;
  /** origin printed in Link and Location where a proxy stands in front, e.g. `https://hub.example.org` */
  publicUrl?: string;
  publicCdnUrl?: string;
  quotas?: QuotaLimits | QuotaTier;
  clock?: Clock;
  /** lifetime of a signed CDN URL; 3,600 on the Hub */
  signatureTtlSeconds?: number;
  /** tokens and what they may read; any other bearer token is refused */
  tokens?: Record<string, TokenRights>;
  faults?: FaultSpec;
  /** delay before every answer */
  latencyMs?: number;
  /** bandwidth of every answer's body */
  bytesPerSecond?: number;
  /** refuse what a careful client never does: Authorization on the CDN's origin */
  strict?: boolean;
  /** count `/api/resolve-cache` against `resolvers` like the Hub's docs say (default), or not at all */
  countResolveCache?: boolean;
  /** send `X-Cache: Hit from cloudfront` from the CDN, as older captures show; it changes what @huggingface/hub does */
  cdnCloudfrontHeaders?: boolean;
  /** answer to several ranges in one request: whole file (default) or 416 */
  multiRange?: 'whole' | 'refuse';
  /** renamed repos: old id -> today's id */
  renames?: Record<string, string>;
  /** resolve of a renamed repo: served in place (default) or redirected */
  renamedResolve?: 'serve' | 'redirect';
  /** order of tree entries: as on the Hub (directories first), or shuffled by a seed */
  treeOrder?: 'directories-first' | { seed: number };
  log?: (entry: LogEntry) => void;
}

export interface MinihubStats {
  /** requests by kind of URL: `list`, `info`, `tree`, `resolve`, `cdn`, ... */
  routes: Record<string, number>;
  buckets: { api: number; resolvers: number; pages: number };
  /** 429 answers because a quota was used up */
  throttled: number;
  /** bytes of body sent, by origin */
  bytes: { hub: number; cdn: number };
  /** GET and HEAD of query files, which the Hub counts as downloads, by repo */
  downloads: Record<string, number>;
  /** faults injected, by class */
  faults: Partial<Record<FaultClass, number>>;
  /** requests to the CDN's origin that carried an Authorization header */
  leakedTokens: number;
  status: Record<string, number>;
}

/** A running Hub on loopback. */
export interface Minihub {
  /** the Hub's origin, no trailing slash */
  readonly url: string;
  readonly cdnUrl: string;
  stats(): MinihubStats;
  resetStats(): void;
  /** starts, changes or (null) ends a bad night; counters of earlier hits are forgotten */
  setFaults(faults: FaultSpec | null): void;
  setQuotas(quotas: QuotaLimits | QuotaTier): void;
  /** moves the server's clock, windows and signatures with it */
  advance(ms: number): void;
  repos(): readonly RepoRecord[];
  repo(id: string): RepoRecord | undefined;
  /** changes a repo in place; derived tags and baseModels follow */
  update(id: string, change: (repo: RepoRecord) => void): void;
  setRepo(seed: RepoSeed): RepoRecord;
  removeRepo(id: string): void;
  /** the old id answers with a redirect from now on, `_id` stays */
  renameRepo(from: string, to: string): void;
  /** one more commit that changes README.md only; new sha, same weights */
  touchReadme(id: string, text?: string): Promise<void>;
  close(): Promise<void>;
}
