// Longer than most files: the one place where a request meets quota, queue, counters and the socket, in that order.
import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import PQueue from 'p-queue';
import { Agent, type Dispatcher, request as undiciRequest } from 'undici';
import { HublineageError } from '../types/errors.ts';
import { readCapped, readDecoded } from './body.ts';
import type { HubClock } from './clock.ts';
import type { Bucket, HubBudget, HubEvent, HubMeter, HubStats } from './contract.ts';
import { fromNetworkError, TryAgain } from './failures.ts';
import { createMeter } from './meter.ts';
import { fromRateHeaders, fromRetryAfter, type QuotaReport } from './rate-headers.ts';
import { createRateLimiter, interrupted, type RateLimiter, type Ticket } from './rate-limiter.ts';
import { createRunBudget } from './run-budget.ts';

export interface WireRequest {
  url: URL;
  bucket: Bucket;
  /** lower-case names; identity and authorization are added here */
  headers: Record<string, string>;
  /** for messages; never a signed URL */
  where: string;
  meter?: HubMeter | undefined;
  /** bytes the answer will bring, where that is known beforehand */
  expectedBytes?: number | undefined;
}

export interface Answer {
  status: number;
  /** lower-case names */
  headers: Record<string, string>;
  url: URL;
  /** ms on the client's clock */
  receivedAtMs: number;
  /** The body as sent; BodyTooLarge beyond the cap. */
  readBytes(maxBytes: number): Promise<Uint8Array>;
  /** The body with its content coding undone, capped before and after. */
  readDecoded(maxBytes: number): Promise<Uint8Array>;
  /** Drops the connection: nothing more of this body is wanted. */
  abort(): void;
}

export interface Wire {
  /** One answered request; `handle` has the connection until it returns and must not send on its own. A 429 is waited out here. */
  send<T>(request: WireRequest, handle: (answer: Answer) => Promise<T>): Promise<T>;
  /** whether the endpoint ever answered */
  reached(): boolean;
  readonly stats: HubStats;
  readonly signal: AbortSignal;
  close(): Promise<void>;
}

export interface WireOptions {
  endpoint: URL;
  token: string | null;
  userAgent: string;
  quotaShare: number;
  concurrency: number;
  cdnConcurrency: number;
  timeoutMs: number;
  clock: HubClock;
  random: () => number;
  emit: (event: HubEvent) => void;
  dispatcher: Dispatcher | undefined;
  signal: AbortSignal | undefined;
  budget: HubBudget | undefined;
}

/** 429s one request sits out before it gives up; with the Hub's windows that is well over an hour. */
const MAX_THROTTLED = 20;
const LONGEST_THROTTLE_MS = 60_000;
/** A body that drips must end within this many timeouts, or it holds its connection for ever. */
const BODY_TIMEOUTS = 5;
/** What is read of a body nobody wants, so that its connection can be used again. */
const DUMPED_BYTES = 65_536;

