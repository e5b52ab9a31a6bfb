/**
 * A minihub in a process of its own, so that the CPU and memory of who asks it can be told apart from its own. The parent sends
 * `HubCommand`s and gets one answer each.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type {
  GenerateOptions,
  LogEntry,
  MinihubStats,
  QuotaLimits,
  QuotaTier,
} from '../../src/minihub/index.ts';
import { createVirtualRepos, generatePopulation, startMinihub } from '../../src/minihub/index.ts';

export interface HubProcessOptions {
  population: GenerateOptions;
  quotas: QuotaLimits | QuotaTier;
  /** the server's time runs this many times faster than the machine's, from the epoch ms given on */
  clock?: { speed: number; startMs: number };
}

/** What one repo cost. */
export interface RepoCost {
  repo: string;
  shape: string;
  container: string;
  /** range requests */
  slices: number;
  bytes: number;
  /** sizes of the weight files that were opened */
  fileBytes: number;
}

export type HubCommand =
  | { name: 'start'; options: HubProcessOptions }
  | { name: 'reset' }
  | { name: 'stats' }
  | { name: 'change'; weights: number };

export interface HubAnswer {
  url: string;
  stats: MinihubStats;
  costs: RepoCost[];
  /** requests a quota window, in the order of windows, by bucket */
  windows: { api: number[]; resolvers: number[] };
  /** of `change`: repos with a new README, and with new weights */
  changed: { readmes: number; weights: number };
  maxRssBytes: number;
}

export interface HubProcess {
  url: string;
  ask(command: HubCommand): Promise<HubAnswer>;
  close(): Promise<void>;
}

export async function startHubProcess(options: HubProcessOptions): Promise<HubProcess> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['serve'], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ask = (command: HubCommand) =>
    new Promise<HubAnswer>((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`the hub's process ended (${code})`));
      child.once('exit', onExit);
      child.once('message', (answer) => {
        child.off('exit', onExit);
        resolve(answer as HubAnswer);
      });
      child.send(command);
    });
  const { url } = await ask({ name: 'start', options });
  return {
    url,
    ask,
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

async function serve(): Promise<void> {
  let hub: Awaited<ReturnType<typeof startMinihub>> | null = null;
  let population: ReturnType<typeof generatePopulation> | null = null;
  const costs = new Map<string, { slices: number; bytes: number; files: Map<string, number> }>();
  const windows = { api: new Map<number, number>(), resolvers: new Map<number, number>() };
  let now = () => Date.now();
  let windowMs = 300_000;
  let hubIds = new Map<string, string>();

  const costOf = (repo: string) => {
    let cost = costs.get(repo);
    if (cost === undefined) {
      cost = { slices: 0, bytes: 0, files: new Map() };
      costs.set(repo, cost);
    }
    return cost;
  };
  const log = (entry: LogEntry) => {
    if (entry.origin === 'cdn') {
      const repo = hubIds.get(entry.url.split('/')[2] ?? '');
      if (repo === undefined || entry.status >= 300) return;
      const cost = costOf(repo);
      cost.slices++;
      cost.bytes += entry.bytes;
      return;
    }
    const file = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/([^?]+)/.exec(entry.url);
    if (file !== null && entry.status === 302) {
      const path = decodeURIComponent(file[2] ?? '');
      const size = hub?.repo(file[1] ?? '')?.commits[0]?.files.find((one) => one.path === path)?.size ?? 0;
      costOf(file[1] ?? '').files.set(path, size);
    }
    if (entry.status !== 429 && (entry.bucket === 'api' || entry.bucket === 'resolvers'))
      countWindow(entry.bucket);
  };
  /** The server's own windows: each bucket of each address has its offset. */
  const countWindow = (bucket: 'api' | 'resolvers') => {
    const offsetMs = createHash('sha1').update(`ip 127.0.0.1 ${bucket}`).digest().readUInt32LE(0) % windowMs;
    const index = Math.floor((now() + offsetMs) / windowMs);
    windows[bucket].set(index, (windows[bucket].get(index) ?? 0) + 1);
  };

  process.on('SIGTERM', () => process.exit(0));
  process.on('message', async (command: HubCommand) => {
    const changed = { readmes: 0, weights: 0 };
    if (command.name === 'start') {
      const { population: generate, quotas, clock } = command.options;
      population = generatePopulation(generate);
      if (clock !== undefined) now = () => clock.startMs + (Date.now() - clock.startMs) * clock.speed;
      if (typeof quotas === 'object') windowMs = quotas.windowSeconds * 1000;
      hub = await startMinihub({ virtual: population.spec, quotas, clock: { now }, log, strict: true });
      hubIds = new Map(hub.repos().map((repo) => [repo.hubId, repo.id]));
    } else if (command.name === 'reset') {
      hub?.resetStats();
      costs.clear();
    } else if (command.name === 'change' && hub !== null && population !== null) {
      for (const id of population.readmeChanges) {
        await hub.touchReadme(id);
        changed.readmes++;
      }
      const date = new Date(now()).toISOString();
      const full = population.spec.models.filter(
        (model) => model.relation === 'finetune' && model.container !== 'none' && !model.gated,
      );
      for (const model of full.filter((_, i) => i % Math.ceil(full.length / command.weights) === 0)) {
        const { parents: _parents, ...alone } = model;
        const spec = { seed: population.spec.seed + 1, models: [{ ...alone, relation: 'root' as const }] };
        const files = createVirtualRepos(spec)[0]?.files ?? [];
        hub.update(model.id, (repo) => {
          repo.commits.unshift({
            sha: repo.commits[0]!.sha.replace(/^.{8}/, 'c0ffee00'),
            title: 'New weights',
            date,
            files,
          });
          repo.lastModified = date;
        });
        changed.weights++;
      }
    }
    const models = new Map(population?.spec.models.map((model) => [model.id, model]));
    const answer: HubAnswer = {
      url: hub?.url ?? '',
      stats: hub!.stats(),
      costs: [...costs].map(([repo, { slices, bytes, files }]) => ({
        repo,
        shape: models.get(repo)?.shape ?? '?',
        container: models.get(repo)?.container ?? 'default',
        slices,
        bytes,
        fileBytes: [...files.values()].reduce((sum, size) => sum + size, 0),
      })),
      windows: { api: [...windows.api.values()], resolvers: [...windows.resolvers.values()] },
      changed,
      maxRssBytes: process.resourceUsage().maxRSS * 1024,
    };
    process.send?.(answer);
  });
}

if (process.argv[2] === 'serve') await serve();
