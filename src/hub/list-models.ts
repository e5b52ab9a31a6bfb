import { isHublineageError } from '../types/errors.ts';
import type { HubRepo } from '../types/hub.ts';
import { fetchJson, type HubContext } from './api.ts';
import type { CallOptions, ListPage, ListQuery, SkippedRow } from './contract.ts';
import { tryAgain } from './failures.ts';
import { normalizeRepo } from './normalize-repo.ts';
import { anchorUrl, createLoopGuard, toNextUrl } from './paging.ts';

/** What a listing row is asked for: everything the list accepts (hub-docs; refused there: usedStorage, childrenModelCount). */
export const EXPAND = [
  'baseModels',
  'cardData',
  'config',
  'createdAt',
  'disabled',
  'downloads',
  'gated',
  'gguf',
  'lastModified',
  'library_name',
  'likes',
  'pipeline_tag',
  'private',
  'safetensors',
  'sha',
  'siblings',
  'tags',
] as const;

const MAX_PAGE_BYTES = 64 * 2 ** 20;
const MIN_PAGE_SIZE = 30;
const PAGES_BEFORE_GROWTH = 5;
const LIST_PATH = '/api/models';
const isListPath = (path: string) => path === LIST_PATH || path === `${LIST_PATH}/`;

/**
 * Walks a listing, one item a page. With `sort: 'createdAt', direction: 1` the cursor is keyed on the immutable ObjectId, so the walk is
 * stable and `nextUrl` of any page resumes it. Deep filtered pages of the Hub answer 504 (huggingface_hub issue 2460): pages
 * then get smaller, and grow again later.
 */
export async function* listModels(
  context: HubContext,
  query: ListQuery,
  options: CallOptions = {},
): AsyncGenerator<ListPage, void, void> {
  const wanted = Math.min(1000, Math.max(1, Math.floor(query.limit)));
  const where = describeList(query);
  let expand: readonly string[] = EXPAND;
  let url =
    query.cursorUrl == null
      ? toListUrl(context.endpoint, query, wanted, expand)
      : anchorUrl(query.cursorUrl, context.endpoint, context.endpoint, isListPath, where);
  let first = true;
  let resumed = query.cursorUrl != null;
  let limit = wanted;
  let smoothPages = 0;
  const guard = createLoopGuard();
  guard.enter(url, where);
  let previousIds = new Set<string>();

  for (;;) {
    let page: { rows: unknown[]; next: string | null };
    try {
      page = await fetchPage(context, withLimit(url, limit), where, limit > MIN_PAGE_SIZE, options);
    } catch (error) {
      // Cursors are the Hub's own business: one saved weeks ago may mean nothing to it today. Beginning anew loses time only.
      if (
        first &&
        resumed &&
        isHublineageError(error, 'HubBadAnswer') &&
        error.message.startsWith('status 400')
      ) {
        context.emit({
          type: 'remark',
          where,
          message: 'the Hub refuses a saved cursor: the walk begins anew',
        });
        resumed = false;
        url = toListUrl(context.endpoint, query, limit, expand);
        continue;
      }
      const refused = first && !resumed ? readRefusedExpand(error, expand) : null;
      if (refused !== null) {
        context.emit({ type: 'remark', where, message: `this Hub does not expand ${refused.join(', ')}` });
        expand = expand.filter((field) => !refused.includes(field));
        url = toListUrl(context.endpoint, query, limit, expand);
        continue;
      }
      if (limit <= MIN_PAGE_SIZE || !isTooMuch(error)) throw error;
      limit = Math.max(MIN_PAGE_SIZE, Math.floor(limit / 2));
      smoothPages = 0;
      context.emit({ type: 'page_size', limit, where });
      continue;
    }
    first = false;
    guard.rows(page.rows.length, where);

    const { repos, skipped } = readRows(context, page.rows, previousIds);
    previousIds = new Set(repos.map((repo) => repo.hubId));
    const nextUrl = page.next === null ? null : withLimit(page.next, wanted);
    yield { repos, nextUrl, skipped };
    if (nextUrl === null) return;
    guard.enter(nextUrl, where);
    url = nextUrl;
    if (limit < wanted && ++smoothPages >= PAGES_BEFORE_GROWTH) {
      limit = Math.min(wanted, limit * 2);
      smoothPages = 0;
      context.emit({ type: 'page_size', limit, where });
    }
  }
}

