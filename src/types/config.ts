import type { Family } from './weights.ts';

/** The whole configuration, validated and frozen; src/config makes it, everybody else only reads it. */
export interface Config {
  hub: {
    /** origin of the Hub's API, no trailing slash */
    endpoint: string;
    /** never from the config file */
    token: string | null;
    /** e-mail or URL put into the User-Agent, so that the Hub's people can reach the operator */
    contact: string | null;
    /** share of each rate-limit bucket we allow ourselves, 0 < share <= 1 */
    quotaShare: number;
    /** parallel requests to the Hub's origin */
    concurrency: number;
    /** parallel range reads on signed URLs */
    cdnConcurrency: number;
    timeoutMs: number;
    /** tries of one request before the repo fails */
    retries: number;
    /** hosts a redirect may lead to besides the endpoint's own; `*.hf.co` matches every subdomain */
    redirectHosts: string[];
    /** rows a listing page, 1 to 1000 */
    pageSize: number;
  };
  scope: {
    families: Family[];
    /** Hub tag filters whose union is crawled, by family */
    filters: Record<Family, string[]>;
    authors: string[];
    /** explicit repos, crawled besides whatever the filters give */
    repos: string[];
    /** days between full walks, which notice what is gone */
    reconcileDays: number;
    /** when a README is fetched besides the card data of the listing: `missing` = where the listing has none */
    readCards: 'never' | 'missing' | 'always';
  };
  sampling: {
    /** stored values a matrix */
    valuesPerTensor: number;
    /** range requests a model */
    maxRequests: number;
    /** bytes read a model */
    maxBytes: number;
    /** part of the position scheme: another seed is another scheme */
    seed: number;
    /** models fingerprinted at once */
    concurrency: number;
  };
  lineage: {
    /** `hublineage`, or a method of src/lineage/methods */
    method: string;
    seed: number;
    /** an edge below this probability is not chosen: no parent is better than a wrong one */
    minProbability: number;
    /** `contradicted` needs a chance below this */
    contradictionPValue: number;
  };
  database: { file: string };
  report: {
    directory: string;
    formats: ('markdown' | 'html' | 'json' | 'csv')[];
    /** rows of the most important findings printed */
    top: number;
    /** Prometheus text file written after each run, null = none */
    metricsFile: string | null;
  };
  /** limits of one run; null = none */
  run: {
    maxRequests: number | null;
    maxBytes: number | null;
    /** `06:00`, local time */
    deadline: string | null;
    limit: number | null;
  };
}
