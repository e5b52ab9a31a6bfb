/**
 * `npm run bench:crawl [-- --count 2000 --naive-megabytes 64 --no-quota --json FILE]`: what a crawl costs. Virtual repos of real shapes (1B, 7B, 8B,
 * 70B, SD 1.5 and XL, every container) are served by a minihub in a process of its own; crawled, read by slices, and a night later
 * again with about 1 % changed. Beside it the naive way: whole weight files through `@huggingface/hub`, and what real quotas leave
 * unused on a compressed clock.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { downloadFile, listFiles } from '@huggingface/hub';
import { DEFAULT_MIN_PROBABILITY } from '../src/config/index.ts';
import { createHubClient } from '../src/hub/index.ts';
import { type RunOutcome, runStages } from '../src/refresh/index.ts';
import type { Config } from '../src/types/config.ts';
import { type HubAnswer, type RepoCost, startHubProcess } from './lib/hub-process.ts';
import { table } from './lib/table.ts';

const { values: flags } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    /** of each of the two models; 0 = all of it */
    'naive-megabytes': { type: 'string', default: '64' },
    quota: { type: 'boolean', default: true },
    json: { type: 'string' },
  },
  allowNegative: true,
});
const count = Number(flags.count);
const naiveBytes = Number(flags['naive-megabytes']) * 1e6 || Number.POSITIVE_INFINITY;
const folder = mkdtempSync(join(tmpdir(), 'bench-crawl-'));
const database = join(folder, 'index.sqlite');
const mb = (bytes: number) => Number((bytes / 1e6).toFixed(2));
const results: Record<string, unknown> = { count };

function toConfig(endpoint: string): Config {
  return {
    hub: {
      endpoint,
      token: null,
      contact: null,
      quotaShare: 1,
      concurrency: 8,
      cdnConcurrency: 16,
      timeoutMs: 30_000,
      retries: 5,
      redirectHosts: [],
      pageSize: 1000,
    },
    scope: {
      families: ['llama', 'stable-diffusion'],
      // the whole Hub is of our families here; a filter by library finds what carries no family's tag
      filters: { llama: ['text-generation'], 'stable-diffusion': ['text-to-image'] },
      authors: [],
      repos: [],
      reconcileDays: 7,
      readCards: 'missing',
    },
    sampling: { valuesPerTensor: 512, maxRequests: 256, maxBytes: 4_000_000, seed: 1, concurrency: 4 },
    lineage: {
      method: 'hublineage',
      seed: 1,
      minProbability: DEFAULT_MIN_PROBABILITY,
      contradictionPValue: 1e-6,
    },
    database: { file: database },
    report: { directory: folder, formats: [], top: 10, metricsFile: null },
    run: { maxRequests: null, maxBytes: null, deadline: null, limit: null },
  };
}

interface Measured {
  outcome: RunOutcome;
  seconds: number;
  cpuShare: number;
  /** peak resident memory of this process when so many repos were done */
  memory: { repos: number; peakMb: number }[];
}

