import type { Io } from '../io.ts';
import { describeEvent, describeProgress, isShown } from './describe.ts';
import type { LogLevel, Progress } from './index.ts';

/** A log of a nightly run should grow with what happens, not with time. */
const EVERY_MS = 10_000;

/** One line an event; running counts at most every ten seconds. */
export function createLineProgress(io: Io, level: LogLevel): Progress {
  let lastAt = Date.now();
  return {
    sink(event) {
      if (!isShown(event, level)) return;
      if (event.type === 'stage-start') return;
      if (event.type !== 'progress') return io.err(`${describeEvent(event)}\n`);
      if (Date.now() - lastAt < EVERY_MS) return;
      lastAt = Date.now();
      io.err(`${event.stage}: ${describeProgress(event)}\n`);
    },
    stop() {},
  };
}
