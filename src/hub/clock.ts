/** The only clock of this room, so that quotas and retries can be tested without waiting. */
export interface HubClock {
  /** ms since the epoch; must not jump backwards */
  now(): number;
  /** Resolves after `ms`, or at once when the signal is aborted: callers look at the signal themselves. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node caps timers at 2^31-1 ms and fires longer ones at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Wall time that cannot be set back: epoch at start plus the monotonic clock. */
export function createSystemClock(): HubClock {
  return {
    now: () => performance.timeOrigin + performance.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve();
          return;
        }
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, Math.min(Math.max(0, ms), MAX_TIMER_MS));
        signal?.addEventListener('abort', end, { once: true });
      }),
  };
}