/** Lists, reads claims and fingerprints: what asks the Hub. */
async function crawl(url: string, marks: readonly number[]): Promise<Measured> {
  const memory: Measured['memory'] = [];
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const peakMb = () => Math.round(process.resourceUsage().maxRSS / 1024);
  const outcome = await runStages({
    config: toConfig(url),
    stages: ['crawl', 'claims', 'fingerprint'],
    name: 'refresh',
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'failure') console.error(`${event.repo}: ${event.code} ${event.message}`);
      if (event.type !== 'progress' || event.stage !== 'fingerprint') return;
      if (marks.includes(event.done)) memory.push({ repos: event.done, peakMb: peakMb() });
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  memory.push({ repos: outcome.counts.reposSeen, peakMb: peakMb() });
  return { outcome, seconds, cpuShare: (user + system) / 1e6 / seconds, memory };
}

function tellNight(title: string, measured: Measured, answer: HubAnswer): void {
  const { outcome, seconds, cpuShare, memory } = measured;
  const { counts, spending } = outcome;
  console.log(`\n## ${title}\n`);
  const row = {
    'repos seen': counts.reposSeen,
    new: counts.reposNew,
    changed: counts.reposChanged,
    read: counts.fingerprinted,
    'by hash': counts.shared,
    failed: counts.failed,
    'api requests': spending.requestsApi,
    resolves: spending.requestsResolvers,
    slices: spending.requestsCdn,
    MB: mb(spending.bytes),
    seconds: Number(seconds.toFixed(1)),
    'repos/s': Number((counts.reposSeen / seconds).toFixed(1)),
    'client CPU': `${Math.round(cpuShare * 100)} % of one core`,
    'counted as downloads': Object.values(answer.stats.downloads).reduce((sum, n) => sum + n, 0),
    429: answer.stats.throttled,
  };
  for (const [name, value] of Object.entries(row)) console.log(`- ${name}: ${value}`);
  console.log(
    `- peak memory of the client: ${memory.map(({ repos, peakMb }) => `${peakMb} MB at ${repos}`).join(', ')}`,
  );
  results[title] = { ...row, memory };
}

function tellCosts(costs: readonly RepoCost[]): void {
  const kinds = Map.groupBy(
    costs.filter(({ slices }) => slices > 0),
    ({ shape, container }) => `${shape} ${container}`,
  );
  const rows = [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, all]) => {
      const max = (pick: (cost: RepoCost) => number) => Math.max(...all.map(pick));
      const mean = (pick: (cost: RepoCost) => number) =>
        all.reduce((sum, cost) => sum + pick(cost), 0) / all.length;
      return [
        kind,
        all.length,
        Math.round(mean((c) => c.slices)),
        max((c) => c.slices),
        mb(mean((c) => c.bytes)),
        mb(max((c) => c.bytes)),
        (mean((c) => c.fileBytes) / 1e9).toFixed(2),
        `${(100 * max((c) => c.bytes / c.fileBytes)).toFixed(4)} %`,
      ];
    });
  console.log('\n## What a model costs\n');
  console.log(table(['kind', 'models', 'slices', 'max', 'MB', 'max', 'GB of files', 'largest share'], rows));
  results.costs = rows;
}

/** Weight files fetched whole, as a first program would. Where only a part is fetched, the time of the rest is extrapolated and marked. */
async function fetchWhole(url: string, repo: string) {
  let total = 0;
  let fetched = 0;
  const startedAt = performance.now();
  for await (const file of listFiles({ repo, hubUrl: url, recursive: true })) {
    if (file.lfs === undefined) continue;
    total += file.size;
    if (fetched >= naiveBytes) continue;
    const blob = await downloadFile({ repo, path: file.path, hubUrl: url, xet: false });
    const reader = blob?.stream().getReader();
    for (;;) {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) break;
      fetched += chunk.value.length;
      if (fetched >= naiveBytes) {
        await reader?.cancel();
        break;
      }
    }
  }
  return { total, fetched, seconds: (performance.now() - startedAt) / 1000 };
}

async function compareWithNaive(url: string, costs: readonly RepoCost[], night: Measured): Promise<void> {
  console.log('\n## Beside fetching whole files with @huggingface/hub\n');
  const meanSeconds = night.seconds / Math.max(1, night.outcome.counts.fingerprinted);
  const rows: (string | number)[][] = [];
  for (const [kind, shape] of [
    ['Llama 7B', 'llama-7b'],
    ['SD 1.5', 'sd-1.5'],
  ] as const) {
    // one in plain files: computing somebody's GGUF would time the server's arithmetic
    const cost = costs.find(
      (one) => one.shape === shape && one.slices > 0 && !/gguf|peft/.test(one.container),
    );
    if (cost === undefined) continue;
    const naive = await fetchWhole(url, cost.repo);
    const whole = naive.fetched >= naive.total;
    const seconds = whole ? naive.seconds : (naive.seconds * naive.total) / naive.fetched;
    rows.push([
      `${kind} (${cost.repo})`,
      mb(naive.total),
      whole ? 'all' : `${mb(naive.fetched)} MB`,
      `${seconds.toFixed(1)}${whole ? '' : ' (extrapolated)'}`,
      mb(cost.bytes),
      meanSeconds.toFixed(2),
      Math.round(naive.total / cost.bytes),
      Math.round(seconds / meanSeconds),
    ]);
  }
  console.log(
    table(
      [
        'model',
        'MB whole',
        'fetched',
        's whole',
        'MB by slices',
        's a model (mean of the night)',
        'times fewer bytes',
        'times faster',
      ],
      rows,
    ),
  );
  console.log(
    '\nThe server computes what it sends, on the same machine: seconds compare the two ways with each other and with nothing else.',
  );
  results.naive = rows;
}

