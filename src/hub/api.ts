import { HublineageError } from '../types/errors.ts';
import { parseJson } from './body.ts';
import type { HubEvent, HubMeter } from './contract.ts';
import { tryAgain } from './failures.ts';
import { followRedirect, MAX_REDIRECTS, type RedirectPolicy } from './redirects.ts';
import type { RetryOptions } from './retry.ts';
import { failForStatus, type Subject } from './status.ts';
import type { Wire } from './wire.ts';

export interface ApiRequest<T> {
  /** absolute, on the endpoint */
  url: string;
  subject: Subject;
  /** of the decoded JSON */
  maxBytes: number;
  where: string;
  meter?: HubMeter | undefined;
  limitTries?: RetryOptions['limitTries'];
  /** Turns the document into what is wanted; what it throws with `tryAgain` is fetched again. */
  read: (json: unknown, headers: Record<string, string>) => T;
}

/** What the parts of the client share. */
export interface HubContext {
  wire: Wire;
  /** without trailing slash */
  endpoint: string;
  policy: RedirectPolicy;
  hasToken: boolean;
  /** ms on the client's clock */
  now: () => number;
  emit: (event: HubEvent) => void;
  retrying: <T>(
    attempt: (number: number) => Promise<T>,
    what: { bucket: 'api' | 'resolvers' | 'cdn'; where: string; limitTries?: RetryOptions['limitTries'] },
  ) => Promise<T>;
}

/** One JSON document of the Hub's API, with retries and the relative redirects of renamed repos. */
export function fetchJson<T>(context: HubContext, request: ApiRequest<T>): Promise<T> {
  const { where, limitTries } = request;
  return context.retrying(() => fetchOnce(context, request), { bucket: 'api', where, limitTries });
}

async function fetchOnce<T>(context: HubContext, request: ApiRequest<T>): Promise<T> {
  const { where } = request;
  let url = new URL(request.url);
  const seen = new Set([url.href]);
  for (;;) {
    const outcome = await context.wire.send(
      {
        url,
        bucket: 'api',
        headers: { accept: 'application/json', 'accept-encoding': 'gzip' },
        where,
        meter: request.meter,
      },
      async (answer): Promise<{ document: T } | URL> => {
        if (answer.status === 200) {
          const bytes = await answer.readDecoded(request.maxBytes);
          const json = parseJson(bytes, answer.headers['content-type'], where);
          return { document: request.read(json, answer.headers) };
        }
        if (answer.status < 300 || answer.status >= 400) return failForStatus(answer, request.subject, where);
        const to = followRedirect(answer.headers.location, url, context.policy, where);
        // What a repo is comes from the endpoint alone; only bytes of files may lie elsewhere.
        if (to.origin !== context.policy.endpoint.origin) {
          throw new HublineageError('RedirectRefused', `an API redirect to ${to.host} was refused`, {
            where,
          });
        }
        return to;
      },
    );
    if (!(outcome instanceof URL)) return outcome.document;
    if (seen.has(outcome.href) || seen.size > MAX_REDIRECTS) {
      throw tryAgain('HubBadAnswer', 'redirects that lead in a circle', where);
    }
    seen.add(outcome.href);
    url = outcome;
  }
}

/** `/api/models/owner/name`, each part encoded. */
export function toModelPath(repo: string): string {
  return `/api/models/${repo.split('/').map(encodeURIComponent).join('/')}`;
}

/** A revision as one part of a path: `refs/pr/1` becomes `refs%2Fpr%2F1`. `..` would not stay one, so it is none. */
export function encodeRevision(revision: string): string {
  if (revision === '' || revision === '.' || revision === '..' || revision.length > 500) {
    throw new HublineageError('RevisionGone', `not a revision: ${JSON.stringify(revision.slice(0, 100))}`);
  }
  return encodeURIComponent(revision.toWellFormed());
}
