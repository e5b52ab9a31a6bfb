import type { HubClock } from '../clock.ts';

/** Time that passes only by sleeping, and sleeps that take none: retries and quota waits happen at once, and are written down. */
export function createSkippingClock(): HubClock & { slept: number[] } {
  const slept: number[] = [];
  let nowMs = Date.now();
  return {
    slept,
    now: () => nowMs,
    sleep: async (ms, signal) => {
      // A turn of the loop, so that a sleeper that is woken first by something else can be cancelled.
      await new Promise(setImmediate);
      if (signal?.aborted) return;
      slept.push(ms);
      nowMs += Math.max(0, ms);
    },
  };
}