function fetchPage(
  context: HubContext,
  url: string,
  where: string,
  canShrink: boolean,
  options: CallOptions,
): Promise<{ rows: unknown[]; next: string | null }> {
  return fetchJson(context, {
    url,
    subject: 'list',
    maxBytes: MAX_PAGE_BYTES,
    where,
    meter: options.meter,
    // Two tries at one size, then a smaller page: waiting longer for the same page has not been seen to help.
    limitTries: (error) => (canShrink && isTooMuch(error) ? 2 : Infinity),
    read: (json, headers) => {
      if (!Array.isArray(json)) throw tryAgain('HubBadAnswer', 'a listing that is no list', where);
      return { rows: json, next: toNextUrl(headers.link, url, context.endpoint, isListPath, where) };
    },
  });
}

/** Rows as repos. The Hub repeats rows at page borders when keys move; one that was on this page or the one before is dropped silently. */
function readRows(
  context: HubContext,
  rows: readonly unknown[],
  before: ReadonlySet<string>,
): { repos: HubRepo[]; skipped: SkippedRow[] } {
  const repos: HubRepo[] = [];
  const skipped: SkippedRow[] = [];
  const seen = new Set(before);
  for (const row of rows) {
    const read = normalizeRepo(row);
    if (!read.ok) {
      skipped.push({ repo: read.id, why: read.why });
      continue;
    }
    for (const message of read.remarks) context.emit({ type: 'remark', where: read.repo.repo, message });
    if (seen.has(read.repo.hubId)) continue;
    seen.add(read.repo.hubId);
    repos.push(read.repo);
  }
  return { repos, skipped };
}

function toListUrl(endpoint: string, query: ListQuery, limit: number, expand: readonly string[]): string {
  const parameters = new URLSearchParams();
  const filters = query.filter === undefined ? [] : [query.filter].flat();
  for (const filter of filters) parameters.append('filter', filter);
  if (query.author !== undefined) parameters.append('author', query.author);
  parameters.append('sort', query.sort);
  parameters.append('direction', String(query.direction));
  parameters.append('limit', String(limit));
  for (const field of expand) parameters.append('expand[]', field);
  return `${endpoint}${LIST_PATH}?${parameters}`;
}

/** Only the number is touched: the rest, the cursor above all, stays byte for byte as the Hub wrote it. */
function withLimit(url: string, limit: number): string {
  if (/[?&]limit=\d+/.test(url)) return url.replace(/([?&]limit=)\d+/, `$1${limit}`);
  return `${url}${url.includes('?') ? '&' : '?'}limit=${limit}`;
}

function isTooMuch(error: unknown): boolean {
  return (['HubOverloaded', 'HubTimeout', 'BodyTooLarge'] as const).some((code) =>
    isHublineageError(error, code),
  );
}

/** Older Hubs and mirrors refuse fields with 400 `"expand" must be one of [author, ...]`: those they do not name. */
function readRefusedExpand(error: unknown, asked: readonly string[]): string[] | null {
  if (!isHublineageError(error, 'HubBadAnswer')) return null;
  const named = /"expand" must be one of \[([^\]]*)\]/.exec(error.message)?.[1];
  if (named === undefined) return null;
  const known = new Set(named.split(/[\s,]+/));
  const refused = asked.filter((field) => !known.has(field));
  return refused.length === 0 ? null : refused;
}

function describeList(query: ListQuery): string {
  const filters = query.filter === undefined ? [] : [query.filter].flat();
  const parts = [...filters.map((f) => `filter=${f}`), ...(query.author ? [`author=${query.author}`] : [])];
  return parts.length === 0 ? 'the list of models' : `the list of models with ${parts.join(' and ')}`;
}
