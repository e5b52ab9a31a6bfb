import { HublineageError } from '../types/errors.ts';
import { type Headers, toTold } from './rate-headers.ts';

/** Time, injected so that tests need not wait. */
export interface Clock {
  /** ms since the epoch */
  now(): number;
  /** rejects with an AbortError when the signal is aborted meanwhile */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface PaceOptions {
  clock: Clock;
  signal: AbortSignal;
  /** requests begun in any minute at most, evenly spread; null: as fast as they are answered */
  perMinute: number | null;
  /** called when somebody begins to wait for the endpoint (not for `perMinute`) */
  onWait?: ((ms: number, reason: string) => void) | undefined;
}

/** When requests may begin: one gate for all that are under way at once. */
export interface Pace {
  /** Resolves when a request may begin. Interrupted; QuotaReached when that is more than 15 minutes away. */
  enter(): Promise<void>;
  /** The endpoint asked to wait (429, 503). HubThrottled when it has said nothing else for very long. */
  throttle(headers: Headers, reason: string): void;
  /** The endpoint answered; `headers` may say that this was the last request of the window. */
  answered(headers: Headers): void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_GUESS_MS = 60_000;
/** Longer waits are no pause: answers so far are kept, and the run ends so that it can be started again then. */
const LONGEST_WAIT_MS = 15 * 60_000;
/** Pauses in a row without one answer between them, after which the endpoint counts as down. */
const MAX_PAUSES = 30;

/** Waits as long as the endpoint says, or 1, 2, 4, ... 60 s where it says nothing; waiting costs no try. */
export function createPace({ clock, signal, perMinute, onWait }: PaceOptions): Pace {
  // whole milliseconds: fractions of one, added to the time of day, would round to a little more than is allowed
  const gapMs = perMinute === null ? 0 : Math.ceil(60_000 / perMinute);
  let closedUntil = 0;
  let nextSlot = 0;
  let pauses = 0;
  let reason = '';

  function close(ms: number, why: string): void {
    const until = clock.now() + ms;
    if (until <= closedUntil) return;
    closedUntil = until;
    reason = why;
    if (ms <= LONGEST_WAIT_MS) onWait?.(ms, why);
  }

  return {
    async enter() {
      for (;;) {
        if (signal.aborted) throw interrupted();
        const now = clock.now();
        if (closedUntil - now > LONGEST_WAIT_MS)
          throw new HublineageError(
            'QuotaReached',
            `${reason} It is to be asked again in ${Math.ceil((closedUntil - now) / 60_000)} minutes.`,
            {
              hint: 'Answers so far are kept: run the same command again then, and only what is missing is asked.',
            },
          );
        const ms = Math.max(closedUntil, nextSlot) - now;
        if (ms <= 0) {
          nextSlot = now + gapMs;
          return;
        }
        await sleep(clock, ms, signal);
      }
    },
    throttle(headers, why) {
      // requests that were under way together are told together: that is one pause
      const first = clock.now() >= closedUntil;
      if (first && ++pauses > MAX_PAUSES)
        throw new HublineageError(
          'HubThrottled',
          `${why} It has been saying so ${MAX_PAUSES} times in a row.`,
          {
            hint: 'Answers so far are kept: run the same command again later.',
          },
        );
      const told = toTold(headers, clock.now());
      const guess = Math.min(LONGEST_GUESS_MS, FIRST_WAIT_MS * 2 ** Math.min(10, pauses - 1));
      if (told !== null) close(told.ms, why);
      else if (first) close(guess, why);
    },
    answered(headers) {
      pauses = 0;
      const told = toTold(headers, clock.now());
      if (told?.spent === true) close(told.ms, 'The endpoint allows no more requests in this window.');
    },
  };
}

/** Sleeps; a stop meanwhile is an Interrupted. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    throw (error as Error).name === 'AbortError' ? interrupted() : error;
  }
}

export const interrupted = () => new HublineageError('Interrupted', 'Stopped while asking the endpoint.');
