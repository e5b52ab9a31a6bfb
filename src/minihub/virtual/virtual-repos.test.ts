import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValues, openModel, ROUND_TRIP } from '../../weights/index.ts';
import type { RepoSeed } from '../index.ts';
import { createVirtualRepos, generatePopulation } from '../index.ts';
import type { VirtualModel } from './model.ts';
import { addNoise, toNoiseKey } from './noise.ts';

const shape = 'llama-tiny' as const;
const MODELS: VirtualModel[] = [
  { id: 'v/root', shape, relation: 'root', gated: 'manual' },
  { id: 'v/copy', shape, relation: 'duplicate', parents: ['v/root'] },
  { id: 'v/child', shape, relation: 'finetune', parents: ['v/root'], delta: 0.05 },
  { id: 'v/bin', shape, relation: 'cast', parents: ['v/child'], dtype: 'BF16', container: 'bin' },
  {
    id: 'v/sharded',
    shape,
    relation: 'cast',
    parents: ['v/child'],
    dtype: 'BF16',
    container: 'safetensors-sharded',
    maxShardBytes: 60_000,
  },
  { id: 'v/half', shape, relation: 'cast', parents: ['v/child'], dtype: 'F16' },
  { id: 'v/gguf', shape, relation: 'quantized', parents: ['v/child'], ggufTypes: ['F32'] },
  { id: 'v/q8', shape, relation: 'quantized', parents: ['v/child'], ggufTypes: ['Q8_0'] },
  ...(['Q4_1', 'Q5_0', 'Q5_1', 'F16', 'BF16'] as const).map(
    (type, i): VirtualModel => ({
      id: `v/${['q41', 'q50', 'q51', 'gguf-half', 'gguf-bf16'][i]}`,
      shape,
      relation: 'quantized',
      parents: ['v/child'],
      ggufTypes: [type],
    }),
  ),
  { id: 'v/q4', shape, relation: 'quantized', parents: ['v/child'], ggufTypes: ['Q4_0'] },
  {
    id: 'v/other',
    shape,
    relation: 'finetune',
    parents: ['v/root'],
    delta: 0.02,
    frozen: ['model.embed_tokens'],
  },
  {
    id: 'v/merge',
    shape,
    relation: 'merge',
    parents: ['v/child', 'v/other'],
    weights: [0.25, 0.75],
    dtype: 'F32',
  },
  { id: 'v/lora', shape, relation: 'adapter', parents: ['v/root'], baseModel: 'v/root' },
  { id: 'v/none', shape, relation: 'finetune', parents: ['v/root'], container: 'none' },
  { id: 's/root', shape: 'sd-tiny', relation: 'root', dtype: 'F16' },
  {
    id: 's/ldm',
    shape: 'sd-tiny',
    relation: 'cast',
    parents: ['s/root'],
    dtype: 'F32',
    container: 'single-file',
  },
  { id: 's/ckpt', shape: 'sd-tiny', relation: 'cast', parents: ['s/root'], dtype: 'F16', container: 'ckpt' },
];
const repos = new Map(createVirtualRepos({ seed: 9, models: MODELS }).map((repo) => [repo.id, repo]));

function toRepoFiles(repo: RepoSeed) {
  const find = (path: string) => repo.files.find((file) => file.path === path)!;
  return {
    label: repo.id,
    list: () =>
      Promise.all(
        repo.files.map(async (file) => ({ path: file.path, size: file.size, ...(await file.identity()) })),
      ),
    open: async (path: string) => ({ path, size: find(path).size, sha256: null, read: find(path).read }),
    readSmall: (path: string) => find(path).read(0, find(path).size),
  };
}

/** Whole tensors by canonical name, through the reader that real files go through. */
async function valuesOf(id: string, names: readonly string[]): Promise<Record<string, number[]>> {
  const files = toRepoFiles(repos.get(id)!);
  const model = await openModel(files);
  const out: Record<string, number[]> = {};
  for (const name of names) {
    const tensor = model.tensors.find((candidate) => candidate.name === name)!;
    const rows: number[] = [];
    for (let row = 0; row < tensor.rows; row++) {
      const bytes = await Promise.all(
        tensor
          .segmentRanges(row, 0, tensor.cols)
          .map(async (range) => (await files.open(range.file)).read(range.offset, range.length)),
      );
      rows.push(...tensor.decodeSegment(bytes, row, 0, tensor.cols));
    }
    out[name] = rows;
  }
  return out;
}

