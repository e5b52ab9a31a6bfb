/**
 * Round-to-nearest formats as ggml's C reference writes them (`quantize_row_*_ref` in ggml-quants.c), float32 arithmetic
 * step by step. Whoever re-quantises a parent with these and finds a child's blocks has found where the child came from.
 *
 * This file imports nothing on purpose: lineage may not import weights and gets these functions handed in.
 *
 * Honest writers can differ from the reference in rare codes: compilers fuse `x*id + 8.5` (gguf-py rounds Q4_0 once too), and
 * scripts divide by the scale and round halves to even, which moves one Q8_0 code in 800 by one step when the parent is bfloat16
 * (ties are common on its coarse grid), never a scale. So a comparison has to count equal codes, not demand all of them. An
 * importance matrix is another matter: it changes the scales themselves, and such a file is not a round-to-nearest one.
 */
const f = Math.fround;
const BLOCK = 32;

/** Formats whose rounding needs nothing but the values. K-quants search for scales and are not among them. */
export const ROUND_TO_NEAREST_TYPES = ['F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'] as const;
export type RoundToNearestType = (typeof ROUND_TO_NEAREST_TYPES)[number];
export type BlockType = Exclude<RoundToNearestType, 'F16' | 'BF16'>;

export interface QuantisedBlocks {
  readonly type: BlockType;
  /** One code a value: 0..15, 0..31, or a two's complement byte for Q8_0. */
  readonly codes: Uint8Array;
  /** One scale a block of 32, already rounded to float16. */
  readonly scales: Float32Array;
  /** One minimum a block, rounded to float16; null for types without. */
  readonly mins: Float32Array | null;
}

const bitsOf = (() => {
  const floats = new Float32Array(1);
  const bits = new Uint32Array(floats.buffer);
  return {
    fromFloat(value: number): number {
      floats[0] = value;
      return bits[0]!;
    },
    toFloat(pattern: number): number {
      bits[0] = pattern;
      return floats[0]!;
    },
  };
})();

// Adding and subtracting 1.5 * 2^52 rounds a double to an integer, ties to even.
const TO_INTEGER = 6755399441055744;

/** Nearest float16, ties to even, as a number; beyond 65,519 infinite. */
function roundToF16(value: number): number {
  const x = f(value);
  const magnitude = Math.abs(x);
  if (!(magnitude < 65520)) return Number.isNaN(x) ? x : x < 0 ? -Infinity : Infinity;
  const exponent = Math.max((bitsOf.fromFloat(magnitude) >>> 23) - 127, -14);
  const quantum = 2 ** (exponent - 10);
  return (magnitude / quantum + TO_INTEGER - TO_INTEGER) * quantum * (x < 0 || Object.is(x, -0) ? -1 : 1);
}

