/** How long an endpoint asks to be left alone. */
export interface Told {
  ms: number;
  /** true when its headers say that no request is left in the window */
  spent: boolean;
}

/** A window that ends later than this is not believed where nobody was refused. */
const LONGEST_WINDOW_MS = 3_600_000;

/** as undici gives them: names in lower case */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Reads `Retry-After` (seconds or a date), the Hub's `RateLimit: "api";r=0;t=55` (draft-ietf-httpapi-ratelimit-headers), the older
 * `RateLimit-Remaining` and `-Reset`, and OpenAI's `x-ratelimit-remaining-requests` with `x-ratelimit-reset-requests: 1m30s`.
 * Null when none of them asks for a pause.
 */
export function toTold(headers: Headers, nowMs: number): Told | null {
  const get = (name: string) => [headers[name]].flat()[0]?.trim();
  const after = toRetryMs(get('retry-after'), nowMs);
  if (after !== null) return { ms: after, spent: false };
  const structured = /;\s*r\s*=\s*0\s*(?:;|$)/.test(get('ratelimit') ?? '')
    ? /;\s*t\s*=\s*(\d{1,9})\s*(?:;|$)/.exec(get('ratelimit') ?? '')?.[1]
    : undefined;
  const plain = get('ratelimit-remaining') === '0' ? get('ratelimit-reset') : undefined;
  const openAi =
    get('x-ratelimit-remaining-requests') === '0' ? get('x-ratelimit-reset-requests') : undefined;
  const resets = [
    // a second more: the window's last second is still the window
    structured === undefined ? null : (Number(structured) + 1) * 1000,
    plain === undefined ? null : toDurationMs(plain),
    openAi === undefined ? null : toDurationMs(openAi),
  ].filter((ms): ms is number => ms !== null && ms > 0 && ms <= LONGEST_WINDOW_MS);
  return resets.length === 0 ? null : { ms: Math.max(...resets), spent: true };
}

function toRetryMs(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const ms = /^\d{1,9}(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `45` (seconds), `1.5s`, `6m0s`, `20ms`, `1h2m3s`; null for anything else. */
function toDurationMs(text: string): number | null {
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(?:\d{1,9}(?:\.\d+)?(?:ms|h|m|s))+$/.test(text)) return null;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    ms += Number(number) * UNIT_MS[unit!]!;
  return ms;
}