const LLAMA = [
  'model.layers.1.self_attn.k_proj.weight',
  'model.layers.0.mlp.down_proj.weight',
  'model.norm.weight',
  'model.embed_tokens.weight',
];
const UNET = [
  'down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight',
  'up_blocks.0.resnets.2.conv_shortcut.weight',
  'conv_norm_out.bias',
];
const distance = (a: number[], b: number[]) =>
  Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...b);

describe('virtual repos', () => {
  it('cut any slice out of the same whole', async () => {
    for (const id of ['v/child', 'v/bin', 'v/q8', 'v/q4', 's/ckpt']) {
      const file = repos.get(id)!.files.find((candidate) => candidate.lfs)!;
      const whole = Buffer.from(await file.read(0, file.size));
      await fc.assert(
        fc.asyncProperty(fc.nat(file.size - 1), fc.nat(5000), async (start, length) => {
          const end = Math.min(file.size, start + length);
          expect(Buffer.from(await file.read(start, end - start)).equals(whole.subarray(start, end))).toBe(
            true,
          );
        }),
        { numRuns: 40 },
      );
    }
  });

  it('hold the same values in every container', async () => {
    const child = await valuesOf('v/child', LLAMA);
    for (const id of ['v/bin', 'v/sharded', 'v/gguf']) expect(await valuesOf(id, LLAMA)).toEqual(child);
    const unet = await valuesOf('s/root', UNET);
    for (const id of ['s/ldm', 's/ckpt']) expect(await valuesOf(id, UNET)).toEqual(unet);
  });

  it('round as the formats do', async () => {
    const child = await valuesOf('v/child', LLAMA.slice(0, 2));
    for (const [id, type] of [
      ['v/half', 'F16'],
      ['v/q8', 'Q8_0'],
      ['v/q4', 'Q4_0'],
      ['v/q41', 'Q4_1'],
      ['v/q50', 'Q5_0'],
      ['v/q51', 'Q5_1'],
      ['v/gguf-half', 'F16'],
      ['v/gguf-bf16', 'BF16'],
    ] as const) {
      const stored = await valuesOf(id, LLAMA.slice(0, 2));
      for (const [name, values] of Object.entries(child)) {
        expect(stored[name]).toEqual([...ROUND_TRIP[type](Float32Array.from(values))]);
      }
    }
  });

  it('move children as far as told, keep frozen tensors, and mix merges by weight', async () => {
    const [root, child, other, merge] = await Promise.all(
      ['v/copy', 'v/child', 'v/other', 'v/merge'].map((id) => valuesOf(id, LLAMA)),
    );
    const [matrix, , , embed] = LLAMA as [string, string, string, string];
    expect(distance(child![matrix]!, root![matrix]!)).toBeGreaterThan(0.045);
    expect(distance(child![matrix]!, root![matrix]!)).toBeLessThan(0.055);
    expect(other![embed]).toEqual(root![embed]);
    const mixed = child![matrix]!.map((value, i) => 0.25 * value + 0.75 * other![matrix]![i]!);
    expect(distance(merge![matrix]!, mixed)).toBeLessThan(1e-6);
    // an unrelated draw would be at sqrt(2)
    expect(distance(child![matrix]!, other![matrix]!)).toBeLessThan(0.07);
  });

  it('give copies equal hashes and everybody else their own; small files are hashed as they are', async () => {
    const shaOf = async (id: string) =>
      (
        await repos
          .get(id)!
          .files.find((file) => file.lfs)!
          .identity()
      ).sha256;
    expect(await shaOf('v/copy')).toBe(await shaOf('v/root'));
    const all = await Promise.all(['v/root', 'v/child', 'v/bin', 'v/half', 'v/q8'].map(shaOf));
    expect(new Set(all).size).toBe(5);
  });

  it('exist in the sizes of real models, and answer far inside them', async () => {
    const [big, grandchild, xl] = createVirtualRepos({
      seed: 1,
      models: [
        { id: 'b/70b', shape: 'llama-70b', relation: 'root', container: 'safetensors-sharded' },
        { id: 'b/70b-bin', shape: 'llama-70b', relation: 'finetune', parents: ['b/70b'], container: 'bin' },
        { id: 'b/xl', shape: 'sdxl', relation: 'root', dtype: 'F16' },
      ],
    }) as [RepoSeed, RepoSeed, RepoSeed];
    expect(big.files.filter((file) => file.lfs)).toHaveLength(30);
    expect(big.safetensors?.total).toBe(70_553_706_496);
    const unet = await openModel(toRepoFiles(xl));
    expect(unet.params).toBe(2_567_463_684);
    // beyond 4 GB the zip's offsets need ZIP64
    const model = await openModel(toRepoFiles(grandchild));
    const last = model.tensors.find((tensor) => tensor.name === 'lm_head.weight')!;
    const [range] = last.segmentRanges(128_000, 0, 64) as [{ file: string; offset: number; length: number }];
    expect(range.offset).toBeGreaterThan(2 ** 37);
    const bytes = await grandchild.files
      .find((file) => file.path === range.file)!
      .read(range.offset, range.length);
    const values = decodeValues('BF16', bytes, 64);
    expect(Math.hypot(...values) / 8).toBeGreaterThan(0.01);
    expect(Math.hypot(...values) / 8).toBeLessThan(0.03);
  });

  it('refuse specs whose parents are missing', () => {
    expect(() =>
      createVirtualRepos({ seed: 1, models: [{ id: 'a/b', shape, relation: 'finetune', parents: ['a/c'] }] }),
    ).toThrow(/a\/b descends from a\/c/);
    expect(() => createVirtualRepos({ seed: 1, models: [{ id: 'a/b', shape, relation: 'cast' }] })).toThrow(
      /cast of nothing/,
    );
  });
});

