/**
 * `node bench/infer.ts [N...]`: wall time, CPU time, peak memory and growth exponent of a full rebuild over generated fingerprints:
 * families of power-law sizes, one hub with a tenth of all models. Then what a night costs: 1 % of the models are taken away, the
 * rest is inferred and remembered, and they are placed again. Samples are cut from the cores (4,096 values a model), so loading costs
 * nothing here; what is measured is the inference. Goals at 100,000 on 2 cores: 10 minutes and 4 GB; 30 s to place 1,000 new models.
 */
import { loadavg } from 'node:os';
import { deserialize, serialize } from 'node:v8';
import { type InferenceMemory, inferLineage } from '../src/lineage/index.ts';
import { createNormal, createRandom } from '../src/lineage/numeric/random.ts';
import type { TensorSample } from '../src/types/fingerprint.ts';
import type { LineageModel } from '../src/types/lineage.ts';
import { hashValues, statsOf, toBf16 } from './lib/formats.ts';

const CORE = 4096;
const TENSORS = 8;

interface Planted {
  models: LineageModel[];
  parents: Map<string, string | null>;
}

function plant(count: number, seed: number): Planted {
  const random = createRandom(seed);
  const normal = createNormal(random);
  const noise = Float32Array.from({ length: 1 << 20 }, normal);
  const models: LineageModel[] = [];
  const parents = new Map<string, string | null>();
  let family = 0;
  while (models.length < count) {
    const wanted =
      family === 0 ? Math.max(20, count / 10) : Math.min(count / 20, Math.ceil(3 / (0.01 + random()) ** 1.2));
    const layout = `llama/1/h${64 * (1 + (family % 12))}`;
    const members: { model: LineageModel; children: number }[] = [];
    for (let i = 0; i < wanted && models.length < count; i++) {
      const parent = i === 0 ? null : pickParent(members, random, family === 0 ? 0.95 : 0.6);
      const core = new Float32Array(CORE);
      const at = Math.floor(random() * (noise.length - CORE));
      const r = parent ? Math.min(0.2, 0.015 * Math.exp(normal())) : 1;
      for (let k = 0; k < CORE; k++)
        core[k] = toBf16((parent ? parent.model.fingerprint.core[k]! : 0) + 0.02 * r * noise[at + k]!);
      const repo = `owner${Math.floor(random() * 500)}/f${family}-${i}`;
      const model: LineageModel = {
        repo,
        owner: repo.split('/')[0]!,
        createdAt: Date.UTC(2023, 0, 1) + (family + i) * 3_600_000 * 5,
        fingerprint: {
          scheme: 1,
          family: 'llama',
          architecture: 'LlamaForCausalLM',
          kind: 'full',
          format: 'safetensors',
          dtype: 'BF16',
          quantized: false,
          params: 7e9,
          widths: {
            hidden: 64 * (1 + (family % 12)),
            intermediate: null,
            heads: null,
            kvHeads: null,
            headDim: null,
            layers: 8,
            vocab: 32000,
            crossAttention: null,
          },
          adapter: null,
          core,
          coreKey: layout,
          files: [{ path: 'model.safetensors', size: 1, sha256: `${family}-${i}` }],
          notes: [],
        },
      };
      members.push({ model, children: 0 });
      models.push(model);
      parents.set(repo, parent?.model.repo ?? null);
      if (parent) parent.children++;
    }
    family++;
  }
  return { models, parents };
}

function pickParent(members: { model: LineageModel; children: number }[], random: () => number, hub: number) {
  if (random() < hub) return members[0]!;
  return members[Math.floor(random() * members.length)]!;
}

function samplesOf(model: LineageModel): TensorSample[] {
  const size = CORE / TENSORS;
  return Array.from({ length: TENSORS }, (_, t) => {
    const values = model.fingerprint.core.subarray(t * size, (t + 1) * size);
    return {
      name: `model.layers.${t}.mlp.up_proj.weight`,
      role: 'mlp.up_proj.weight',
      layer: t,
      shape: [16, size / 16],
      dtype: 'BF16',
      encoding: 'plain',
      values,
      stats: statsOf(values),
      hash: hashValues(values),
    };
  });
}

const sizes = process.argv
  .slice(2)
  .map(Number)
  .filter((n) => n > 0);
interface Row {
  models: number;
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
  right: number;
  load: number;
}

/** Kept as bytes, as the store keeps it. */
function createMemory(): InferenceMemory {
  const kept = new Map<string, Uint8Array>();
  return {
    recall: async (key) => {
      const bytes = kept.get(key);
      return bytes === undefined ? undefined : deserialize(bytes);
    },
    keep: async (key, value) => {
      kept.set(key, serialize(value));
    },
  };
}

async function measure(models: readonly LineageModel[], memory?: InferenceMemory) {
  const byRepo = new Map(models.map((m) => [m.repo, m]));
  const started = performance.now();
  const cpu = process.cpuUsage();
  const result = await inferLineage(
    models,
    async (repos) => new Map(repos.map((r) => [r, samplesOf(byRepo.get(r)!)])),
    { method: 'hublineage', seed: 1, minProbability: 0.5, ...(memory ? { memory } : {}) },
  );
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - started) / 1000;
  return { result, seconds, cpuSeconds: (user + system) / 1e6, load: loadavg()[0]! };
}

const round = (x: number) => Number(x.toFixed(3));
const rows: Row[] = [];
for (const count of sizes.length > 0 ? sizes : [1000, 10_000, 100_000]) {
  const { models, parents } = plant(count, 3);
  const memory = createMemory();
  const { result, seconds, cpuSeconds, load } = await measure(models);
  const got = new Map(result.edges.filter((e) => e.rank === 1).map((e) => [e.child, e.parent]));
  let right = 0;
  for (const [child, parent] of parents) if ((got.get(child) ?? null) === parent) right++;
  rows.push({
    models: count,
    seconds: round(seconds),
    cpuSeconds: round(cpuSeconds),
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
    right: right / count,
    load: round(load),
  });
  process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);

  const random = createRandom(11);
  const before = models.filter(() => random() >= 0.01);
  await measure(before, memory);
  const night = await measure(models, memory);
  const same = JSON.stringify(night.result.edges) === JSON.stringify(result.edges);
  process.stdout.write(
    `${JSON.stringify({ models: count, new: count - before.length, seconds: round(night.seconds), cpuSeconds: round(night.cpuSeconds), load: round(night.load), sameAsRebuild: same })}\n`,
  );
}
const [first, last] = [rows[0]!, rows.at(-1)!];
if (rows.length > 1)
  process.stdout.write(
    `${JSON.stringify({ exponent: round(Math.log(last.cpuSeconds / first.cpuSeconds) / Math.log(last.models / first.models)) })}\n`,
  );
