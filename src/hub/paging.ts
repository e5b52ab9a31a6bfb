import { HublineageError } from '../types/errors.ts';
import { TryAgain, tryAgain } from './failures.ts';
import { findNextLink, MALFORMED_LINK } from './links.ts';
import { isSameHost } from './redirects.ts';

/** Cursors remembered to notice a circle; a walk of the whole Hub has about 3,100 pages. */
const MAX_REMEMBERED = 100_000;
/** Pages without rows in a row that are followed: filtered rows leave short pages, but not for ever. */
const MAX_EMPTY_PAGES = 20;

/**
 * The address of the next page on the endpoint, or null on the last page. Path and query stay as the Hub wrote them (the cursor is
 * opaque); scheme and port are the endpoint's own, so that an address saved yesterday still leads there when the endpoint moved to
 * another port. Another host, another kind of page, or the page itself is HubBadAnswer, and worth another try.
 */
export function toNextUrl(
  link: string | undefined,
  current: string,
  endpoint: string,
  isExpectedPath: (path: string) => boolean,
  where: string,
): string | null {
  const next = findNextLink(link);
  if (next === null) return null;
  if (next === MALFORMED_LINK) throw tryAgain('HubBadAnswer', 'a Link header that cannot be read', where);
  let url: string;
  try {
    url = anchorUrl(next, current, endpoint, isExpectedPath, where);
  } catch (error) {
    throw error instanceof HublineageError ? new TryAgain(error) : error;
  }
  if (toPageKey(url) === toPageKey(current)) {
    throw tryAgain('HubBadAnswer', 'a page that names itself as the next one', where);
  }
  return url;
}

/** A page fetched again with another limit is the same page. */
function toPageKey(url: string): string {
  return url.replace(/([?&])limit=\d+/, '$1limit=');
}

export function anchorUrl(
  target: string,
  current: string,
  endpoint: string,
  isExpectedPath: (path: string) => boolean,
  where: string,
): string {
  const refuse = (message: string) =>
    new HublineageError('HubBadAnswer', message, { where, hint: 'only pages of hub.endpoint are followed' });
  if (target.length > 16_384 || !URL.canParse(target, current))
    throw refuse('a next page that is no web address');
  const url = new URL(target, current);
  const base = new URL(endpoint);
  if (!/^https?:$/.test(url.protocol) || !isSameHost(url, base)) {
    throw refuse(`a next page on another host (${url.host || url.protocol})`);
  }
  const prefix = base.pathname === '/' ? '' : base.pathname;
  if (!url.pathname.startsWith(prefix) || !isExpectedPath(url.pathname.slice(prefix.length))) {
    throw refuse('a next page that is not a page of this list');
  }
  return `${base.origin}${url.pathname}${url.search}`;
}

export interface LoopGuard {
  /** Call with every page's address before it is fetched, and the rows of the page behind it. HubBadAnswer on a circle. */
  enter(url: string, where: string): void;
  rows(count: number, where: string): void;
}

export function createLoopGuard(): LoopGuard {
  const seen = new Set<string>();
  let empty = 0;
  return {
    enter: (url, where) => {
      const key = toPageKey(url);
      if (seen.has(key)) {
        throw new HublineageError('HubBadAnswer', 'the pages of this list lead in a circle', { where });
      }
      if (seen.size < MAX_REMEMBERED) seen.add(key);
    },
    rows: (count, where) => {
      empty = count === 0 ? empty + 1 : 0;
      if (empty > MAX_EMPTY_PAGES) {
        throw new HublineageError('HubBadAnswer', `${empty} pages in a row without rows`, { where });
      }
    },
  };
}
