import { extractClaims } from '../claims/index.ts';
import { encodeFingerprint, fingerprintModel, meterFiles } from '../fingerprint/index.ts';
import { type FingerprintRow, isWeightFile, type PendingRepo, toWeightsKey } from '../store/index.ts';
import { STATUS_OF_ERROR } from '../types/error-statuses.ts';
import { HublineageError, toHublineageError } from '../types/errors.ts';
import type { HubFile, RepoFiles } from '../types/hub.ts';
import type { ModelWeights } from '../types/weights.ts';
import { openModel } from '../weights/index.ts';
import { readAnalyserVersion } from './analyser-version.ts';
import { CLAIMS_VERSION, replaceFileClaims } from './claims-stage.ts';
import type { RunContext } from './context.ts';
import { expectedWeightFiles } from './expected-weight-files.ts';
import { readExtraClaims } from './extra-claims.ts';
import { linkGated, noteNewFingerprints } from './link-gated.ts';
import { retryAt } from './retry-at.ts';
import { isStopping, throwIfAborted } from './stopping.ts';

const PAGE = 200;

/**
 * Reads the weights of every repo that is new or whose weight files changed, a few megabytes each. Equal files are read once: a repo whose
 * weight files are known by their sha256 takes the stored fingerprint, which is also how a gated repo comes to one.
 */
export async function fingerprintPending(context: RunContext): Promise<void> {
  const { store, config } = context;
  const version = await readAnalyserVersion(context);
  const query = { stage: 'fingerprint' as const, version, families: config.scope.families };
  const pending = await store.countPending(query);
  const total = config.run.limit === null ? pending : Math.min(pending, config.run.limit);
  context.emit({ type: 'stage-start', stage: 'fingerprint', total });

  const work = new FingerprintWork(context, version, total);
  const queue = pendingRepos(context, query, total);
  const workers = Array.from({ length: countWorkers(context, total) }, () => work.run(queue));
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  await linkGated(context, version);
  if (pending > total)
    context.unfinished ??= new HublineageError(
      'LimitReached',
      `${total} models were read, ${pending - total} are left`,
      { hint: 'run the same command again to go on, or raise --limit' },
    );
}

/** As many models at once as this run's limits have room for: several that share too little would all end half read, night after night. */
function countWorkers({ config, hub, emit }: RunContext, total: number): number {
  const { sampling, run } = config;
  const { requestsByBucket, bytes } = hub.stats();
  const requests = Object.values(requestsByBucket).reduce((sum, count) => sum + count, 0);
  const roomFor = (limit: number | null, spent: number, each: number) =>
    limit === null ? Number.POSITIVE_INFINITY : Math.floor((limit - spent) / each);
  const room = Math.min(
    roomFor(run.maxRequests, requests, sampling.maxRequests),
    roomFor(run.maxBytes, bytes, sampling.maxBytes),
  );
  if (total > 0 && room < 1)
    emit({
      type: 'remark',
      message: 'what is left of the limits of this run may be too little for one large model',
    });
  return Math.max(1, Math.min(sampling.concurrency, total, room));
}

async function* pendingRepos(
  context: RunContext,
  query: { stage: 'fingerprint'; version: number; families: readonly ('llama' | 'stable-diffusion')[] },
  limit: number,
): AsyncGenerator<PendingRepo, void, void> {
  let afterKey: string | null = null;
  let given = 0;
  while (given < limit) {
    const page: PendingRepo[] = await context.store.takePending({
      ...query,
      limit: Math.min(PAGE, limit - given),
      afterKey,
    });
    if (page.length === 0) return;
    for (const repo of page) {
      given++;
      yield repo;
    }
    afterKey = page.at(-1)?.key ?? null;
  }
}

class FingerprintWork {
  readonly #context: RunContext;
  readonly #version: number;
  readonly #total: number;
  /** weights being read right now: a second repo with equal files waits and shares */
  readonly #underWay = new Map<string, Promise<void>>();
  #done = 0;
  #stopped = false;

  constructor(context: RunContext, version: number, total: number) {
    this.#context = context;
    this.#version = version;
    this.#total = total;
  }

  async run(queue: AsyncGenerator<PendingRepo, void, void>): Promise<void> {
    for (;;) {
      if (this.#stopped) return;
      throwIfAborted(this.#context.signal);
      const next = await queue.next();
      if (next.done) return;
      try {
        await this.#readRepo(next.value);
      } catch (error) {
        // every worker stops after the work it has in hand; what is not done stays pending
        this.#stopped = true;
        throw error;
      }
      this.#done++;
      this.#context.emit({
        type: 'progress',
        stage: 'fingerprint',
        done: this.#done,
        total: this.#total,
        detail: next.value.repo,
      });
    }
  }

