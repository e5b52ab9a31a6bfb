import { type ErrorCode, HublineageError } from '../types/errors.ts';

/** Limits of one run: nothing more is asked of the Hub, but what was read is still concluded from and reported. */
const LIMITS: readonly ErrorCode[] = ['QuotaReached', 'DeadlineReached', 'LimitReached'];

/** Errors that end a run early without anything being lost: run again to go on. */
const STOPPING: readonly ErrorCode[] = [
  ...LIMITS,
  'HubUnreachable',
  'HubThrottled',
  'HubAuth',
  'Interrupted',
];

/** What the Hub can do to one request, after all retries: it concerns what was asked for and nothing else. */
const TROUBLE: readonly ErrorCode[] = [
  'CdnUnreachable',
  'HubOverloaded',
  'HubTimeout',
  'HubBadAnswer',
  'RepoGated',
  'RevisionGone',
  'FileMissing',
  'RangeIgnored',
  'RangeMismatch',
  'BodyTruncated',
  'SignatureExpired',
  'RedirectRefused',
  'BodyTooLarge',
];

const hasCode = (error: unknown, codes: readonly ErrorCode[]): error is HublineageError =>
  error instanceof HublineageError && codes.includes(error.code);

export const isLimit = (error: unknown): error is HublineageError => hasCode(error, LIMITS);
export const isStopping = (error: unknown): error is HublineageError => hasCode(error, STOPPING);
export const isHubTrouble = (error: unknown): error is HublineageError => hasCode(error, TROUBLE);

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new HublineageError('Interrupted', 'The run was interrupted.', {
      hint: 'Run the same command again to go on.',
    });
}

/** Lets signals and timers in between two pieces of work that keep the event loop busy, then stops if one asked for it. */
export async function yieldToSignals(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  throwIfAborted(signal);
}
