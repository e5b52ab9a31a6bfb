import { pino } from 'pino';
import type { Io } from '../io.ts';
import { describeEvent, describeProgress, levelOf } from './describe.ts';
import type { LogLevel, Progress } from './index.ts';

/** Structured logs: one JSON object a line on stderr, with pino's levels and ISO times, the event's own fields beside them. */
export function createNdjsonProgress(io: Io, level: LogLevel): Progress {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => io.err(line) },
  );
  return {
    sink(event) {
      const { type, ...fields } = event;
      const words = event.type === 'progress' ? describeProgress(event) : describeEvent(event);
      // pino keeps `msg` for words; an event's own `message` is the same text
      const { message: _message, ...rest } = fields as Record<string, unknown>;
      logger[levelOf(event)]({ event: type, ...rest }, words);
    },
    stop() {},
  };
}
