import type { ErrorCode } from '../types/errors.ts';

export const STAGES = ['crawl', 'claims', 'fingerprint', 'infer', 'audit', 'report'] as const;
export type Stage = (typeof STAGES)[number];

/** Everything a run tells while it goes on; progress lines, panels, NDJSON and logs are made from these. */
export type RunEvent =
  | { type: 'stage-start'; stage: Stage /** null = not known beforehand */; total: number | null }
  | { type: 'progress'; stage: Stage; done: number; total: number | null; detail: string }
  | { type: 'stage-end'; stage: Stage; summary: string; elapsedMs: number }
  | { type: 'wait'; message: string; waitMs: number }
  | { type: 'failure'; stage: Stage; repo: string; code: ErrorCode; message: string; final: boolean }
  /** `level`: how loud; debug when absent */
  | { type: 'remark'; message: string; level?: 'info' };

export type EventSink = (event: RunEvent) => void;
