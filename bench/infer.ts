/**
 * `node bench/infer.ts [N...] [--threads T]`: what inference costs over N planted fingerprints (bench/lib/planted-index.ts), in wall and CPU seconds:
 * - `rebuild`: everything inferred with nothing remembered; its growth exponent, from CPU time, comes last
 * - `any`: a hundredth of the models are new, each as likely, which no night brings: most are older than others of their families
 * - `night`: a hundredth are new, nine tenths of them the newest of their families, which grow by their sizes, the others any: repos that
 *   were changed
 * - `unchanged`: nothing is new
 * and the bytes that are remembered, as the store keeps them. Goals at 100,000 on 2 cores: 10 minutes and 4 GB to rebuild; 30 s to place
 * 1,000 new models; T is 2 unless told. Samples are cut from the cores (4,096 values a model), so next to nothing is spent on loading.
 */
import { loadavg } from 'node:os';
import { DEFAULT_MIN_PROBABILITY } from '../src/config/index.ts';
import { type InferenceMemory, inferLineage } from '../src/lineage/index.ts';
import { createRandom } from '../src/lineage/numeric/random.ts';
import { createBlockWorkers } from '../src/refresh/block-workers.ts';
import { fromMemoryRow, toMemoryRow } from '../src/refresh/inference-memory.ts';
import type { LineageModel } from '../src/types/lineage.ts';
import { fromSamplesBlob, plantIndex, toSamplesBlob } from './lib/planted-index.ts';

const args = process.argv.slice(2);
const threadsAt = args.indexOf('--threads');
const threads = threadsAt < 0 ? 2 : Number(args[threadsAt + 1]);
const sizes = args
  .filter((_, i) => threadsAt < 0 || i < threadsAt || i > threadsAt + 1)
  .map(Number)
  .filter((n) => n > 0);

interface Row {
  what: 'rebuild' | 'night' | 'any' | 'unchanged';
  models: number;
  new: number;
  seconds: number;
  cpuSeconds: number;
  threads: number;
  load: number;
  peakMb: number;
}

/** Kept as the store keeps it. */
function createMemory(): InferenceMemory & { bytes(): number } {
  const kept = new Map<string, Uint8Array>();
  return {
    recall: async (key) => {
      const bytes = kept.get(key);
      return bytes === undefined ? undefined : fromMemoryRow(bytes);
    },
    keep: async (key, value) => {
      kept.set(key, toMemoryRow(value));
    },
    retain() {},
    bytes: () => [...kept.values()].reduce((sum, bytes) => sum + bytes.length, 0),
  };
}

const round = (x: number) => Number(x.toFixed(3));
const print = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function measure(
  what: Row['what'],
  models: readonly LineageModel[],
  { memory, fresh }: { memory?: InferenceMemory; fresh: number },
) {
  const byRepo = new Map(models.map((m) => [m.repo, m]));
  const started = performance.now();
  const cpu = process.cpuUsage();
  const options = { method: 'hublineage', seed: 1, minProbability: DEFAULT_MIN_PROBABILITY };
  const loadBlobs = async (repos: readonly string[]) =>
    new Map(repos.map((r) => [r, toSamplesBlob(byRepo.get(r)!)]));
  const workers =
    threads > 1
      ? createBlockWorkers(loadBlobs, options, {
          threads,
          entry: new URL('./lib/planted-worker.ts', import.meta.url),
        })
      : null;
  const result = await inferLineage(
    models,
    async (repos) => new Map([...(await loadBlobs(repos))].map(([r, blob]) => [r, fromSamplesBlob(blob)])),
    { ...options, ...(memory ? { memory } : {}), ...(workers ? { runner: workers } : {}) },
  );
  await workers?.close();
  const { user, system } = process.cpuUsage(cpu);
  const row: Row = {
    what,
    models: models.length,
    new: fresh,
    seconds: round((performance.now() - started) / 1000),
    cpuSeconds: round((user + system) / 1e6),
    threads,
    load: round(loadavg()[0]!),
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  return { result, row };
}

function toText({ edges, virtualParents }: Awaited<ReturnType<typeof inferLineage>>): string {
  return JSON.stringify([edges, virtualParents]);
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

const rebuilds: Row[] = [];
for (const count of sizes.length > 0 ? sizes : [1000, 10_000, 100_000]) {
  const { models, parents } = plantIndex(count, 3);
  const { result, row } = await measure('rebuild', models, { fresh: count });
  const got = new Map(result.edges.filter((e) => e.rank === 1).map((e) => [e.child, e.parent]));
  let right = 0;
  for (const [child, parent] of parents) if ((got.get(child) ?? null) === parent) right++;
  rebuilds.push(row);
  print({ ...row, right: right / count });

  const conclusions = toText(result);
  // first any, then those of a night on top: one index is the start of both
  const [newest, any] = [pickNew(models, 'night'), pickNew(models, 'any')];
  const memory = createMemory();
  const without = (...picked: ReadonlySet<string>[]) =>
    models.filter((m) => !picked.some((repos) => repos.has(m.repo)));
  await measure('rebuild', without(newest, any), { memory, fresh: count });
  const between = without(newest);
  const placed = await measure('any', between, {
    memory,
    fresh: between.length - without(newest, any).length,
  });
  // at full size one more rebuild would take as long as all else
  const check = count > 30_000 ? null : await measure('rebuild', between, { fresh: count });
  print({
    ...placed.row,
    ...(check ? { sameAsRebuild: toText(placed.result) === toText(check.result) } : {}),
  });
  const night = await measure('night', models, { memory, fresh: newest.size });
  print({ ...night.row, sameAsRebuild: toText(night.result) === conclusions });
  const unchanged = await measure('unchanged', models, { memory, fresh: 0 });
  print({
    ...unchanged.row,
    sameAsRebuild: toText(unchanged.result) === conclusions,
    // rows of three nights over each other: the store would have dropped what nobody asked for
    rememberedBytesPerModel: Math.round(memory.bytes() / count),
  });
}
const [first, last] = [rebuilds[0]!, rebuilds.at(-1)!];
if (rebuilds.length > 1)
  print({
    exponent: round(Math.log(last.cpuSeconds / first.cpuSeconds) / Math.log(last.models / first.models)),
  });