  async #readRepo(repo: PendingRepo): Promise<void> {
    const { store } = this.#context;
    try {
      await this.#fingerprint(repo);
      await store.clearFailure(repo.hubId, 'fingerprint');
    } catch (cause) {
      if (isStopping(cause)) throw cause;
      await this.#recordOutcome(repo, toHublineageError(cause, repo.repo));
    }
  }

  async #fingerprint(repo: PendingRepo): Promise<void> {
    const { store, hub, counts } = this.#context;
    const version = this.#version;
    if (repo.hub.disabled)
      return store.setStatus(repo.hubId, repo.sha, version, 'gone', 'The Hub disabled access to this repo.');
    if (!repo.hub.files.some(isWeightFile))
      return store.setStatus(repo.hubId, repo.sha, version, 'no_weights', 'No weight file among its files.');

    const files = meterFiles(hub.openRepo(repo.repo, repo.sha ?? 'main', { gated: repo.hub.gated }));
    const list = await files.list();
    const { carriedVersion } = await store.saveFiles(repo.hubId, repo.sha, list);
    if (carriedVersion !== null && carriedVersion >= version) return;

    const key = toWeightsKey(expectedWeightFiles(list, repo.repo));
    const equal = key === null ? undefined : this.#underWay.get(key);
    if (equal) await equal.catch(() => undefined);
    if (
      key !== null &&
      (await store.linkFingerprint({ hubId: repo.hubId, sha: repo.sha, version, weightsKey: key }))
    ) {
      counts.shared++;
      return;
    }
    const reading = this.#read(repo, files, list);
    if (key !== null) this.#underWay.set(key, reading);
    try {
      await reading;
    } finally {
      if (key !== null) this.#underWay.delete(key);
    }
  }

  async #read(repo: PendingRepo, files: RepoFiles, list: HubFile[]): Promise<void> {
    const { store, config, counts } = this.#context;
    const weights = await openModel(files, {
      config: repo.hub.config,
      tags: repo.hub.tags,
      libraryName: repo.hub.libraryName,
    });
    const fingerprint = await fingerprintModel(weights, files, config.sampling);
    const { blob } = encodeFingerprint(fingerprint);
    const { tensors: _tensors, ...summary } = fingerprint;
    const row: FingerprintRow = {
      hubId: repo.hubId,
      sha: repo.sha,
      version: this.#version,
      weightsKey: toWeightsKey(fingerprint.files) ?? `repo:${repo.hubId}:${repo.sha}`,
      blob,
      summary,
      status: fingerprint.kind === 'adapter' ? 'adapter' : 'fingerprinted',
    };
    await this.#saveExtraClaims(repo, files, list, weights);
    await noteNewFingerprints(this.#context);
    await store.saveFingerprint(row);
    counts.fingerprinted++;
  }

  /** What only the files tell: adapter_config.json, `_name_or_path`, GGUF and kohya metadata. */
  async #saveExtraClaims(
    repo: PendingRepo,
    files: RepoFiles,
    list: HubFile[],
    weights: ModelWeights,
  ): Promise<void> {
    const { store } = this.#context;
    const extra = await readExtraClaims(repo.hub, files, list, weights);
    const { claims } = extractClaims({ repo: repo.hub, ...extra });
    const kept = replaceFileClaims(await store.getClaims(repo.hubId), claims);
    await store.replaceClaims(repo.hubId, repo.sha, kept, CLAIMS_VERSION);
  }

  async #recordOutcome(repo: PendingRepo, error: HublineageError): Promise<void> {
    const { store, counts, emit, now } = this.#context;
    const status = STATUS_OF_ERROR[error.code];
    if (status !== undefined) {
      if (status === 'gated') await noteNewFingerprints(this.#context);
      await store.clearFailure(repo.hubId, 'fingerprint');
      await store.setStatus(repo.hubId, repo.sha, this.#version, status, error.message);
      return;
    }
    if (error.code === 'RepoGone' || error.code === 'RepoDisabled') {
      counts.reposGone += await store.setGone([repo.hubId], this.#context.runId);
      return;
    }
    const failure = await store.recordFailure({
      hubId: repo.hubId,
      stage: 'fingerprint',
      version: this.#version,
      error: { code: error.code, message: error.where ? `${error.message} (${error.where})` : error.message },
      retryAfter: retryAt(now(), repo.attempts),
    });
    if (failure.exhausted)
      await store.setStatus(repo.hubId, repo.sha, this.#version, 'failed', error.message);
    counts.failed++;
    emit({
      type: 'failure',
      stage: 'fingerprint',
      repo: repo.repo,
      code: error.code,
      message: error.message,
      final: failure.exhausted,
    });
  }
}
