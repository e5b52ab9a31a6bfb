/** What `RateLimit` and `RateLimit-Policy` of one answer say about a bucket. */
export interface QuotaReport {
  /** bucket as the Hub names it: `api`, `resolvers`, `pages` */
  bucket: string;
  /** requests left in the window, after the one answered */
  remaining: number;
  /** seconds until the window ends; null when absent, or longer than the window itself (then it cannot be true) */
  resetSeconds: number | null;
  /** requests a window */
  quota: number | null;
  windowSeconds: number | null;
}

const RATE_LIMIT = /^\s*"([a-z_-]{1,40})"\s*((?:;\s*[a-z]+\s*=\s*[^;,]*)*)/i;
const POLICY = /"([a-z_-]{1,40})"\s*;[^,]*?\bq\s*=\s*(\d{1,9})\b[^,]*?\bw\s*=\s*(\d{1,9})\b/gi;
const MAX_REMAINING = 1e9;

/**
 * Reads the two headers in the syntax of draft-ietf-httpapi-ratelimit-headers-09 as the Hub writes it:
 * `"api";r=489;t=189` and `"fixed window";"api";q=500;w=300`. Null when absent or malformed: then nothing is known.
 */
export function fromRateHeaders(
  rateLimit: string | undefined,
  policy: string | undefined,
): QuotaReport | null {
  const match = rateLimit === undefined ? null : RATE_LIMIT.exec(rateLimit);
  if (match === null) return null;
  const bucket = match[1]!;
  const remaining = readNumber(match[2]!, 'r');
  if (remaining === null || remaining > MAX_REMAINING) return null;

  let quota: number | null = null;
  let windowSeconds: number | null = null;
  for (const [, name, q, w] of (policy ?? '').matchAll(POLICY)) {
    if (name !== bucket || Number(q) === 0 || Number(w) === 0) continue;
    quota = Number(q);
    windowSeconds = Number(w);
    break;
  }
  let resetSeconds = readNumber(match[2]!, 't');
  if (resetSeconds !== null && resetSeconds > (windowSeconds ?? LONGEST_WINDOW_SECONDS)) resetSeconds = null;
  return {
    bucket,
    remaining: quota === null ? remaining : Math.min(remaining, quota),
    resetSeconds,
    quota,
    windowSeconds,
  };
}

/** No window of the Hub is known to be longer than five minutes; an hour leaves room. */
const LONGEST_WINDOW_SECONDS = 3600;

function readNumber(parameters: string, name: string): number | null {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(\\d{1,10}(?:\\.\\d{1,6})?)\\s*(?:;|$)`, 'i').exec(
    parameters,
  );
  return match === null ? null : Number(match[1]);
}

/** Milliseconds from `Retry-After` (seconds or an HTTP date), at most an hour; null when absent or malformed. */
export function fromRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  const ms = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 3_600_000) : null;
}
