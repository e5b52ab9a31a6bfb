import type { Dispatcher } from 'undici';
import type { HubFile, HubRepo, RepoFiles } from '../types/hub.ts';
import type { HubClock } from './clock.ts';

/** Rate-limit buckets of the Hub, and the CDN, which is not metered but counted. */
export const BUCKETS = ['api', 'resolvers', 'pages', 'cdn'] as const;
export type Bucket = (typeof BUCKETS)[number];

/** Limits of one whole run; null = none. Reaching one raises QuotaReached, LimitReached or DeadlineReached. */
export interface HubBudget {
  /** HTTP requests of every bucket together, retries included */
  maxRequests: number | null;
  /** body bytes received */
  maxBytes: number | null;
  /** on the client's clock, ms */
  deadlineAt: number | null;
}

export interface HubClientOptions {
  /** origin of the Hub, `https://huggingface.co`; a path prefix of a mirror is kept */
  endpoint: string;
  token?: string | null | undefined;
  /** `tool/version (contact)` */
  userAgent: string;
  /** share of each bucket's quota we allow ourselves, 0 < share <= 1 */
  quotaShare?: number | undefined;
  /** parallel requests to the Hub's origin */
  concurrency?: number | undefined;
  /** parallel range reads on signed URLs */
  cdnConcurrency?: number | undefined;
  /** silence on a connection after which an answer is given up (before the headers, and between body chunks) */
  timeoutMs?: number | undefined;
  /** tries of one request before it fails; the codes of src/types/errors.ts may allow fewer */
  retries?: number | undefined;
  /** hosts a redirect may lead to besides the endpoint's own; `*.hf.co` matches every subdomain */
  redirectHosts?: readonly string[] | undefined;
  clock?: HubClock | undefined;
  /** uniform in [0, 1): jitter */
  random?: (() => number) | undefined;
  onEvent?: ((event: HubEvent) => void) | undefined;
  /** tests and proxies: replaces the client's own connection pools */
  dispatcher?: Dispatcher | undefined;
  /** ends every wait, queue and request of this client with Interrupted */
  signal?: AbortSignal | undefined;
  budget?: HubBudget | undefined;
}

/** What happens on the wire, for progress and logs. `where` is a path, never a signed URL. */
export type HubEvent =
  | {
      type: 'wait';
      bucket: Bucket;
      reason: 'quota' | 'throttled';
      waitMs: number;
      /** `waiting 41 s for the Hub's api quota` */
      message: string;
    }
  | { type: 'throttled'; bucket: Bucket; waitMs: number; where: string }
  | { type: 'retry'; bucket: Bucket; code: string; attempt: number; waitMs: number; where: string }
  | { type: 'renamed'; from: string; to: string }
  | { type: 'page_size'; limit: number; where: string }
  | { type: 'remark'; where: string; message: string };

/** Counts what one piece of work caused. The client only ever adds to it. */
export interface HubMeter {
  requestsByBucket: Record<Bucket, number>;
  /** body bytes received, as they came over the wire */
  bytes: number;
}

export interface HubStats extends HubMeter {
  /** time spent waiting for quota or after a 429 */
  waitsMs: number;
  /** 429 answers */
  throttled: number;
  retries: number;
}

export interface ListQuery {
  /** tags, ANDed */
  filter?: string | readonly string[] | undefined;
  author?: string | undefined;
  sort: 'createdAt' | 'lastModified';
  direction: 1 | -1;
  /** rows a page, 1 to 1000 */
  limit: number;
  /** `nextUrl` of an earlier page: the walk goes on behind it */
  cursorUrl?: string | null | undefined;
}

export interface SkippedRow {
  /** id of the row where it has one */
  repo: string | null;
  why: string;
}

export interface ListPage {
  repos: HubRepo[];
  /** what to persist to go on behind this page; null on the last one */
  nextUrl: string | null;
  skipped: SkippedRow[];
}

export interface CallOptions {
  meter?: HubMeter | undefined;
}

export interface ModelInfo {
  /** `repo` is the canonical id, also where a renamed one was asked for */
  repo: HubRepo;
  files: HubFile[];
  /** true when the Hub cut the file list: listTree has the rest */
  filesTruncated: boolean;
}

export interface ChangedPage {
  /** changed since the watermark (minus overlap), newest first */
  repos: HubRepo[];
  skipped: SkippedRow[];
  /** what to persist to go on behind this page; null on the last one */
  nextUrl: string | null;
  /** true on the item that reached the watermark, or the end of the list */
  complete: boolean;
}

export interface HubClient {
  /** One item a page. Errors: HubUnreachable, HubBadAnswer (loop, foreign cursor, broken JSON), HubOverloaded, ... */
  listModels(query: ListQuery, options?: CallOptions): AsyncGenerator<ListPage, void, void>;
  /**
   * Repos whose lastModified is at or after `watermarkIso - overlapMs`, newest first. The keys move during the walk, so rows can
   * repeat across pages (dropped here) and the overlap has to cover what moves behind it: an hour or more.
   */
  listChangedSince(
    watermarkIso: string,
    overlapMs: number,
    query: Pick<ListQuery, 'filter' | 'author' | 'limit' | 'cursorUrl'>,
    options?: CallOptions,
  ): AsyncGenerator<ChangedPage, void, void>;
  /** RepoGone, RepoDisabled, RevisionGone, HubAuth, ... */
  modelInfo(
    repo: string,
    options?: CallOptions & { revision?: string | null | undefined },
  ): Promise<ModelInfo>;
  /** Every file of a revision with size and hashes, whatever the number of pages. */
  listTree(repo: string, revision: string, options?: CallOptions): Promise<HubFile[]>;
  /** Nothing is requested until something is asked for. `revision` should be a commit sha. */
  openRepo(
    repo: string,
    revision: string,
    options?: CallOptions & { gated?: HubRepo['gated'] | undefined },
  ): RepoFiles;
  stats(): HubStats;
  /** Closes idle connections; requests in flight end with Interrupted. */
  close(): Promise<void>;
}
