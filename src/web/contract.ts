import type { CorrectionRow } from '../report/index.ts';
import type { QueryResult, SqlValue, Store } from '../store/index.ts';
import type { Html } from './html.ts';
import type { Params } from './params.ts';
import type { Snapshot } from './snapshot.ts';

export interface ExplorerOptions {
  /** open for reading only */
  store: Store;
  /** runs one statement of a reader, in a process that can be stopped; null or absent turns the SQL page off */
  sql?: ((query: string, params: Record<string, SqlValue>) => Promise<QueryResult>) | null;
  /** origin of links to the Hub */
  hubUrl: string;
  /** where a verdict can be disputed */
  disputeUrl?: string | null;
  /** `lineage.method` of the runs */
  method: string;
  contradictionPValue: number;
  /** data/corrections.json, shown beside verdicts */
  corrections?: readonly CorrectionRow[];
  /** the system's clock when absent */
  now?: () => Date;
  /** host names (without port) answered to; any when absent. Keeps other sites from reading a loopback server by DNS rebinding. */
  hosts?: readonly string[];
  /** requests worked on at once; 64 when absent. More are answered 503. */
  maxConcurrent?: number;
  /** told what went wrong behind a 500 page */
  onError?: (error: unknown, url: string) => void;
}

export interface ExplorerRequest {
  method: string;
  /** path and query, as in the request line */
  url: string;
  /** names in lower case, as node:http gives them */
  headers?: Readonly<Record<string, string | string[] | undefined>>;
}

export interface ExplorerResponse {
  status: number;
  headers: Record<string, string>;
  /** empty for HEAD and 304 */
  body: string | Uint8Array;
}

export interface Explorer {
  /** Never throws: what goes wrong is a page with a status. */
  handle(request: ExplorerRequest): Promise<ExplorerResponse>;
}

/** The places of the main menu. */
export type Place = 'home' | 'flagged' | 'families' | 'runs' | 'failures' | 'sql' | 'about';

/** What a page handler makes: the same facts twice, as JSON and for people. */
export interface Page {
  title: string;
  data: unknown;
  body: Html;
  place?: Place;
  /** 200 when absent */
  status?: number;
}

/** What a page handler works with. */
export interface PageRequest {
  store: Store;
  options: ExplorerOptions;
  snapshot: Snapshot;
  /** decoded path after the page's prefix: a repo name, a run id */
  subject: string;
  params: Params;
  now: Date;
  /** a file of a static copy: no forms, no SQL, no paging */
  isStatic: boolean;
}

export type PageHandler = (request: PageRequest) => Promise<Page>;
