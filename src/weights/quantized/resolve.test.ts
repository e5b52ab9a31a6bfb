import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../types/weights.ts';
import { decodeValues } from '../dtypes.ts';
import { encodeValues } from '../encode.ts';
import { openModel } from '../open-model.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write.ts';
import { createLlama, createValues, fill } from '../testing/made-up-models.ts';
import { createMemoryRepo, readAll } from '../testing/memory-repo.ts';

const SHAPE = { vocab: 10, hidden: 64, intermediate: 192, layers: 1, heads: 2, kvHeads: 1 };
const TARGET = 'model.layers.0.mlp.gate_proj';
const base = createLlama(SHAPE);
const without = base.filter(({ name }) => name !== `${TARGET}.weight`);
const bytesOf = (values: ArrayLike<number>) => Uint8Array.from(values);
const tensor = (
  suffix: string,
  dtype: DType,
  shape: number[],
  data: Float32Array | Uint8Array,
): TensorToWrite => ({
  name: `${TARGET}.${suffix}`,
  dtype,
  shape,
  data,
});

/** Opens the tiny Llama with its gate projection replaced by these tensors. */
async function openWith(parts: readonly TensorToWrite[]) {
  const repo = createMemoryRepo({ 'model.safetensors': writeSafetensors([...without, ...parts]) });
  const weights = await openModel(repo);
  const gate = weights.tensors.find(({ name }) => name === `${TARGET}.weight`);
  if (gate === undefined) throw new Error('the weight is gone');
  return { repo, weights, gate };
}

const next = createValues(11);
const codes8 = () => Math.round(next() * 120) + 0;

