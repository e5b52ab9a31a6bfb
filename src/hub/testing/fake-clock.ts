import type { HubClock } from '../clock.ts';

export interface FakeClock extends HubClock {
  /** Lets everything due up to `untilMs` happen, in order of time, the promises between two timers included. */
  runUntil(untilMs: number): Promise<void>;
}

/** Time that passes only when told to. */
export function createFakeClock(startMs = 0): FakeClock {
  let nowMs = startMs;
  let nextOrder = 0;
  const timers = new Map<number, { atMs: number; fire: () => void }>();

  function earliest(): number | null {
    let found: number | null = null;
    for (const [order, timer] of timers) {
      if (found === null || timer.atMs < timers.get(found)!.atMs) found = order;
    }
    return found;
  }

  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const order = nextOrder++;
        const fire = () => {
          timers.delete(order);
          signal?.removeEventListener('abort', fire);
          resolve();
        };
        if (signal?.aborted) {
          resolve();
          return;
        }
        signal?.addEventListener('abort', fire, { once: true });
        timers.set(order, { atMs: nowMs + Math.max(0, ms), fire });
      }),
    runUntil: async (untilMs) => {
      for (;;) {
        await new Promise(setImmediate);
        const order = earliest();
        if (order === null || timers.get(order)!.atMs > untilMs) break;
        const timer = timers.get(order)!;
        nowMs = Math.max(nowMs, timer.atMs);
        timer.fire();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
  };
}