/** Nearest bfloat16, ties to even, as a number; NaN stays NaN. */
function roundToBf16(value: number): number {
  const x = f(value);
  if (Number.isNaN(x)) return x;
  const bits = bitsOf.fromFloat(x);
  return bitsOf.toFloat(((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000) >>> 0);
}

/** The value furthest from zero in a block, with its sign; the first of equals, as the reference keeps it. */
function furthestFromZero(values: Float32Array, start: number): number {
  let magnitude = 0;
  let furthest = 0;
  for (let i = start; i < start + BLOCK; i++) {
    const candidate = Math.abs(values[i]!);
    if (magnitude < candidate) {
      magnitude = candidate;
      furthest = values[i]!;
    }
  }
  return furthest;
}

const inverse = (d: number): number => (d ? f(1 / d) : 0);

/** Signed types without a minimum: the furthest value gets the code 0, so that it is exact up to its scale. */
function quantiseAroundZero(values: Float32Array, type: 'Q4_0' | 'Q5_0'): QuantisedBlocks {
  const half = type === 'Q4_0' ? 8 : 16;
  const codes = new Uint8Array(values.length);
  const scales = new Float32Array(values.length / BLOCK);
  for (let block = 0; block < scales.length; block++) {
    const start = block * BLOCK;
    const d = f(furthestFromZero(values, start) / -half);
    const id = inverse(d);
    scales[block] = roundToF16(d);
    for (let i = start; i < start + BLOCK; i++) {
      codes[i] = Math.min(2 * half - 1, Math.trunc(f(f(values[i]! * id) + (half + 0.5))));
    }
  }
  return { type, codes, scales, mins: null };
}

function quantiseFromMinimum(values: Float32Array, type: 'Q4_1' | 'Q5_1'): QuantisedBlocks {
  const top = type === 'Q4_1' ? 15 : 31;
  const codes = new Uint8Array(values.length);
  const scales = new Float32Array(values.length / BLOCK);
  const mins = new Float32Array(scales.length);
  for (let block = 0; block < scales.length; block++) {
    const start = block * BLOCK;
    let min = Infinity;
    let max = -Infinity;
    for (let i = start; i < start + BLOCK; i++) {
      min = Math.min(min, values[i]!);
      max = Math.max(max, values[i]!);
    }
    const d = f(f(max - min) / top);
    const id = inverse(d);
    scales[block] = roundToF16(d);
    mins[block] = roundToF16(min);
    for (let i = start; i < start + BLOCK; i++) {
      codes[i] = Math.min(top, Math.trunc(f(f(f(values[i]! - min) * id) + 0.5)));
    }
  }
  return { type, codes, scales, mins };
}

function quantiseQ8(values: Float32Array): QuantisedBlocks {
  const codes = new Uint8Array(values.length);
  const scales = new Float32Array(values.length / BLOCK);
  for (let block = 0; block < scales.length; block++) {
    const start = block * BLOCK;
    const d = f(Math.abs(furthestFromZero(values, start)) / 127);
    const id = inverse(d);
    scales[block] = roundToF16(d);
    for (let i = start; i < start + BLOCK; i++) {
      const x = f(values[i]! * id);
      // C's roundf: halves away from zero, unlike Math.round; a negative one wraps into the byte.
      codes[i] = x < 0 ? -Math.floor(-x + 0.5) : Math.floor(x + 0.5);
    }
  }
  return { type: 'Q8_0', codes, scales, mins: null };
}

/**
 * Codes and scales of `values` (a multiple of 32 of them, in blocks along the row) as ggml's reference would store them.
 * RangeError for another length: that is the caller's mistake, not a file's.
 */
export function quantise(values: Float32Array, type: BlockType): QuantisedBlocks {
  if (values.length % BLOCK !== 0) {
    throw new RangeError(`${type} works on blocks of ${BLOCK} values, not on ${values.length}`);
  }
  if (type === 'Q8_0') return quantiseQ8(values);
  return type === 'Q4_0' || type === 'Q5_0'
    ? quantiseAroundZero(values, type)
    : quantiseFromMinimum(values, type);
}

const ZERO_CODE: Record<BlockType, number> = { Q4_0: 8, Q4_1: 0, Q5_0: 16, Q5_1: 0, Q8_0: 0 };

/** The values the blocks stand for, in float32 as ggml computes them. */
export function dequantise({ type, codes, scales, mins }: QuantisedBlocks): Float32Array {
  const zero = ZERO_CODE[type];
  return Float32Array.from(codes, (code, i) => {
    const block = Math.floor(i / BLOCK);
    const signed = type === 'Q8_0' ? (code << 24) >> 24 : code - zero;
    const scaled = f(signed * scales[block]!);
    return mins === null ? scaled : scaled + mins[block]!;
  });
}

function toF16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude === Infinity) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24);
  const bits = bitsOf.fromFloat(magnitude);
  return sign | (((bits >>> 23) - 112) << 10) | ((bits >>> 13) & 0x3ff);
}

/** The blocks byte for byte as a GGUF file holds them: scale, minimum, fifth bits, codes `j` and `j+16` in one byte. */
export function toBlockBytes({ type, codes, scales, mins }: QuantisedBlocks): Uint8Array {
  const fiveBits = type === 'Q5_0' || type === 'Q5_1';
  const headBytes = 2 + (mins ? 2 : 0) + (fiveBits ? 4 : 0);
  const blockBytes = headBytes + (type === 'Q8_0' ? BLOCK : BLOCK / 2);
  const out = new Uint8Array(scales.length * blockBytes);
  const view = new DataView(out.buffer);
  for (let block = 0; block < scales.length; block++) {
    const at = block * blockBytes;
    const own = codes.subarray(block * BLOCK, (block + 1) * BLOCK);
    view.setUint16(at, toF16Bits(scales[block]!), true);
    if (mins) view.setUint16(at + 2, toF16Bits(mins[block]!), true);
    if (fiveBits) view.setUint32(at + headBytes - 4, fifthBits(own), true);
    if (type === 'Q8_0') out.set(own, at + headBytes);
    else for (let j = 0; j < 16; j++) out[at + headBytes + j] = (own[j]! & 15) | ((own[j + 16]! & 15) << 4);
  }
  return out;
}

function fifthBits(codes: Uint8Array): number {
  return codes.reduce((bits, code, j) => bits | (((code >> 4) & 1) << j), 0) >>> 0;
}

const throughBlocks = (type: BlockType) => (values: Float32Array) => dequantise(quantise(values, type));

/** What is left of values after being stored in a format, by type name; lengths are multiples of 32. */
export const ROUND_TRIP: Readonly<Record<RoundToNearestType, (values: Float32Array) => Float32Array>> = {
  F16: (values) => values.map(roundToF16),
  BF16: (values) => values.map(roundToBf16),
  Q4_0: throughBlocks('Q4_0'),
  Q4_1: throughBlocks('Q4_1'),
  Q5_0: throughBlocks('Q5_0'),
  Q5_1: throughBlocks('Q5_1'),
  Q8_0: throughBlocks('Q8_0'),
};