describe('codes with scales', () => {
  const rows = 192;
  const cols = 64;
  it.each<[string, number[], (row: number, col: number) => number, string]>([
    ['one scale', [], () => 0, 'weight_scale'],
    ['one scale in an array', [1], () => 0, 'weight_scale'],
    ['one scale, as ComfyUI names it', [1], () => 0, 'scale_weight'],
    ['a scale a row', [rows, 1], (row) => row, 'weight_scale'],
    ['a scale a row, flat', [rows], (row) => row, 'weight_scale'],
    ['a scale a square of 128', [2, 1], (row) => Math.floor(row / 128), 'weight_scale_inv'],
    [
      'a scale a group of 16 columns',
      [rows, 4],
      (row, col) => row * 4 + Math.floor(col / 16),
      'weight_scale',
    ],
  ])('FP8 with %s', async (_what, shape, indexOf, suffix) => {
    const codes = encodeValues(
      'F8_E4M3',
      fill([rows, cols], () => next() * 400),
    );
    const values = decodeValues('F8_E4M3', codes, rows * cols);
    const scales = fill(shape, () => 0.001 + Math.abs(next()));
    const { repo, gate, weights } = await openWith([
      tensor('weight', 'F8_E4M3', [rows, cols], codes),
      tensor(suffix, 'F32', shape, scales),
    ]);
    expect(gate).toMatchObject({ encoding: 'fp8', dtype: 'F8_E4M3', decodable: true, shape: [rows, cols] });
    expect(weights.quantized).toBe(true);
    expect(weights.dtype).toBe('F32');
    const expected = values.map(
      (value, i) => value * (scales[indexOf(Math.floor(i / cols), i % cols)] as number),
    );
    expect(await readAll(repo, gate)).toEqual(expected);
  });

  it('FP8 blocks that do not divide the sides, any segment', async () => {
    const codes = encodeValues(
      'F8_E4M3',
      fill([200, 300], () => next() * 400),
    );
    const values = decodeValues('F8_E4M3', codes, 200 * 300);
    const scales = fill([2, 3], () => 0.001 + Math.abs(next()));
    const { repo, gate } = await openWith([
      tensor('weight', 'F8_E4M3', [200, 300], codes),
      tensor('weight_scale_inv', 'F32', [2, 3], scales),
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(199),
        fc.nat(299),
        fc.integer({ min: 1, max: 300 }),
        async (row, col, length) => {
          const count = Math.min(length, 300 - col);
          const ranges = gate.segmentRanges(row, col, count);
          const bytes = await Promise.all(
            ranges.map(({ file, offset, length: size }) => repo.readBytes(file, offset, size)),
          );
          const got = gate.decodeSegment(bytes, row, col, count);
          const expected = Float32Array.from({ length: count }, (_, i) => {
            const scale = scales[Math.floor(row / 128) * 3 + Math.floor((col + i) / 128)] as number;
            return (values[row * 300 + col + i] as number) * scale;
          });
          expect(got).toEqual(expected);
        },
      ),
    );
  });

  it('bitsandbytes int8: rows times SCB / 127', async () => {
    const codes = fill([rows, cols], codes8);
    const scales = fill([rows], () => Math.abs(next()));
    const { repo, gate } = await openWith([
      tensor('weight', 'I8', [rows, cols], encodeValues('I8', codes)),
      tensor('SCB', 'F32', [rows], scales),
      tensor('weight_format', 'U8', [], bytesOf([0])),
    ]);
    expect(gate).toMatchObject({ encoding: 'bnb-int8', decodable: true });
    const expected = codes.map((code, i) => (code * (scales[Math.floor(i / cols)] as number)) / 127);
    expect(await readAll(repo, gate)).toEqual(expected);
  });

  it('does not decode what its shapes or a zero point put in doubt', async () => {
    const weight = tensor('weight', 'I8', [rows, cols], new Uint8Array(rows * cols));
    const odd = await openWith([weight, tensor('weight_scale', 'F32', [7, 5], new Float32Array(35))]);
    expect(odd.gate).toMatchObject({ encoding: 'int8', decodable: false, shape: [rows, cols] });
    const shifted = await openWith([
      weight,
      tensor('weight_scale', 'F32', [rows, 1], new Float32Array(rows)),
      tensor('weight_zero_point', 'I8', [rows, 1], new Uint8Array(rows)),
    ]);
    expect(shifted.gate.decodable).toBe(false);
    expect(() => shifted.gate.segmentRanges(0, 0, 1)).toThrow(
      expect.objectContaining({ code: 'ContainerUnsupported' }),
    );
  });

  it('leaves a plain weight beside activation scales alone', async () => {
    const plain = base.find(({ name }) => name === `${TARGET}.weight`) as TensorToWrite;
    const { repo, gate, weights } = await openWith([
      plain,
      tensor('input_scale', 'F32', [], Float32Array.of(3)),
    ]);
    expect(weights.quantized).toBe(false);
    expect(await readAll(repo, gate)).toEqual(plain.data);
  });
});

