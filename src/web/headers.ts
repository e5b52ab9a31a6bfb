import { createHash } from 'node:crypto';
import type { ExplorerResponse } from './contract.ts';

/** Nothing but this server's own style, script, image and suggestions; no inline anything; nobody may frame a page. */
const CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY: Record<string, string> = {
  'content-security-policy': CSP,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

export interface Answer {
  status: number;
  type: string;
  body: string | Uint8Array;
  headers?: Record<string, string>;
}

/** The answer with its headers; 304 when the reader has these very bytes, no body for HEAD. */
export function toResponse(
  answer: Answer,
  request: { method: string; ifNoneMatch?: string | undefined },
): ExplorerResponse {
  const etag = `"${createHash('sha256').update(answer.body).digest('base64url').slice(0, 27)}"`;
  const headers: Record<string, string> = {
    ...SECURITY,
    'cache-control': 'no-cache',
    ...answer.headers,
    'content-type': answer.type,
  };
  if (answer.status === 200) {
    headers.etag = etag;
    if (request.ifNoneMatch === etag) return { status: 304, headers, body: '' };
  }
  headers['content-length'] = String(
    typeof answer.body === 'string' ? Buffer.byteLength(answer.body) : answer.body.length,
  );
  return { status: answer.status, headers, body: request.method === 'HEAD' ? '' : answer.body };
}
