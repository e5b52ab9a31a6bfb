import { type ErrorCode, HublineageError } from '../types/errors.ts';

/** A failure of one try that another try may cure. Only `withRetries` and what it calls see it; callers get the error inside. */
export class TryAgain extends Error {
  readonly error: HublineageError;
  /** what the server asked for (Retry-After), ms */
  readonly waitMs: number | null;
  constructor(error: HublineageError, waitMs: number | null = null) {
    super(error.message);
    this.error = error;
    this.waitMs = waitMs;
  }
}

export function tryAgain(code: ErrorCode, message: string, where: string, cause?: unknown): TryAgain {
  return new TryAgain(new HublineageError(code, message, { where, cause }));
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
]);
const TIMEOUTS = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);
const TLS = /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

export interface NetworkContext {
  /** what was asked for, for people: never a signed URL */
  where: string;
  /** host that was spoken to */
  host: string;
  /** the endpoint itself, or a CDN behind it */
  ownOrigin: boolean;
  /** headers had come, so the body broke */
  inBody: boolean;
}

/** What undici or the socket threw, as a coded error. Every one of them is worth another try. */
export function fromNetworkError(error: unknown, context: NetworkContext): TryAgain {
  const { where, host, ownOrigin, inBody } = context;
  const code = networkCode(error);
  const unreachable: ErrorCode = ownOrigin ? 'HubUnreachable' : 'CdnUnreachable';
  const give = (errorCode: ErrorCode, message: string, hint?: string) =>
    new TryAgain(new HublineageError(errorCode, message, { where, hint, cause: error }));
  if (TIMEOUTS.has(code)) {
    return code === 'UND_ERR_CONNECT_TIMEOUT' && !inBody
      ? give(unreachable, `${host} does not answer (connect timeout)`, 'check the network, or HF_ENDPOINT')
      : give('HubTimeout', inBody ? 'the answer stalled' : 'no answer in time');
  }
  if (UNREACHABLE.has(code)) {
    return give(unreachable, `cannot reach ${host} (${code})`, 'check the network, or HF_ENDPOINT');
  }
  if (TLS.test(code)) {
    return give(unreachable, `no secure connection to ${host} (${code})`, 'check certificates and proxies');
  }
  return inBody
    ? give('BodyTruncated', `the connection broke in the middle of the answer (${code})`)
    : give('HubOverloaded', `the connection broke before an answer came (${code})`);
}

/** Node hides the code of a failed dial with several addresses inside an AggregateError. */
function networkCode(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > 4) return 'unknown';
  const { code, cause, errors, name } = error as {
    code?: unknown;
    cause?: unknown;
    errors?: unknown;
    name?: unknown;
  };
  if (typeof code === 'string') return code;
  const inner = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  return inner === undefined ? String(name ?? 'unknown') : networkCode(inner, depth + 1);
}

/** Text of a server in an error message: one line, no control characters, at most 600 characters (the Hub's longest, the list of `expand` values, fits). */
export function quoteServer(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return line.length > 600 ? `${line.slice(0, 597)}...` : line;
}
