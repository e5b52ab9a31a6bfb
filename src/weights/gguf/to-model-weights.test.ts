import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../test/lib/memory-source.ts';
import { text, u32, writeGguf } from '../../../test/lib/write-gguf.ts';
import type { CanonicalTensor, DType } from '../../types/weights.ts';
import { decodeValues } from '../dtypes.ts';
import { openGguf } from './open-gguf.ts';
import { ROUND_TRIP } from './quantize.ts';
import { toGgufWeights } from './to-model-weights.ts';

const demo = (path: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '../../../data/demo-hub', path)));

async function open(bytes: Uint8Array) {
  const source = createMemorySource(bytes, 'model.gguf');
  const weights = toGgufWeights(await openGguf([source]), [source]);
  const read = (tensor: CanonicalTensor, row: number, col: number, count: number) => {
    const parts = tensor
      .segmentRanges(row, col, count)
      .map(({ offset, length }) => bytes.subarray(offset, offset + length));
    return tensor.decodeSegment(parts, row, col, count);
  };
  return { weights, read };
}

interface Info {
  dtype: DType;
  shape: number[];
  data_offsets: [number, number];
}

/** The parent's values straight from its safetensors file, by name. */
function readParent(bytes: Uint8Array): Map<string, { shape: number[]; values: Float32Array }> {
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
  for (const [name, info] of Object.entries<Info>(header)) {
    if (name === '__metadata__') continue;
    const count = info.shape.reduce((a: number, b: number) => a * b, 1);
    const data = bytes.subarray(8 + headerBytes + info.data_offsets[0]);
    tensors.set(name, { shape: info.shape, values: decodeValues(info.dtype, data, count) });
  }
  return tensors;
}

describe('toGgufWeights', async () => {
  const { weights, read } = await open(demo('opentext/Llama-nano-a-GGUF/llama-nano-a.Q8_0.gguf'));
  const parent = readParent(demo('alpaca-labs/Llama-nano-a/model.safetensors'));

  it('tells what the model is', () => {
    expect(weights).toMatchObject({
      family: 'llama',
      architecture: 'LlamaForCausalLM',
      container: 'gguf',
      format: 'gguf',
      dtype: 'Q8_0',
      quantized: true,
      widths: { hidden: 64, intermediate: 176, heads: 4, kvHeads: 2, headDim: 16, layers: 4, vocab: 256 },
      notes: [],
    });
    expect(weights.params).toBe([...parent.values()].reduce((sum, { values }) => sum + values.length, 0));
    expect(weights.metadata['general.architecture']).toBe('llama');
  });

  it("has the parent's names and shapes", () => {
    expect(weights.tensors.map(({ name, shape }) => [name, shape])).toEqual(
      [...parent].map(([name, { shape }]) => [name, shape]).sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
    );
  });

  it("has the parent's values in the parent's order, up to the rounding of Q8_0", () => {
    let equal = 0;
    let compared = 0;
    for (const tensor of weights.tensors) {
      const { values } = parent.get(tensor.name)!;
      for (let row = 0; row < tensor.rows; row++) {
        const own = read(tensor, row, 0, tensor.cols);
        const theirs = values.subarray(row * tensor.cols, (row + 1) * tensor.cols);
        const widest = theirs.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
        const furthest = own.reduce((top, value, i) => Math.max(top, Math.abs(value - theirs[i]!)), 0);
        expect(furthest).toBeLessThan(widest / 100 + 1e-6);
        if (tensor.encoding !== 'Q8_0' || tensor.cols % 32 !== 0) continue;
        const rounded = ROUND_TRIP.Q8_0(theirs.slice());
        equal += own.filter((value, i) => value === rounded[i]).length;
        compared += own.length;
      }
    }
    // This file's writer divides by the scale and rounds halves to even: one value in a thousand falls on the other side.
    expect(compared).toBeGreaterThan(150_000);
    expect(equal / compared).toBeGreaterThan(0.995);
  });

  it('decodes any segment as the same values', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat(), (which, row, col, count) => {
        const tensor = weights.tensors[which % weights.tensors.length]!;
        const r = row % tensor.rows;
        const c = col % tensor.cols;
        const n = 1 + (count % (tensor.cols - c));
        expect(read(tensor, r, c, n)).toEqual(read(tensor, r, 0, tensor.cols).slice(c, c + n));
      }),
    );
  });

  it('asks for few bytes beyond a segment', () => {
    const tensor = weights.tensors.find(({ name }) => name === 'model.layers.0.self_attn.v_proj.weight')!;
    expect(tensor.blockCols).toBe(32);
    expect(tensor.segmentRanges(1, 32, 32)).toEqual([{ ...tensor.segmentRanges(1, 33, 1)[0], length: 34 }]);
  });
});

