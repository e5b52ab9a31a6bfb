import { describe, expect, it } from 'vitest';
import { createFormulaModel, exactValue, type FormulaOptions } from '../../test/lib/formula-model.ts';
import { LLAMA_7B, llamaTensors, SD15, unetTensors } from '../../test/lib/real-shapes.ts';
import type { Fingerprint } from '../types/fingerprint.ts';
import { fingerprintModel } from './fingerprint-model.ts';
import { meterFiles } from './meter.ts';
import { samplePositions } from './positions.ts';
import { DEFAULT_SAMPLING } from './scheme.ts';

const SMALL = { hidden: 96, intermediate: 320, layers: 3, heads: 6, kvHeads: 2, vocab: 300 };
const small = llamaTensors(SMALL);
const llama = { family: 'llama', dtype: 'BF16' } as const satisfies FormulaOptions;

async function read(tensors: ReturnType<typeof llamaTensors>, options: FormulaOptions) {
  const model = createFormulaModel(tensors, options);
  return { ...model, fingerprint: await fingerprintModel(model.weights, model.files, DEFAULT_SAMPLING) };
}
const valuesOf = ({ tensors }: Fingerprint) =>
  tensors.map(({ name, values, stats, hash }) => [name, [...values], stats, hash]);

describe('fingerprintModel', () => {
  it('stores the values that lie at the positions of the scheme', async () => {
    const { fingerprint } = await read(small, llama);
    expect(fingerprint.tensors.map(({ name }) => name)).toEqual(small.map(([name]) => name).sort());
    for (const tensor of fingerprint.tensors) {
      const rows = tensor.shape.length > 1 ? (tensor.shape[0] as number) : 1;
      const cols = tensor.shape.at(-1) as number;
      const expected = samplePositions({ ...tensor, rows, cols }, DEFAULT_SAMPLING).flatMap(
        ({ row, col, count }) =>
          Array.from({ length: count }, (_, i) =>
            row < rows ? exactValue(tensor.name, row, col + i) : Number.NaN,
          ),
      );
      expect([...tensor.values]).toEqual(expected);
    }
  });

  it('is the same for one model in any format, order and number of files', async () => {
    const { fingerprint } = await read(small, llama);
    for (const options of [
      { dtype: 'F32', order: 'listed' },
      { dtype: 'F16', shards: 4 },
      { dtype: 'BF16', order: 'listed', shards: 2, blockCols: 32 },
    ] as const) {
      const { fingerprint: other } = await read(small, { ...llama, ...options });
      expect(valuesOf(other)).toEqual(valuesOf(fingerprint));
      expect(other.core).toEqual(fingerprint.core);
      expect(other.coreKey).toBe(fingerprint.coreKey);
    }
  });

  it('reads whole blocks where runs are shorter, and keeps the run', async () => {
    // 64 values a row out of super-blocks of 256, as in k-quants
    const wide = llamaTensors({ ...SMALL, hidden: 512, intermediate: 768 });
    const { fingerprint } = await read(wide, llama);
    const { fingerprint: blocks } = await read(wide, { ...llama, blockCols: 256 });
    expect(valuesOf(blocks)).toEqual(valuesOf(fingerprint));
  });

  it('holds for a UNet of real size, of which it reads a part', async () => {
    const tensors = unetTensors(SD15);
    const unet = { family: 'stable-diffusion', dtype: 'F16' } as const;
    const one = (await read(tensors, unet)).fingerprint;
    const other = (await read(tensors, { ...unet, dtype: 'F32', order: 'listed' })).fingerprint;
    expect(other.core).toEqual(one.core);
    expect(other.coreKey).toBe(one.coreKey);
    const hashes = new Map(other.tensors.map(({ name, hash }) => [name, hash]));
    const common = one.tensors.filter(({ name }) => hashes.has(name));
    expect(common.length).toBeGreaterThan(240);
    for (const { name, hash } of common) expect(hashes.get(name)).toBe(hash);
  });

  it('reads no more than was planned, headers charged to the same budget', async () => {
    const model = createFormulaModel(llamaTensors(LLAMA_7B), { ...llama, shards: 3 });
    const metered = meterFiles(model.files);
    const source = await metered.open('model-0');
    for (let i = 0; i < 10; i++) await source.read(2 * i, 20_000);
    await fingerprintModel(model.weights, metered, DEFAULT_SAMPLING);
    const { requests, bytes, opens } = metered.usage();
    expect(requests).toBe(model.reads.length);
    expect(requests).toBeLessThanOrEqual(256);
    expect(bytes).toBe(model.reads.reduce((sum, { length }) => sum + length, 0));
    expect(bytes).toBeLessThanOrEqual(4_000_000);
    expect(opens).toBe(3);
  });

  it('keeps half of the budget for values however large the headers were, and says so', async () => {
    const model = createFormulaModel(small, llama);
    const metered = meterFiles(model.files);
    const source = await metered.open('model-0');
    await source.read(0, 10_000_000).catch(() => undefined);
    const { notes, tensors } = await fingerprintModel(model.weights, metered, DEFAULT_SAMPLING);
    expect(tensors).toHaveLength(small.length);
    expect(notes.join()).toMatch(/headers took 1 requests and 10000000 bytes/);
  });

  it('compares a grown vocabulary row by row: same core layout, same values at the old tokens', async () => {
    // the third block of token rows lies between 1,000 and 16,000
    const grown = llamaTensors({ ...SMALL, vocab: 20_000 });
    const { fingerprint: before } = await read(small, llama);
    const { fingerprint: after } = await read(grown, llama);
    expect(after.coreKey).toBe(before.coreKey);
    expect(after.core).toHaveLength(before.core.length);
    const embedding = (fp: Fingerprint) => [
      ...(fp.tensors.find(({ role }) => role === 'model.embed_tokens.weight')?.values ?? []),
    ];
    expect(embedding(before).filter(Number.isNaN).length).toBeGreaterThan(
      embedding(after).filter(Number.isNaN).length,
    );
    embedding(before).forEach((value, i) => {
      if (!Number.isNaN(value)) expect(embedding(after)[i]).toBe(value);
    });
    before.core.forEach((value, i) => {
      if (value !== 0) expect(after.core[i]).toBe(value);
    });
  });

  it('has another core layout for other widths or depth', async () => {
    const keys = await Promise.all(
      [SMALL, { ...SMALL, layers: 4 }, { ...SMALL, intermediate: 352 }].map(
        async (shape) => (await read(llamaTensors(shape), llama)).fingerprint.coreKey,
      ),
    );
    expect(new Set(keys).size).toBe(3);
  });

  it('keeps the core layout of a model some of whose tensors cannot be decoded', async () => {
    const { fingerprint: whole } = await read(small, llama);
    const { fingerprint: part } = await read(small, { ...llama, undecodable: (name) => /mlp/.test(name) });
    expect(part.coreKey).toBe(whole.coreKey);
    expect(part.core).toHaveLength(whole.core.length);
    part.core.forEach((value, i) => {
      if (value !== 0) expect(value).toBe(whole.core[i]);
    });
    expect(part.notes.join()).toMatch(/9 tensors not sampled: their number format/);
    await expect(read(small, { ...llama, undecodable: () => true })).rejects.toMatchObject({
      code: 'EncodingUnsupported',
    });
  });

  it('counts values that are not finite as absent from statistics and says so', async () => {
    const value = (name: string, row: number, col: number) =>
      name.includes('up_proj') && col === 0
        ? Number.NaN
        : name.includes('down_proj')
          ? Infinity
          : exactValue(name, row, col);
    const { fingerprint } = await read(small, { ...llama, value });
    expect(fingerprint.notes.join()).toMatch(/6 tensors hold values that are not finite/);
    for (const { stats } of fingerprint.tensors)
      expect(Object.values(stats).every(Number.isFinite)).toBe(true);
    expect([...fingerprint.core].every(Number.isFinite)).toBe(true);
  });

  it('fails with a code when a file ends early', async () => {
    const model = createFormulaModel(small, llama);
    const files = {
      ...model.files,
      open: async (path: string) => ({ ...(await model.files.open(path)), size: 5000 }),
    };
    await expect(fingerprintModel(model.weights, files, DEFAULT_SAMPLING)).rejects.toMatchObject({
      code: 'OffsetInvalid',
    });
    const short = {
      ...model.files,
      open: async (path: string) => ({
        ...(await model.files.open(path)),
        read: async () => new Uint8Array(3),
      }),
    };
    await expect(fingerprintModel(model.weights, short, DEFAULT_SAMPLING)).rejects.toMatchObject({
      code: 'BodyTruncated',
    });
  });

  it('refuses a budget that makes no sense, and one too small for a single tensor', async () => {
    const { weights, files } = createFormulaModel(small, llama);
    await expect(
      fingerprintModel(weights, files, { ...DEFAULT_SAMPLING, maxRequests: 0 }),
    ).rejects.toMatchObject({
      code: 'UsageInvalid',
    });
    await expect(
      fingerprintModel(weights, files, { ...DEFAULT_SAMPLING, maxBytes: 10 }),
    ).rejects.toMatchObject({
      code: 'ConfigInvalid',
    });
  });

  it('is another scheme at another seed or density', async () => {
    const { weights, files } = createFormulaModel(small, llama);
    const schemes = await Promise.all(
      [{}, { seed: 7 }, { valuesPerTensor: 1024 }].map(
        async (change) => (await fingerprintModel(weights, files, { ...DEFAULT_SAMPLING, ...change })).scheme,
      ),
    );
    expect(schemes[0]).toBe(2);
    expect(new Set(schemes).size).toBe(3);
  });

  it('samples an adapter evenly over its pairs', async () => {
    const factors = llamaTensors(LLAMA_7B)
      .filter(([, shape]) => shape.length > 1)
      .flatMap(([name, [out = 0, into = 0]]) => [
        [name.replace('.weight', '.lora_A.weight'), [16, into]] as const,
        [name.replace('.weight', '.lora_B.weight'), [out, 16]] as const,
      ]);
    const { fingerprint, reads } = await read(factors, { ...llama, kind: 'adapter' });
    expect(reads.length).toBeLessThanOrEqual(256);
    expect(fingerprint.kind).toBe('adapter');
    const layers = new Set(fingerprint.tensors.map(({ layer }) => layer));
    expect(layers.size).toBeGreaterThan(30);
    const pairs = fingerprint.tensors.filter(({ name }) => name.includes('lora_A'));
    expect(pairs.length).toBeGreaterThan(fingerprint.tensors.length / 2 - 2);
  });
});
