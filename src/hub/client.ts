import { HublineageError } from '../types/errors.ts';
import type { HubContext } from './api.ts';
import { createSystemClock } from './clock.ts';
import type { HubClient, HubClientOptions, HubEvent } from './contract.ts';
import { listChangedSince } from './list-changed.ts';
import { listModels } from './list-models.ts';
import { listTree } from './list-tree.ts';
import { snapshotStats } from './meter.ts';
import { fetchModelInfo } from './model-info.ts';
import { openRepo } from './repo-files.ts';
import { withRetries } from './retry.ts';
import { createWire } from './wire.ts';

const DEFAULT_REDIRECT_HOSTS = ['huggingface.co', '*.hf.co', '*.huggingface.co', '*.xethub.hf.co'];
/** Until the endpoint has answered once, a dead one should be said to be dead, not tried for half a minute. */
const TRIES_AT_THE_START = 2;

/** Everything this program ever says to a Hub goes through one of these: quota, retries, limits and counters are per client. */
export function createHubClient(options: HubClientOptions): HubClient {
  const endpoint = readEndpoint(options.endpoint);
  const clock = options.clock ?? createSystemClock();
  const random = options.random ?? Math.random;
  const emit = (event: HubEvent) => options.onEvent?.(event);
  const wire = createWire({
    endpoint,
    token: options.token ?? null,
    userAgent: options.userAgent,
    quotaShare: options.quotaShare ?? 1,
    concurrency: options.concurrency ?? 8,
    cdnConcurrency: options.cdnConcurrency ?? 16,
    timeoutMs: options.timeoutMs ?? 30_000,
    clock,
    random,
    emit,
    dispatcher: options.dispatcher,
    signal: options.signal,
    budget: options.budget,
  });
  const context: HubContext = {
    wire,
    endpoint: endpoint.href.replace(/\/+$/, ''),
    policy: { endpoint, hosts: options.redirectHosts ?? DEFAULT_REDIRECT_HOSTS },
    hasToken: options.token != null,
    emit,
    now: clock.now,
    retrying: (attempt, { bucket, where, limitTries }) =>
      withRetries(attempt, {
        tries: options.retries ?? 5,
        clock,
        random,
        signal: wire.signal,
        deadlineAt: options.budget?.deadlineAt ?? null,
        limitTries: (error) =>
          Math.min(
            limitTries?.(error) ?? Infinity,
            error.code === 'HubUnreachable' && !wire.reached() ? TRIES_AT_THE_START : Infinity,
          ),
        onRetry: (error, attempt, waitMs) => {
          wire.stats.retries++;
          emit({ type: 'retry', bucket, code: error.code, attempt, waitMs, where });
        },
      }),
  };
  return {
    listModels: (query, call) => listModels(context, query, call),
    listChangedSince: (watermarkIso, overlapMs, query, call) =>
      listChangedSince(context, watermarkIso, overlapMs, query, call),
    modelInfo: (repo, call) => fetchModelInfo(context, repo, call),
    listTree: (repo, revision, call) => listTree(context, repo, revision, call),
    openRepo: (repo, revision, call) => openRepo(context, repo, revision, call),
    stats: () => snapshotStats(wire.stats),
    close: () => wire.close(),
  };
}

function readEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const valid = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '';
  if (!valid) {
    throw new HublineageError('ConfigInvalid', `not the address of a Hub: ${text.slice(0, 200)}`, {
      hint: 'https://huggingface.co, or what HF_ENDPOINT should be',
    });
  }
  return url;
}
