import type { HubClock } from '../clock.ts';

/** Real time, with every sleep skipped: retries and quota waits happen at once, and are written down. */
export function createSkippingClock(): HubClock & { slept: number[] } {
  const slept: number[] = [];
  let skippedMs = 0;
  return {
    slept,
    now: () => performance.timeOrigin + performance.now() + skippedMs,
    sleep: async (ms, signal) => {
      // A turn of the loop, so that a sleeper that is woken first by something else can be cancelled.
      await new Promise(setImmediate);
      if (signal?.aborted) return;
      slept.push(ms);
      skippedMs += Math.max(0, ms);
    },
  };
}
