import { encodeRevision, type HubContext } from './api.ts';
import type { Bucket, HubMeter } from './contract.ts';
import { tryAgain } from './failures.ts';
import { followRedirect, MAX_REDIRECTS } from './redirects.ts';
import { failForStatus } from './status.ts';
import type { Answer } from './wire.ts';

/** Where the bytes of one file of one commit lie, and what is known of them before any is read. */
export interface ResolvedFile {
  /** signed URL on a CDN, or an address on the endpoint for small git files */
  url: URL;
  /** null when nobody told */
  size: number | null;
  sha256: string | null;
  /** X-Repo-Commit */
  commit: string | null;
  /** on the client's clock; null when the address does not expire or does not say so */
  expiresAtMs: number | null;
}

export interface FileAddress {
  repo: string;
  /** commit sha, branch or tag */
  revision: string;
  path: string;
}

export function describeFile(address: FileAddress): string {
  return `${address.repo}@${address.revision.slice(0, 12)}/${address.path}`;
}

/** `/owner/name/resolve/rev/path`: `/` of the revision encoded, those of the path kept, all else encoded (`#`, `?`, `%`, spaces are real). */
export function toResolveUrl(endpoint: string, address: FileAddress): URL {
  const encode = (text: string) => text.split('/').map(encodeURIComponent).join('/');
  const { repo, revision, path } = address;
  return new URL(
    `${endpoint}/${encode(repo)}/resolve/${encodeRevision(revision)}/${encode(path.toWellFormed())}`,
  );
}

export function toBucket(context: HubContext, url: URL): Bucket {
  return url.origin === context.policy.endpoint.origin ? 'resolvers' : 'cdn';
}

/**
 * One `resolve`: the redirect of an LFS file ends it, with size and sha256 from X-Linked-*. A small git file redirects inside the
 * endpoint; its size comes from one more request for its first byte, unless `sizeKnown`. Never sends the Xet Accept header, which
 * would turn the redirect into JSON.
 */
export async function resolveFile(
  context: HubContext,
  address: FileAddress,
  options: { meter?: HubMeter | undefined; sizeKnown: boolean },
): Promise<ResolvedFile> {
  const where = describeFile(address);
  let url = toResolveUrl(context.endpoint, address);
  const seen = new Set([url.href]);
  const known: ResolvedFile = { url, size: null, sha256: null, commit: null, expiresAtMs: null };
  for (;;) {
    const to = await context.wire.send(
      {
        url,
        bucket: 'resolvers',
        headers: { accept: '*/*', 'accept-encoding': 'identity', range: 'bytes=0-0' },
        where,
        meter: options.meter,
      },
      async (answer): Promise<URL | null> => {
        readLinkedHeaders(answer, known, address, where);
        if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
          const target = followRedirect(answer.headers.location, url, context.policy, where);
          known.expiresAtMs = readExpiry(target, answer);
          return target;
        }
        await readSizeOfAnswer(answer, known, where);
        return null;
      },
    );
    if (to === null) return { ...known, url };
    if (toBucket(context, to) === 'cdn') return { ...known, url: to };
    if (seen.has(to.href) || seen.size > MAX_REDIRECTS) {
      throw tryAgain('HubBadAnswer', 'redirects that lead in a circle', where);
    }
    seen.add(to.href);
    url = to;
    const isFile = to.pathname.includes('/api/resolve-cache/');
    if (isFile && (options.sizeKnown || known.size !== null)) return { ...known, url };
  }
}

/** Content-Length of the redirect is that of its own text; only X-Linked-Size speaks of the file. */
export function readLinkedHeaders(
  answer: Answer,
  known: ResolvedFile,
  address: FileAddress,
  where: string,
): void {
  const commit = answer.headers['x-repo-commit']?.toLowerCase();
  if (commit !== undefined && /^[0-9a-f]{40}$/.test(commit)) {
    if (/^[0-9a-f]{40}$/i.test(address.revision) && commit !== address.revision.toLowerCase()) {
      throw tryAgain('RevisionGone', `asked for ${address.revision}, was given ${commit}`, where);
    }
    known.commit = commit;
  }
  const size = answer.headers['x-linked-size'];
  if (size !== undefined && /^\d{1,15}$/.test(size)) known.size = Number(size);
  const etag = /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(answer.headers['x-linked-etag'] ?? '');
  if (etag !== null) known.sha256 = etag[1]!.toLowerCase();
}

/** The endpoint served the file itself: 206 and 416 tell the total, 200 is dropped unread. */
async function readSizeOfAnswer(answer: Answer, known: ResolvedFile, where: string): Promise<void> {
  const { status, headers } = answer;
  if (status === 206 || status === 416) {
    const total = /^bytes (?:\d+-\d+|\*)\/(\d{1,15})$/.exec(headers['content-range'] ?? '')?.[1];
    if (total === undefined || (status === 416 && Number(total) !== 0)) {
      throw tryAgain('RangeMismatch', 'an answer to a range that tells no size', where);
    }
    known.size = Number(total);
    return;
  }
  if (status === 200) {
    answer.abort();
    const length = headers['content-length'];
    const encoded = (headers['content-encoding'] ?? 'identity') !== 'identity';
    if (encoded || length === undefined || !/^\d{1,15}$/.test(length)) {
      throw tryAgain('RangeIgnored', 'the whole file came for its first byte, without a length', where);
    }
    known.size = Number(length);
    return;
  }
  await failForStatus(answer, 'file', where);
}

/** Signed addresses are left a little before they end: a request waits in queues. */
const MARGIN_MS = 15_000;
const MARGIN_SHARE = 0.1;

/**
 * When a signed address ends, on our clock: `Expires` (epoch seconds, CloudFront) or `X-Amz-Date` + `X-Amz-Expires`, as a lifetime
 * from the server's own Date, so that a clock that is wrong by hours (ours or theirs) changes nothing.
 */
function readExpiry(target: URL, answer: Answer): number | null {
  const query = target.searchParams;
  const expires = query.get('Expires');
  const lifetime = query.get('X-Amz-Expires');
  const serverMs = Date.parse(answer.headers.date ?? '');
  let leftMs: number;
  if (lifetime !== null && /^\d{1,9}$/.test(lifetime)) leftMs = Number(lifetime) * 1000;
  else if (expires !== null && /^\d{1,12}$/.test(expires)) {
    leftMs = Number(expires) * 1000 - (Number.isFinite(serverMs) ? serverMs : answer.receivedAtMs);
  } else return null;
  // Already over when it was made: some clock is wrong, and only a 403 can tell.
  if (leftMs <= 0) return null;
  return answer.receivedAtMs + leftMs - Math.min(MARGIN_MS, leftMs * MARGIN_SHARE);
}
