import { fromRateHeaders, type QuotaReport } from '../rate-headers.ts';

export interface FixedWindowOptions {
  quota: number;
  windowMs: number;
  /** where the first window ends: windows do not start with the first request */
  offsetMs: number;
  rounding: 'ceil' | 'floor';
}

/** A bucket as the Hub counts it: fixed windows, `r` after the request, `t` in whole seconds. */
export function createFixedWindow(options: FixedWindowOptions) {
  let { quota } = options;
  let window = Number.NaN;
  let used = 0;
  let refused = 0;
  const usedByWindow = new Map<number, number>();
  return {
    setQuota: (value: number) => {
      quota = value;
    },
    refused: () => refused,
    usedByWindow,
    take: (nowMs: number): { ok: boolean; headers: { rateLimit: string; policy: string } } => {
      const index = Math.floor((nowMs - options.offsetMs) / options.windowMs);
      if (index !== window) {
        window = index;
        used = 0;
      }
      const ok = used < quota;
      if (ok) used++;
      else refused++;
      usedByWindow.set(index, used);
      const leftMs = options.offsetMs + (index + 1) * options.windowMs - nowMs;
      const t = Math[options.rounding](leftMs / 1000);
      return {
        ok,
        headers: {
          rateLimit: `"api";r=${Math.max(0, quota - used)};t=${t}`,
          policy: `"fixed window";"api";q=${quota};w=${options.windowMs / 1000}`,
        },
      };
    },
  };
}

export function toReport(headers: { rateLimit: string; policy: string }): QuotaReport {
  return fromRateHeaders(headers.rateLimit, headers.policy)!;
}
