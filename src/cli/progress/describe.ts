import type { RunEvent } from '../../refresh/index.ts';
import { formatCount, formatDuration, toPrintable } from '../format.ts';
import type { LogLevel } from './index.ts';

const ORDER: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

const LEVEL_OF: Record<RunEvent['type'], LogLevel> = {
  'stage-start': 'info',
  progress: 'info',
  'stage-end': 'info',
  wait: 'info',
  failure: 'warn',
  remark: 'debug',
};

export function levelOf(event: RunEvent): LogLevel {
  return event.type === 'remark' && event.level ? event.level : LEVEL_OF[event.type];
}

export function isShown(event: RunEvent, level: LogLevel): boolean {
  return ORDER.indexOf(levelOf(event)) <= ORDER.indexOf(level);
}

/** `fingerprint  12 of 40  owner/name`; no share where the total is unknown. */
export function describeProgress(event: Extract<RunEvent, { type: 'progress' }>): string {
  const count =
    event.total === null
      ? formatCount(event.done)
      : `${formatCount(event.done)} of ${formatCount(event.total)}`;
  return `${count}  ${toPrintable(event.detail)}`;
}

export function describeEvent(event: Exclude<RunEvent, { type: 'progress' }>): string {
  switch (event.type) {
    case 'stage-start':
      return `${event.stage}: started`;
    case 'stage-end':
      return `${event.stage}: ${event.summary} (${formatDuration(event.elapsedMs)})`;
    case 'wait':
      return event.message;
    case 'failure':
      return toPrintable(
        `${event.stage}: ${event.repo}: ${event.message} [${event.code}${event.final ? ', given up' : ', tried again later'}]`,
      );
    case 'remark':
      return toPrintable(event.message);
  }
}
