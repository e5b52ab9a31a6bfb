import type { EventSink } from '../../refresh/index.ts';
import type { Io } from '../io.ts';
import { createLineProgress } from './lines.ts';
import { createNdjsonProgress } from './ndjson.ts';
import { createPanelProgress } from './panel.ts';

export const PROGRESS_MODES = ['auto', 'line', 'ndjson', 'none'] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Progress {
  sink: EventSink;
  /** leaves the terminal clean */
  stop(): void;
}

/** A panel on a terminal, lines elsewhere; every event as one JSON object a line on request. */
export function createProgress(io: Io, mode: ProgressMode, level: LogLevel): Progress {
  if (mode === 'none') return { sink: () => {}, stop() {} };
  if (mode === 'ndjson') return createNdjsonProgress(io, level);
  if (mode === 'auto' && io.errIsTerminal && !io.ci) return createPanelProgress(io, level);
  return createLineProgress(io, level);
}
