import type { IncomingMessage } from 'node:http';
import type { MinihubOptions } from '../options.ts';
import type { Call } from '../routes/call.ts';
import type { Bucket } from './quotas.ts';

/** paths-info with 2,000 long names stays far below. */
const MAX_REQUEST_BODY_BYTES = 4 << 20;

/** Repeated headers joined, as RFC 9110 allows. */
export function toHeaders(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}

/** A request to the Hub's origin taken apart, its body whole, its token looked up. */
export async function readCall(request: IncomingMessage, options: MinihubOptions): Promise<Call> {
  const url = request.url ?? '/';
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const token = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_REQUEST_BODY_BYTES) throw new Error('request body too large');
    chunks.push(chunk as Buffer);
  }
  // without a list of tokens anybody with one is a plain user: a demo must not refuse the token a user happens to have set
  const rights =
    token === null ? null : options.tokens === undefined ? { grants: [] } : (options.tokens[token] ?? null);
  return {
    method: request.method ?? 'GET',
    path,
    segments: path.split('/').slice(1),
    query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
    headers: toHeaders(request),
    body: Buffer.concat(chunks),
    hasToken: token !== null,
    rights,
  };
}

/** Which quota a URL counts against (hub-docs, rate limits); null = none. */
export function toBucket(call: Call, options: MinihubOptions): Bucket | null {
  if (call.path.startsWith('/api/resolve-cache/')) {
    return options.countResolveCache === false ? null : 'resolvers';
  }
  if (call.segments[0] === 'api') return 'api';
  return call.segments.includes('resolve') || call.segments.includes('raw') ? 'resolvers' : 'pages';
}