export function createWire(options: WireOptions): Wire {
  const { clock, endpoint, emit } = options;
  const stats: HubStats = { ...createMeter(), waitsMs: 0, throttled: 0, retries: 0 };
  const budget = createRunBudget(options.budget, clock);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const onAbort = () => stop.abort();
  if (options.signal?.aborted) stop.abort();
  options.signal?.addEventListener('abort', onAbort, { once: true });

  const createPool = (connections: number) =>
    options.dispatcher ?? new Agent({ connections, pipelining: 1, connect: { timeout: options.timeoutMs } });
  const pools = { hub: createPool(options.concurrency), cdn: createPool(options.cdnConcurrency) };
  const queues = {
    hub: new PQueue({ concurrency: options.concurrency }),
    cdn: new PQueue({ concurrency: options.cdnConcurrency }),
  };
  const limiters: Record<Bucket, RateLimiter> = {
    api: createLimiter('api'),
    resolvers: createLimiter('resolvers'),
    pages: createLimiter('pages'),
    cdn: createLimiter('cdn'),
  };
  let reached = false;

  function createLimiter(bucket: Bucket): RateLimiter {
    return createRateLimiter({
      share: options.quotaShare,
      maxInFlight: bucket === 'cdn' ? options.cdnConcurrency : options.concurrency,
      clock,
      deadlineAt: options.budget?.deadlineAt ?? null,
      unmetered: bucket === 'cdn',
      onWait: (waitMs, reason) => {
        stats.waitsMs += waitMs;
        const seconds = Math.max(1, Math.round(waitMs / 1000));
        const message =
          bucket === 'cdn'
            ? `waiting ${seconds} s: the CDN asked for a pause`
            : `waiting ${seconds} s for the Hub's ${bucket} quota`;
        emit({ type: 'wait', bucket, reason, waitMs, message });
      },
    });
  }

  async function send<T>(request: WireRequest, handle: (answer: Answer) => Promise<T>): Promise<T> {
    const lane = request.bucket === 'cdn' ? 'cdn' : 'hub';
    for (let throttled = 1; ; throttled++) {
      const ticket = await limiters[request.bucket].acquire(stop.signal);
      const outcome = await queues[lane].add(async () => {
        const release = permit(request, ticket);
        return exchange(request, pools[lane], ticket, handle, throttled).finally(release);
      });
      if (outcome !== THROTTLED) return outcome;
      if (throttled >= MAX_THROTTLED) {
        throw new HublineageError('HubThrottled', `refused ${throttled} times in a row (429)`, {
          where: request.where,
          hint: 'try later, or with a lower hub.quotaShare',
        });
      }
    }
  }

  /** The run may have ended while the request waited its turn. */
  function permit(request: WireRequest, ticket: Ticket): () => void {
    try {
      if (stop.signal.aborted) throw interrupted();
      return budget.spend(request.expectedBytes ?? 0);
    } catch (error) {
      ticket.cancel();
      throw error;
    }
  }

  async function exchange<T>(
    request: WireRequest,
    dispatcher: Dispatcher,
    ticket: Ticket,
    handle: (answer: Answer) => Promise<T>,
    throttled: number,
  ): Promise<T | typeof THROTTLED> {
    const own = request.url.origin === endpoint.origin;
    count(request, (meter) => {
      meter.requestsByBucket[request.bucket]++;
    });
    ticket.markSent();
    const sentAtMs = clock.now();
    const context = { where: request.where, host: request.url.host, ownOrigin: own, inBody: false };

    let response: Dispatcher.ResponseData;
    try {
      response = await undiciRequest(request.url, {
        dispatcher,
        method: 'GET',
        headers: {
          'user-agent': options.userAgent,
          // The token is for the endpoint's origin and nobody else, wherever a redirect leads.
          ...(own && options.token !== null ? { authorization: `Bearer ${options.token}` } : {}),
          ...request.headers,
        },
        headersTimeout: options.timeoutMs,
        bodyTimeout: options.timeoutMs,
        signal: stop.signal,
      });
    } catch (error) {
      ticket.lose();
      throw stop.signal.aborted ? interrupted() : fromNetworkError(error, context);
    }

    const headers = flattenHeaders(response.headers);
    const report = own ? fromRateHeaders(headers.ratelimit, headers['ratelimit-policy']) : null;
    if (own) reached = true;
    if (response.statusCode === 429) {
      discard(response);
      const waitMs = throttleMs(headers, report, throttled);
      stats.throttled++;
      emit({ type: 'throttled', bucket: request.bucket, waitMs, where: request.where });
      limiters[request.bucket].pause(waitMs);
      settle(request.bucket, ticket, report, sentAtMs);
      return THROTTLED;
    }
    settle(request.bucket, ticket, report, sentAtMs);

    const { body } = response;
    // undici answers an abort while nobody reads with an error event, which would be nobody's.
    body.on('error', () => {});
    const tooSlow = setTimeout(() => body.destroy(SLOW_BODY()), BODY_TIMEOUTS * options.timeoutMs);
    const counted = () => Readable.from(countBytes(request, body), { objectMode: false });
    try {
      return await handle({
        status: response.statusCode,
        headers,
        url: request.url,
        receivedAtMs: clock.now(),
        readBytes: (maxBytes) => readCapped(counted(), maxBytes, request.where),
        readDecoded: (maxBytes) =>
          readDecoded(counted(), headers['content-encoding'], maxBytes, request.where),
        abort: () => body.destroy(),
      });
    } catch (error) {
      if (error instanceof HublineageError || error instanceof TryAgain) throw error;
      throw stop.signal.aborted ? interrupted() : fromNetworkError(error, { ...context, inBody: true });
    } finally {
      clearTimeout(tooSlow);
      if (!body.readableEnded && !body.destroyed) discard(response);
    }
  }

  async function* countBytes(
    request: WireRequest,
    body: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      budget.receive(chunk.byteLength);
      count(request, (meter) => {
        meter.bytes += chunk.byteLength;
      });
      yield chunk;
    }
  }

  function count(request: WireRequest, add: (meter: HubMeter) => void): void {
    add(stats);
    if (request.meter !== undefined) add(request.meter);
  }

  /** The header names the bucket an answer was charged to, which need not be the one we thought. */
  function settle(bucket: Bucket, ticket: Ticket, report: QuotaReport | null, sentAtMs: number): void {
    if (report !== null && report.bucket !== bucket) {
      if (report.bucket === 'api' || report.bucket === 'resolvers' || report.bucket === 'pages') {
        limiters[report.bucket].observe(report, sentAtMs);
      }
      ticket.settle(null);
      return;
    }
    ticket.settle(report);
  }

  /** hub-api: `t + 1` seconds where the window is empty, else Retry-After, else 1, 2, 4 ... s, shortened at random. */
  function throttleMs(headers: Record<string, string>, report: QuotaReport | null, attempt: number): number {
    if (report !== null && report.remaining === 0 && report.resetSeconds !== null) {
      return (report.resetSeconds + 1) * 1000;
    }
    const asked = fromRetryAfter(headers['retry-after'], clock.now());
    if (asked !== null) return asked + 1;
    return Math.min(LONGEST_THROTTLE_MS, 1000 * 2 ** (attempt - 1)) * (1 - options.random() / 2);
  }

  return {
    send,
    reached: () => reached,
    stats,
    signal: stop.signal,
    close: async () => {
      stop.abort();
      options.signal?.removeEventListener('abort', onAbort);
      if (options.dispatcher === undefined) await Promise.all([pools.hub.destroy(), pools.cdn.destroy()]);
    },
  };
}

const THROTTLED = Symbol('throttled');
const SLOW_BODY = () => Object.assign(new Error('the body drips'), { code: 'UND_ERR_BODY_TIMEOUT' });

/** Reads a little on, so that the connection can serve the next request, and drops it when there is more. */
function discard(response: Dispatcher.ResponseData): void {
  void response.body.dump({ limit: DUMPED_BYTES }).catch(() => {});
}

function flattenHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
