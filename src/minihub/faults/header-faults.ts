import type { FaultClass } from '../options.ts';

export const HEADER_FAULTS = [
  'ratelimit-absent',
  'ratelimit-malformed',
  'ratelimit-t-too-large',
  'clock-skew',
] as const satisfies readonly FaultClass[];

/** Faults that touch headers only; they may come on top of any other. */
export function spoilHeaders(headers: Record<string, string>, fault: FaultClass, nowMs: number): void {
  if (fault === 'ratelimit-absent') {
    delete headers.ratelimit;
    delete headers['ratelimit-policy'];
  } else if (fault === 'ratelimit-malformed') headers.ratelimit = 'api;;r=many;t=?';
  else if (fault === 'ratelimit-t-too-large') {
    headers.ratelimit = headers.ratelimit?.replace(/t=\d+/, 't=86400000') ?? '"api";r=0;t=86400000';
  } else headers.date = new Date(nowMs - 2 * 3600_000).toUTCString();
}
