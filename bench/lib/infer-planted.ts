/**
 * A process of `bench/infer.ts`: one inference over a planted index, as a night runs it, with what it remembers in a store. Told what to
 * do as JSON in the first argument; prints what it measured as one line of JSON.
 */
import { createHash } from 'node:crypto';
import { loadavg } from 'node:os';
import { DEFAULT_MIN_PROBABILITY } from '../../src/config/index.ts';
import { inferLineage } from '../../src/lineage/index.ts';
import { createRandom } from '../../src/lineage/numeric/random.ts';
import { createBlockWorkers } from '../../src/refresh/block-workers.ts';
import { createInferenceMemory } from '../../src/refresh/inference-memory.ts';
import { openStore } from '../../src/store/index.ts';
import type { LineageModel } from '../../src/types/lineage.ts';
import { fromSamplesBlob, plantIndex, toSamplesBlob } from './planted-index.ts';

/** Which models are there: all, all but those of the night, or all but those and the ones before. */
export type Present = 'all' | 'before-the-night' | 'at-first';

export interface InferPlanted {
  count: number;
  present: Present;
  threads: number;
  /** of the store */
  path: string;
}

export interface Measured {
  models: number;
  seconds: number;
  cpuSeconds: number;
  load: number;
  peakMb: number;
  /** share of the models with the planted parent, or none where none was planted */
  right: number;
  /** of all edges and virtual parents */
  hash: string;
}

/** A hundredth of the models: mostly the newest of some families, or any. */
function pickNew(models: readonly LineageModel[], what: 'night' | 'any'): Set<string> {
  const random = createRandom(11);
  const familyOf = (m: LineageModel) => m.repo.slice(m.repo.indexOf('/'), m.repo.lastIndexOf('-'));
  const oldest = [...models].sort((a, b) => a.createdAt - b.createdAt);
  const families = new Map<string, LineageModel[]>();
  for (const m of oldest)
    (families.get(familyOf(m)) ?? families.set(familyOf(m), []).get(familyOf(m))!).push(m);
  const picked = new Set<string>();
  while (picked.size < Math.ceil(models.length / 100)) {
    const any = models[Math.floor(random() * models.length)]!;
    const isNewest = what === 'night' && random() < 0.9;
    const model = isNewest ? families.get(familyOf(any))!.pop() : any;
    if (model) picked.add(model.repo);
  }
  return picked;
}

/** First any models come, then those of a night: one index is the start of both. */
function choose(models: readonly LineageModel[], present: Present): readonly LineageModel[] {
  if (present === 'all') return models;
  const absent = pickNew(models, 'night');
  if (present === 'at-first') for (const repo of pickNew(models, 'any')) absent.add(repo);
  return models.filter((m) => !absent.has(m.repo));
}

async function measure({ count, present, threads, path }: InferPlanted): Promise<Measured> {
  const planted = plantIndex(count, 3);
  const models = choose(planted.models, present);
  const store = await openStore(path);
  const byRepo = new Map(models.map((m) => [m.repo, m]));
  const started = performance.now();
  const cpu = process.cpuUsage();
  const options = { method: 'hublineage', seed: 1, minProbability: DEFAULT_MIN_PROBABILITY };
  const memory = createInferenceMemory(store, 'planted', { fresh: false });
  const loadBlobs = async (repos: readonly string[]) =>
    new Map(repos.map((r) => [r, toSamplesBlob(byRepo.get(r)!)]));
  const entry = new URL('./planted-worker.ts', import.meta.url);
  const workers = threads > 1 ? createBlockWorkers(loadBlobs, options, { threads, entry }) : null;
  const result = await inferLineage(
    models,
    async (repos) => new Map([...(await loadBlobs(repos))].map(([r, blob]) => [r, fromSamplesBlob(blob)])),
    { ...options, memory, ...(workers ? { runner: workers } : {}) },
  );
  await workers?.close();
  await memory.prune();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - started) / 1000;
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  await store.close();
  const got = new Map(result.edges.filter((e) => e.rank === 1).map((e) => [e.child, e.parent]));
  const right = models.filter((m) => (got.get(m.repo) ?? null) === planted.parents.get(m.repo)).length;
  return {
    models: models.length,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    load: loadavg()[0]!,
    peakMb,
    right: right / models.length,
    hash: createHash('sha256')
      .update(JSON.stringify([result.edges, result.virtualParents]))
      .digest('hex'),
  };
}

process.stdout.write(`${JSON.stringify(await measure(JSON.parse(process.argv[2]!)))}\n`);