/** Workers with endless work against real quotas, time running faster for both sides. */
async function measureQuota(
  tier: 'anonymous' | 'free',
  speed: number,
  windowCount: number,
): Promise<(string | number)[]> {
  const startMs = Date.now();
  const limits = {
    anonymous: { api: 500, resolvers: 3000, pages: 100 },
    free: { api: 1000, resolvers: 5000, pages: 200 },
  }[tier];
  const hub = await startHubProcess({
    population: { count: 30, seed: 2, shapes: { 'llama-tiny': 1 }, gatedRoots: 0 },
    quotas: { ...limits, windowSeconds: 300 },
    clock: { speed, startMs },
  });
  const stopping = new AbortController();
  const now = () => startMs + (Date.now() - startMs) * speed;
  const client = createHubClient({
    endpoint: hub.url,
    userAgent: 'hublineage-bench/1',
    concurrency: 16,
    clock: {
      now,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, ms / speed);
          signal?.addEventListener(
            'abort',
            () => {
              clearTimeout(timer);
              resolve(undefined);
            },
            { once: true },
          );
        }),
    },
    signal: stopping.signal,
  });
  const repos: { repo: string; sha: string }[] = [];
  for await (const page of client.listModels({ sort: 'createdAt', direction: 1, limit: 1000 }))
    for (const { repo, sha, files } of page.repos)
      if (sha !== null && files.includes('model.safetensors')) repos.push({ repo, sha });
  const work = async (index: number, api: boolean) => {
    for (let i = index; ; i++) {
      const { repo, sha } = repos[i % repos.length]!;
      if (api) await client.modelInfo(repo);
      else await client.openRepo(repo, sha).open('model.safetensors');
    }
  };
  setTimeout(() => stopping.abort(), ((windowCount + 1.5) * 300_000) / speed);
  await Promise.allSettled(Array.from({ length: 24 }, (_, i) => work(i, i % 3 === 0)));
  const { windows, stats } = await hub.ask({ name: 'stats' });
  await client.close();
  await hub.close();
  // the first window may have begun before us, the last was cut off
  const share = (bucket: 'api' | 'resolvers') => {
    const whole = windows[bucket].slice(1, 1 + windowCount);
    return whole.reduce((sum, used) => sum + used, 0) / (whole.length * limits[bucket]);
  };
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  return [
    tier,
    windowCount,
    limits.api,
    percent(share('api')),
    limits.resolvers,
    percent(share('resolvers')),
    stats.throttled,
  ];
}

const hub = await startHubProcess({
  population: { count, seed: Number(flags.seed), changed: 0.0075 },
  quotas: 'unlimited',
});
try {
  console.log(`# ${count} virtual repos of real shapes`);
  const first = await crawl(hub.url, [Math.round(count / 4), Math.round(count / 2)]);
  const after = await hub.ask({ name: 'stats' });
  tellNight('First night', first, after);
  console.log(`- index: ${mb(statSync(database).size)} MB`);
  tellCosts(after.costs);

  const { changed } = await hub.ask({ name: 'change', weights: Math.max(1, Math.round(count / 400)) });
  await hub.ask({ name: 'reset' });
  const second = await crawl(hub.url, []);
  tellNight(
    `Second night: ${changed.readmes} READMEs and the weights of ${changed.weights} changed`,
    second,
    await hub.ask({ name: 'stats' }),
  );

  await compareWithNaive(hub.url, after.costs, first);
  if (flags.quota) {
    console.log('\n## Quotas of the Hub, time running 30 times faster\n');
    const rows = [await measureQuota('anonymous', 30, 4), await measureQuota('free', 30, 4)];
    console.log(table(['tier', 'windows', 'api a window', 'used', 'resolves a window', 'used', '429'], rows));
    results.quota = rows;
  }
} finally {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(results, null, 2)}\n`);
