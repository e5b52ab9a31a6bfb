/**
 * An index planted for measuring inference: families of power-law sizes, one hub with a tenth of all models, and samples that are cut
 * from the cores, so that loading costs nothing.
 */
import { hashValues } from '../../src/fingerprint/hash.ts';
import { computeStats } from '../../src/fingerprint/stats.ts';
import { createNormal, createRandom } from '../../src/lineage/numeric/random.ts';
import type { TensorSample } from '../../src/types/fingerprint.ts';
import type { LineageModel } from '../../src/types/lineage.ts';
import { createLlamaSummary } from '../../test/lib/llama-summary.ts';
import { toBf16 } from './formats.ts';

const CORE = 4096;
const TENSORS = 8;

export interface PlantedIndex {
  models: LineageModel[];
  parents: Map<string, string | null>;
}

/** Models in the order they were made, and who was made from whom. */
export function plantIndex(count: number, seed: number): PlantedIndex {
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
        fingerprint: createLlamaSummary({
          params: 7e9,
          widths: { hidden: 64 * (1 + (family % 12)), layers: 8, vocab: 32_000 },
          core,
          coreKey: layout,
          files: [{ path: 'model.safetensors', size: 1, sha256: `${family}-${i}` }],
        }),
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

/** What a store would keep of a model's samples, and back. */
export function toSamplesBlob({ fingerprint: { core } }: LineageModel): Uint8Array {
  return new Uint8Array(core.buffer, core.byteOffset, core.byteLength);
}

export function fromSamplesBlob(blob: Uint8Array): TensorSample[] {
  if (blob.byteLength !== 4 * CORE) throw new RangeError(`a core of ${blob.byteLength} bytes`);
  const core = new Float32Array(blob.buffer, blob.byteOffset, blob.byteLength / 4);
  const tensors: TensorSample[] = [];
  for (let t = 0; t < TENSORS; t++) tensors.push(cutTensor(core, t));
  return tensors;
}

function cutTensor(core: Float32Array, t: number): TensorSample {
  const size = CORE / TENSORS;
  const values = core.subarray(t * size, (t + 1) * size);
  return {
    name: `model.layers.${t}.mlp.up_proj.weight`,
    role: 'mlp.up_proj.weight',
    layer: t,
    shape: [16, size / 16],
    dtype: 'BF16',
    encoding: 'plain',
    values,
    stats: computeStats(values),
    hash: hashValues(values),
  };
}
