// Longer than most files: one state machine whose parts make no sense apart. Its properties are held by rate-limiter.test.ts.
import { HublineageError } from '../types/errors.ts';
import type { HubClock } from './clock.ts';
import type { QuotaReport } from './rate-headers.ts';

/** Leave to send one request. Exactly one of `settle`, `lose` and `cancel` ends it. */
export interface Ticket {
  /** The request goes out now. */
  markSent(): void;
  /** An answer came, with what it said about this bucket (null: nothing). */
  settle(report: QuotaReport | null): void;
  /** No answer: the Hub may or may not have counted it. */
  lose(): void;
  /** Never sent. */
  cancel(): void;
}

export interface RateLimiter {
  /** Waits its turn (first come, first served). Interrupted when aborted, DeadlineReached when the wait would outlast the run. */
  acquire(signal?: AbortSignal): Promise<Ticket>;
  /** What an answer to a request of another bucket said about this one. */
  observe(report: QuotaReport, sentAtMs: number): void;
  /** The Hub refused (429): nobody goes out for this long. */
  pause(ms: number): void;
}

export interface RateLimiterOptions {
  share: number;
  /** tickets out at once, so that a quota lowered under our feet meets few of them */
  maxInFlight: number;
  clock: HubClock;
  deadlineAt: number | null;
  /** a server known to have no quota: only `pause` holds it up */
  unmetered?: boolean | undefined;
  onWait: (waitMs: number, reason: 'quota' | 'throttled') => void;
}

/**
 * The fixed window as far as answers have told. `remaining` is the lowest count heard in it; every answered request is counted
 * in that number, so what may be spent is `remaining` less the requests still without an answer. The end is an interval, because
 * `t` comes in whole seconds and travels: it lies in (sent + t - 1 s, received + t + 1 s].
 */
interface Window {
  remaining: number;
  /** tickets given out that may be charged to it */
  spent: number;
  earliestEndMs: number;
  latestEndMs: number;
  /** false while its end is a guess from its length */
  endTold: boolean;
}

const ROUNDING_MS = 1000;
const DEFAULT_WINDOW_MS = 300_000;
/** Answers without the header before a server counts as one that has no quota. */
const SILENT_ANSWERS = 3;

