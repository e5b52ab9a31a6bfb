import { ERROR_CODES, HublineageError } from '../types/errors.ts';
import type { HubClock } from './clock.ts';
import { TryAgain } from './failures.ts';
import { deadlineReached, interrupted } from './rate-limiter.ts';

export interface RetryOptions {
  /** tries altogether; the error's own code may allow fewer */
  tries: number;
  clock: HubClock;
  random: () => number;
  signal: AbortSignal | undefined;
  deadlineAt: number | null;
  onRetry: (error: HublineageError, attempt: number, waitMs: number) => void;
  /** Fewer tries than the code allows, given what happened so far. */
  limitTries?: ((error: HublineageError) => number) | undefined;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 8000;
const LONGEST_OBEYED_MS = 60_000;

/**
 * Calls `attempt` until it succeeds, fails for good, or its budget is used up: 1, 2, 4, 8, 8 ... s between tries (the schedule of
 * huggingface_hub's http_backoff), each shortened by up to half at random so that parallel requests do not come back together.
 * What is thrown in the end is the first failure; the later ones hang on its cause. Only a Hub that was out of reach at the last try
 * is said to be so whatever came before: that concerns everything, not this request.
 */
export async function withRetries<T>(
  attempt: (number: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const failures: HublineageError[] = [];
  for (let number = 1; ; number++) {
    try {
      return await attempt(number);
    } catch (error) {
      // A definite answer (the file is missing, the run was stopped) stands, whatever failed before it.
      if (!(error instanceof TryAgain)) throw error;
      failures.push(error.error);
      const tries = Math.min(
        options.tries,
        ERROR_CODES[error.error.code].attempts,
        options.limitTries?.(error.error) ?? Infinity,
      );
      if (number >= tries) throw combine(failures);
      const backoffMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (number - 1));
      const waitMs = Math.max(
        Math.min(error.waitMs ?? 0, LONGEST_OBEYED_MS),
        backoffMs * (1 - options.random() / 2),
      );
      if (options.signal?.aborted) throw interrupted();
      if (options.deadlineAt !== null && options.clock.now() + waitMs > options.deadlineAt)
        throw deadlineReached();
      options.onRetry(error.error, number, waitMs);
      await options.clock.sleep(waitMs, options.signal);
      if (options.signal?.aborted) throw interrupted();
    }
  }
}

function combine(failures: HublineageError[]): HublineageError {
  const last = failures.at(-1) as HublineageError;
  const first = last.code === 'HubUnreachable' ? last : (failures[0] as HublineageError);
  if (failures.length === 1) return first;
  const later = failures.filter((error) => error !== first);
  const others = [...new Set(later.map((error) => error.message))].filter((m) => m !== first.message);
  const suffix =
    others.length === 0 ? '' : `; ${first === last ? 'before' : 'later'}: ${others.slice(0, 3).join('; ')}`;
  return new HublineageError(first.code, `${first.message} (${failures.length} tries${suffix})`, {
    where: first.where,
    hint: first.hint,
    cause: new AggregateError(failures, `${failures.length} tries failed`),
  });
}
