import { type ErrorCode, HublineageError } from '../types/errors.ts';

/** Errors that end a run early without anything being lost: run again to go on. */
const STOPPING: readonly ErrorCode[] = [
  'QuotaReached',
  'DeadlineReached',
  'LimitReached',
  'HubUnreachable',
  'Interrupted',
  'HubAuth',
];

export function isStopping(error: unknown): error is HublineageError {
  return error instanceof HublineageError && STOPPING.includes(error.code);
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new HublineageError('Interrupted', 'The run was interrupted.', {
      hint: 'Run the same command again to go on.',
    });
}