export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { clock } = options;
  const waiters: { give: (ticket: Ticket) => void; fail: (error: unknown) => void }[] = [];
  const inFlight = new Set<number>();
  let nextId = 0;
  let window: Window | null = null;
  /** In an unknown window one request goes first and asks; ids before `unknownSince` are of the window before. */
  let probe: number | null = null;
  let unknownSince = 0;
  let unknownSinceMs = Number.NEGATIVE_INFINITY;
  let silentAnswers = options.unmetered ? SILENT_ANSWERS : 0;
  /** The latest end of the window before an unknown one. */
  let lastEndMs = Number.POSITIVE_INFINITY;
  /**
   * Requests that may be missing from `remaining` though nothing is awaited any more (lost, or answered without the header), each
   * with the id that was next at that time: an answer to a later request counts them.
   */
  let uncounted: { countedFrom: number; noticedMs: number }[] = [];
  let quota: number | null = null;
  let windowMs = DEFAULT_WINDOW_MS;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let timer: { atMs: number; cancel: AbortController } | null = null;
  let announcedMs = Number.NEGATIVE_INFINITY;

  /** Of our own requests a window. With the whole quota as our share, `remaining` alone says it better. */
  const allowance = () =>
    quota === null || options.share >= 1 ? Infinity : Math.max(1, Math.floor(quota * options.share));

  function rollOver(): void {
    if (window === null || clock.now() <= window.latestEndMs) return;
    const { earliestEndMs, latestEndMs, endTold } = window;
    // What got lost was charged before that was noticed. From the earliest end on, that may have been to the new window.
    uncounted = endTold ? uncounted.filter(({ noticedMs }) => noticedMs >= earliestEndMs) : [];
    lastEndMs = latestEndMs;
    window = null;
    probe = null;
    unknownSince = nextId;
    unknownSinceMs = clock.now();
  }

  function roomIn(known: Window): number {
    const left = known.remaining - inFlight.size - uncounted.length;
    return Math.min(left, allowance() - known.spent);
  }

  function available(): number {
    if (clock.now() < pausedUntilMs) return 0;
    const room = options.maxInFlight - inFlight.size;
    if (window !== null) return Math.min(room, roomIn(window));
    if (quota === null && silentAnswers >= SILENT_ANSWERS) return room;
    return Math.min(room, probe === null ? 1 : 0);
  }

  /** When waiting helps although no answer is awaited: after the pause, the window, or both. */
  function wakeAtMs(): number | null {
    const pauseEndMs = clock.now() < pausedUntilMs ? pausedUntilMs : null;
    if (window === null) return pauseEndMs;
    const windowEndMs = window.latestEndMs + 1;
    if (pauseEndMs === null) return windowEndMs;
    return roomIn(window) > 0 ? pauseEndMs : Math.max(pauseEndMs, windowEndMs);
  }

  function drain(): void {
    rollOver();
    while (waiters.length > 0 && available() > 0) waiters.shift()!.give(createTicket());
    if (waiters.length === 0) {
      timer?.cancel.abort();
      timer = null;
      return;
    }
    const atMs = wakeAtMs();
    if (atMs === null) return;
    if (inFlight.size === 0) {
      if (options.deadlineAt !== null && atMs > options.deadlineAt) {
        for (const waiter of waiters.splice(0)) waiter.fail(deadlineReached());
        return;
      }
      announce(atMs);
    }
    if (timer !== null && timer.atMs === atMs) return;
    timer?.cancel.abort();
    const own = { atMs, cancel: new AbortController() };
    timer = own;
    void clock.sleep(atMs - clock.now(), own.cancel.signal).then(() => {
      if (timer !== own) return;
      timer = null;
      drain();
    });
  }

  /** What a window nobody has told us of may have been charged with: all since it began, and what was still out then. */
  function spentUnknown(): number {
    const before = [...inFlight].filter((id) => id < unknownSince).length;
    return before + nextId - unknownSince;
  }

  function announce(atMs: number): void {
    if (atMs === announcedMs) return;
    announcedMs = atMs;
    options.onWait(atMs - clock.now(), clock.now() < pausedUntilMs ? 'throttled' : 'quota');
  }

  function createTicket(): Ticket {
    const id = nextId++;
    let sentAtMs = clock.now();
    let open = true;
    inFlight.add(id);
    if (window === null) probe = id;
    else window.spent++;
    const end = (then: () => void) => () => {
      if (!open) return;
      open = false;
      inFlight.delete(id);
      if (probe === id) probe = null;
      rollOver();
      then();
      drain();
    };
    return {
      markSent: () => {
        sentAtMs = clock.now();
      },
      settle: (report) =>
        end(() => (report === null ? settleSilently(id) : learn(report, id, sentAtMs, id >= unknownSince)))(),
      lose: end(() => {
        noteUncounted();
        if (id >= unknownSince) boundUnknown();
      }),
      cancel: end(() => {
        if (window !== null) window.spent--;
      }),
    };
  }

  function noteUncounted(): void {
    uncounted.push({ countedFrom: nextId, noticedMs: clock.now() });
  }

  function settleSilently(id: number): void {
    silentAnswers++;
    if (window !== null || id < unknownSince || quota === null) {
      if (window !== null || quota !== null) noteUncounted();
      return;
    }
    // A new window whose first answer says nothing: the last quota we were told still holds.
    const nowMs = clock.now();
    window = {
      remaining: quota - 1,
      spent: spentUnknown(),
      earliestEndMs: nowMs,
      latestEndMs: nowMs + windowMs + ROUNDING_MS,
      endTold: false,
    };
  }

  /**
   * Requests that ask into an unknown window and get lost, one after another, may all have been counted there. Once they could have
   * emptied the quota last told, the window counts as empty until it must be over.
   */
  function boundUnknown(): void {
    if (window !== null || quota === null || inFlight.size + uncounted.length < quota) return;
    const nowMs = clock.now();
    window = {
      remaining: 0,
      spent: spentUnknown(),
      earliestEndMs: nowMs,
      latestEndMs: nowMs + windowMs + ROUNDING_MS,
      endTold: false,
    };
  }

  function learn(report: QuotaReport, id: number, sentAtMs: number, current: boolean): void {
    const nowMs = clock.now();
    silentAnswers = 0;
    if (report.windowSeconds !== null) windowMs = report.windowSeconds * 1000;
    quota = report.quota ?? Math.max(quota ?? 0, report.remaining + 1);
    const resetMs = report.resetSeconds === null ? null : report.resetSeconds * 1000;
    const endTold = resetMs !== null;
    const earliestEndMs = resetMs === null ? sentAtMs : sentAtMs + resetMs - ROUNDING_MS;
    const latestEndMs = nowMs + (resetMs ?? windowMs) + ROUNDING_MS;
    if (window === null) {
      // The answer to a request of the window before says nothing sure about this one, which may have been charged for it; unless it
      // tells of an end that only this one can have.
      if (!current && !(earliestEndMs > lastEndMs)) {
        noteUncounted();
        return;
      }
      startWindow(spentUnknown());
    } else if (earliestEndMs > window.latestEndMs) {
      startWindow(0);
    } else if (latestEndMs >= window.earliestEndMs) {
      window.remaining = Math.min(window.remaining, report.remaining);
      window.earliestEndMs = Math.max(window.earliestEndMs, earliestEndMs);
      window.latestEndMs = Math.min(window.latestEndMs, latestEndMs);
      window.endTold ||= endTold;
    } else {
      // A straggler of the window before, which we had put down to this one.
      if (id >= 0) window.spent = Math.max(0, window.spent - 1);
      return;
    }
    uncounted = uncounted.filter(({ countedFrom }) => countedFrom > id);

    /** Whatever was not heard of may have been counted in the new window, up to what it says was used. */
    function startWindow(known: number): void {
      const used = Math.max(1, (quota ?? 0) - report.remaining);
      const spent = Math.min(Math.max(known, inFlight.size + 1 + uncounted.length), inFlight.size + used);
      window = { remaining: report.remaining, spent, earliestEndMs, latestEndMs, endTold };
      probe = null;
    }
  }

  return {
    acquire: (signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(interrupted());
          return;
        }
        const waiter = {
          give: (ticket: Ticket) => {
            signal?.removeEventListener('abort', abort);
            resolve(ticket);
          },
          fail: (error: unknown) => {
            signal?.removeEventListener('abort', abort);
            reject(error);
          },
        };
        const abort = () => {
          const at = waiters.indexOf(waiter);
          if (at >= 0) waiters.splice(at, 1);
          waiter.fail(interrupted());
          drain();
        };
        signal?.addEventListener('abort', abort, { once: true });
        waiters.push(waiter);
        drain();
      }),
    observe: (report, sentAtMs) => {
      rollOver();
      learn(report, -1, sentAtMs, sentAtMs > unknownSinceMs);
      drain();
    },
    pause: (ms) => {
      pausedUntilMs = Math.max(pausedUntilMs, clock.now() + ms);
      drain();
    },
  };
}

export function interrupted(): HublineageError {
  return new HublineageError('Interrupted', 'stopped before it was done', {
    hint: 'run the same command again to go on',
  });
}

export function deadlineReached(): HublineageError {
  return new HublineageError('DeadlineReached', 'the time of this run is up', {
    hint: 'run the same command again to go on',
  });
}