describe('noise', () => {
  it('has mean 0, deviation 1, no correlation between keys, and any position alone', () => {
    const count = 100_000;
    const [a, b] = ['a', 'b'].map((text) => {
      const out = new Float32Array(count);
      addNoise(out, 1000, toNoiseKey(text), 1);
      return out;
    }) as [Float32Array, Float32Array];
    const mean = a.reduce((sum, value) => sum + value, 0) / count;
    const variance = a.reduce((sum, value) => sum + value * value, 0) / count;
    const correlation = a.reduce((sum, value, i) => sum + value * b[i]!, 0) / count;
    const lag = a.subarray(1).reduce((sum, value, i) => sum + value * a[i]!, 0) / count;
    // five standard errors
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(lag)).toBeLessThan(5 / Math.sqrt(count));
    const one = new Float32Array(1);
    addNoise(one, 51_000, toNoiseKey('a'), 1);
    expect(one[0]).toBe(a[50_000]);
  });
});

describe('population', () => {
  const { spec, truth, readmeChanges } = generatePopulation({
    count: 1500,
    seed: 4,
    shapes: { 'llama-tiny': 1, 'sd-tiny': 1 },
  });

  it('is the same for the same seed, with the truth about everybody', () => {
    expect(
      generatePopulation({ count: 1500, seed: 4, shapes: { 'llama-tiny': 1, 'sd-tiny': 1 } }).spec,
    ).toEqual(spec);
    expect(
      generatePopulation({ count: 1500, seed: 5, shapes: { 'llama-tiny': 1, 'sd-tiny': 1 } }).spec,
    ).not.toEqual(spec);
    expect(spec.models).toHaveLength(1500);
    expect(new Set(spec.models.map((model) => model.id)).size).toBe(1500);
    expect(Object.keys(truth).sort()).toEqual(spec.models.map((model) => model.id).sort());
  });

  it('has the Hub’s proportions', () => {
    const share = (matches: (id: string) => boolean) => Object.keys(truth).filter(matches).length / 1500;
    expect(share((id) => truth[id]?.relation === 'none')).toBeCloseTo(0.19, 1);
    for (const relation of ['finetune', 'quantized', 'adapter', 'cast', 'duplicate', 'merge']) {
      expect(share((id) => truth[id]?.relation === relation)).toBeGreaterThan(0.005);
    }
    for (const status of ['correct', 'missing', 'wrong', 'ancestor', 'sibling', 'unresolvable']) {
      expect(share((id) => truth[id]?.declared_status === status)).toBeGreaterThan(0.01);
    }
    expect(readmeChanges.length).toBeGreaterThan(3);
    expect(readmeChanges.length).toBeLessThan(40);
  });

  it('can be served', () => {
    expect(createVirtualRepos(spec)).toHaveLength(1500);
  });

  it('never calls a right declaration wrong', () => {
    for (const { parents, declared, declared_status } of Object.values(truth)) {
      const right = declared.some((name) => parents.includes(name));
      expect(right).toBe(declared_status === 'correct');
    }
  });
});
