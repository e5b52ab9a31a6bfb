import type { HubClock } from '../../src/hub/index.ts';
import type { Minihub } from '../../src/minihub/index.ts';
import { type RunEvent, type RunOptions, type RunOutcome, runStages } from '../../src/refresh/index.ts';
import type { Config } from '../../src/types/config.ts';

/** One time for the Hub, its client and the run; it passes only by sleeping (which takes none) and by `advance`. */
export interface TestClock extends HubClock {
  advance(ms: number): void;
}

export function createTestClock(startIso = '2026-01-10T01:00:00.000Z'): TestClock {
  let nowMs = Date.parse(startIso);
  return {
    now: () => nowMs,
    async sleep(ms, signal) {
      // a turn of the loop, so that whoever is woken by something else first can be cancelled
      await new Promise(setImmediate);
      if (!signal?.aborted) nowMs += Math.max(0, ms);
    },
    advance(ms) {
      nowMs += ms;
    },
  };
}

export interface NightOptions {
  /** whole sections are merged over the defaults of a test */
  config?: { [S in keyof Config]?: Partial<Config[S]> };
  clock: TestClock;
  full?: boolean;
  signal?: AbortSignal;
  graceMs?: number;
  stages?: RunOptions['stages'];
  emit?: (event: RunEvent) => void;
}

/** Few values a tensor, no report: enough for rows to be compared, and quick. */
function testConfig(endpoint: string, database: string, over: NightOptions['config'] = {}): Config {
  return {
    hub: {
      endpoint,
      token: null,
      contact: null,
      quotaShare: 1,
      concurrency: 4,
      cdnConcurrency: 8,
      timeoutMs: 20_000,
      retries: 5,
      redirectHosts: ['huggingface.co', '*.hf.co'],
      pageSize: 5,
      ...over.hub,
    },
    scope: {
      families: ['llama', 'stable-diffusion'],
      filters: {
        llama: ['llama'],
        'stable-diffusion': ['diffusers:StableDiffusionPipeline', 'stable-diffusion'],
      },
      authors: [],
      repos: [],
      reconcileDays: 7,
      readCards: 'missing',
      ...over.scope,
    },
    sampling: {
      valuesPerTensor: 64,
      maxRequests: 64,
      maxBytes: 400_000,
      seed: 1,
      concurrency: 4,
      ...over.sampling,
    },
    lineage: {
      method: 'hublineage',
      seed: 1,
      minProbability: 0.5,
      contradictionPValue: 1e-6,
      ...over.lineage,
    },
    database: { file: database },
    report: { directory: '.', formats: [], top: 10, metricsFile: null, ...over.report },
    run: { maxRequests: null, maxBytes: null, deadline: null, limit: null, ...over.run },
  };
}

/** One run of the whole pipeline in this process. */
export function runNight(
  hub: Pick<Minihub, 'url'>,
  database: string,
  options: NightOptions,
): Promise<RunOutcome> {
  const { clock } = options;
  return runStages({
    config: testConfig(hub.url, database, options.config),
    stages: options.stages ?? ['crawl', 'claims', 'fingerprint', 'infer', 'audit'],
    name: 'refresh',
    emit: options.emit ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
    now: () => new Date(clock.now()),
    hubClock: clock,
    ...(options.full === undefined ? {} : { full: options.full }),
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
  });
}