describe('toGgufWeights, made files', () => {
  const keys = (extra: ReturnType<typeof u32>[] = []) => [
    text('general.architecture', 'llama'),
    u32('llama.attention.head_count', 2),
    ...extra,
  ];
  const floats = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const count = (n: number) => Array.from({ length: n }, (_, i) => i);

  it('are quantised when one tensor is, however small its part', async () => {
    const half = (rows: number) => ({ shape: [40, rows], typeId: 1, data: new Uint8Array(rows * 80) });
    const { weights } = await open(
      writeGguf({
        keys: keys(),
        tensors: [
          { name: 'blk.0.attn_v.weight', ...half(8) },
          { name: 'blk.0.ffn_up.weight', ...half(8) },
          // only this one's rows divide into blocks of 32
          { name: 'blk.0.ffn_down.weight', shape: [32, 4], typeId: 8, data: new Uint8Array(4 * 34) },
        ],
      }),
    );
    expect(weights).toMatchObject({ quantized: true, dtype: 'Q8_0' });
  });

  it('puts interleaved q rows and biases back in halves', async () => {
    // two heads of four rows: in the file 0 1 2 3 are canonical 0 2 1 3 of each head
    const { weights, read } = await open(
      writeGguf({
        keys: keys(),
        tensors: [
          { name: 'blk.0.attn_q.weight', shape: [8, 1], typeId: 0, data: floats(count(8)) },
          { name: 'blk.0.attn_q.bias', shape: [8], typeId: 0, data: floats(count(8)) },
          { name: 'blk.0.attn_v.weight', shape: [8, 1], typeId: 0, data: floats(count(8)) },
        ],
      }),
    );
    const tensor = (name: string) =>
      weights.tensors.find((t) => t.name === `model.layers.0.self_attn.${name}`)!;
    const column = (name: string) => count(8).map((row) => read(tensor(name), row, 0, 1)[0]);
    expect(column('q_proj.weight')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(column('v_proj.weight')).toEqual(count(8));
    expect([...read(tensor('q_proj.bias'), 0, 0, 8)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect([...read(tensor('q_proj.bias'), 0, 3, 2)]).toEqual([3, 4]);
    expect(weights).toMatchObject({ dtype: 'F32', quantized: false, widths: { layers: 1, kvHeads: 2 } });
  });

  it('keeps tensors of types it cannot decode, undecodable', async () => {
    const { weights } = await open(
      writeGguf({
        keys: keys(),
        tensors: [
          { name: 'output.weight', shape: [2, 256], typeId: 17, data: new Uint8Array(148) },
          { name: 'token_embd.weight', shape: [2, 256], typeId: 99, data: new Uint8Array(8) },
          { name: 'rope_freqs.weight', shape: [4], typeId: 0, data: floats([1, 2, 3, 4]) },
        ],
      }),
    );
    expect(weights.tensors.map(({ name, encoding, decodable }) => [name, encoding, decodable])).toEqual([
      ['lm_head.weight', 'IQ2_XS', false],
      ['model.embed_tokens.weight', 'type-99', false],
    ]);
    expect(() => weights.tensors[0]!.segmentRanges(0, 0, 256)).toThrow('IQ2_XS');
    expect(weights.notes).toHaveLength(2);
  });

  it('refuses other architectures, mixtures, and files without heads', async () => {
    const q = { name: 'blk.0.attn_q.weight', shape: [8, 1], typeId: 0, data: floats(count(8)) };
    const refusal = (spec: Parameters<typeof writeGguf>[0]) =>
      open(writeGguf(spec)).then(
        () => 'opened',
        (error) => error.code,
      );
    expect(await refusal({ keys: [text('general.architecture', 'qwen2')], tensors: [q] })).toBe(
      'ArchitectureUnsupported',
    );
    expect(await refusal({ keys: keys([u32('llama.expert_count', 8)]), tensors: [q] })).toBe(
      'ArchitectureUnsupported',
    );
    expect(await refusal({ keys: keys().slice(0, 1), tensors: [q] })).toBe('HeaderInvalid');
    expect(await refusal({ keys: keys(), tensors: [{ ...q, shape: [7, 1] }] })).toBe('ShapeInvalid');
    expect(await refusal({ keys: keys(), tensors: [{ ...q, name: 'mm.0.weight' }] })).toBe('NoWeights');
  });
});