describe('bitsandbytes 4 bit', () => {
  const count = 192 * 64;
  const nibbles = Uint8Array.from({ length: count }, () => Math.floor(Math.abs(next()) * 16) % 16);
  // The earlier value of a pair lies in the high half of its byte.
  const packed = Uint8Array.from(
    { length: count / 2 },
    (_, i) => ((nibbles[2 * i] as number) << 4) | (nibbles[2 * i + 1] as number),
  );
  const weight = tensor('weight', 'U8', [count / 2, 1], packed);
  const absmax = fill([count / 64], () => 0.01 + Math.abs(next()));
  const state = (extra: object = {}) =>
    new TextEncoder().encode(
      JSON.stringify({ quant_type: 'nf4', blocksize: 64, dtype: 'bfloat16', shape: [192, 64], ...extra }),
    );
  const nf4 = [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ];
  const expectedWith = (table: ArrayLike<number>, scales: ArrayLike<number>) =>
    Float32Array.from(
      { length: count },
      (_, i) => Math.fround(table[nibbles[i] as number] as number) * (scales[Math.floor(i / 64)] as number),
    );

  it('nf4: the true shape is inferred, the values are map times absmax', async () => {
    const text = state();
    const { repo, gate, weights } = await openWith([
      weight,
      tensor('weight.absmax', 'F32', [count / 64], absmax),
      tensor('weight.quant_map', 'F32', [16], Float32Array.from(nf4)),
      tensor('weight.quant_state.bitsandbytes__nf4', 'U8', [text.length], text),
    ]);
    expect(gate).toMatchObject({ encoding: 'bnb-nf4', shape: [192, 64], decodable: true });
    expect(weights.params).toBe(base.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
    expect(await readAll(repo, gate)).toEqual(expectedWith(nf4, absmax));
  });

  it('nf4 with quantised absmax, the offset from quant_state', async () => {
    const text = state({ nested_blocksize: 256, nested_offset: 0.125, nested_dtype: 'float32' });
    const codes = Uint8Array.from({ length: count / 64 }, (_, i) => i % 256);
    const map = fill([256], next);
    const { repo, gate } = await openWith([
      weight,
      tensor('weight.absmax', 'U8', [count / 64], codes),
      tensor('weight.nested_absmax', 'F32', [1], Float32Array.of(0.75)),
      tensor('weight.nested_quant_map', 'F32', [256], map),
      tensor('weight.quant_map', 'F32', [16], Float32Array.from(nf4)),
      tensor('weight.quant_state.bitsandbytes__nf4', 'U8', [text.length], text),
    ]);
    const scales = Float32Array.from(codes, (code) => Math.fround((map[code] as number) * 0.75) + 0.125);
    expect(gate.decodable).toBe(true);
    expect(await readAll(repo, gate)).toEqual(expectedWith(nf4, scales));
  });

  it('refuses a quant_state that says nothing', async () => {
    const { repo, gate } = await openWith([
      weight,
      tensor('weight.absmax', 'U8', [count / 64], new Uint8Array(count / 64)),
      tensor('weight.nested_absmax', 'F32', [1], Float32Array.of(0.75)),
      tensor('weight.nested_quant_map', 'F32', [256], new Float32Array(256)),
      tensor('weight.quant_state.bitsandbytes__nf4', 'U8', [3], bytesOf([1, 2, 3])),
    ]);
    await expect(readAll(repo, gate)).rejects.toMatchObject({ code: 'HeaderInvalid' });
  });

  it('fp4: the table is read from the file; codes may be stored in another dtype', async () => {
    const map = fill([16], next);
    const text = state({ quant_type: 'fp4' });
    const { repo, gate } = await openWith([
      tensor('weight', 'BF16', [count / 4, 1], packed),
      tensor('weight.absmax', 'F32', [count / 64], absmax),
      tensor('weight.quant_map', 'F32', [16], map),
      tensor('weight.quant_state.bitsandbytes__fp4', 'U8', [text.length], text),
    ]);
    expect(gate).toMatchObject({ encoding: 'bnb-fp4', shape: [192, 64] });
    expect(await readAll(repo, gate)).toEqual(expectedWith(map, absmax));
  });

  it('reads any segment as the whole', async () => {
    const { repo, gate } = await openWith([weight, tensor('weight.absmax', 'F32', [count / 64], absmax)]);
    const whole = await readAll(repo, gate);
    await fc.assert(
      fc.asyncProperty(fc.nat(191), fc.nat(63), fc.integer({ min: 1, max: 64 }), async (row, col, length) => {
        const size = Math.min(length, 64 - col);
        const ranges = gate.segmentRanges(row, col, size);
        const bytes = await Promise.all(
          ranges.map(({ file, offset, length: n }) => repo.readBytes(file, offset, n)),
        );
        expect(gate.decodeSegment(bytes, row, col, size)).toEqual(
          whole.slice(row * 64 + col, row * 64 + col + size),
        );
      }),
    );
  });
});

describe('schemes that are recorded, not decoded', () => {
  const zeros = (suffix: string, dtype: DType, shape: number[]) =>
    tensor(
      suffix,
      dtype,
      shape,
      new Uint8Array(
        shape.reduce((a, b) => a * b, 1) * (dtype.endsWith('32') ? 4 : dtype.endsWith('16') ? 2 : 1),
      ),
    );
  it.each<[string, string, TensorToWrite[]]>([
    [
      'GPTQ',
      'gptq',
      [
        zeros('qweight', 'I32', [8, 192]),
        zeros('qzeros', 'I32', [1, 24]),
        zeros('scales', 'F16', [1, 192]),
        zeros('g_idx', 'I32', [64]),
      ],
    ],
    [
      'AWQ',
      'awq',
      [zeros('qweight', 'I32', [64, 24]), zeros('qzeros', 'I32', [1, 24]), zeros('scales', 'F16', [1, 192])],
    ],
    [
      'compressed-tensors',
      'compressed-tensors',
      [
        zeros('weight_packed', 'I32', [192, 8]),
        zeros('weight_scale', 'BF16', [192, 1]),
        zeros('weight_shape', 'I32', [2]),
      ],
    ],
    [
      'NVFP4',
      'nvfp4',
      [
        zeros('weight_packed', 'U8', [192, 32]),
        zeros('weight_scale', 'F8_E4M3', [192, 4]),
        zeros('weight_global_scale', 'F32', [1]),
      ],
    ],
    [
      'EXL2',
      'exl2',
      [
        zeros('q_weight', 'I32', [10, 192]),
        zeros('q_invperm', 'I32', [64]),
        zeros('q_scale', 'I32', [2, 24]),
      ],
    ],
    [
      'MLX',
      'mlx',
      [
        zeros('weight', 'U32', [192, 8]),
        zeros('scales', 'BF16', [192, 1]),
        zeros('biases', 'BF16', [192, 1]),
      ],
    ],
  ])('%s', async (_what, encoding, parts) => {
    const { weights, gate, repo } = await openWith(parts);
    expect(gate).toMatchObject({ encoding, decodable: false, shape: [192, 64] });
    expect(weights.quantized).toBe(true);
    expect(weights.tensors).toHaveLength(base.length);
    expect(weights.notes).toContain(`1 weights packed as ${encoding} are not decoded`);
    expect(() => gate.segmentRanges(0, 0, 1)).toThrow(
      expect.objectContaining({ code: 'ContainerUnsupported' }),
    );
    const norm = weights.tensors.find(({ name }) => name === 'model.norm.weight');
    expect(norm?.decodable).toBe(true);
    expect(norm && (await readAll(repo, norm))).toEqual(
      base.find(({ name }) => name === 'model.norm.weight')?.data,
    );
  });

  it('a whole GPTQ model is named by its scheme', async () => {
    const packed = base.flatMap((entry): TensorToWrite[] => {
      if (!entry.name.includes('_proj')) return [entry];
      const stem = entry.name.replace(/\.weight$/, '');
      const [out, inputs] = entry.shape as [number, number];
      const part = (suffix: string, dtype: DType, shape: number[], bytes: number) => ({
        name: `${stem}.${suffix}`,
        dtype,
        shape,
        data: new Uint8Array(bytes),
      });
      return [
        part('qweight', 'I32', [inputs / 8, out], (inputs * out) / 2),
        part('scales', 'F16', [1, out], out * 2),
        part('g_idx', 'I32', [inputs], inputs * 4),
      ];
    });
    const weights = await openModel(createMemoryRepo({ 'model.safetensors': writeSafetensors(packed) }));
    expect(weights).toMatchObject({
      dtype: 'gptq',
      quantized: true,
      widths: { hidden: 64, intermediate: 192, layers: 1 },
    });
    expect(weights.params).toBe(base.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
  });
});
