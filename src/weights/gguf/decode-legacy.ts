import { fromF16 } from '../dtypes.ts';

/** Decodes one block at byte `at` into `out` from index `to`. Products and sums are rounded to float32 one by one, as ggml does. */
export type BlockDecoder = (view: DataView, at: number, out: Float32Array, to: number) => void;

const f = Math.fround;
const half = (view: DataView, at: number) => fromF16(view.getUint16(at, true));

/** The 16 levels of IQ4_NL and IQ4_XS (ggml-common.h, kvalues_iq4nl). */
export const IQ4_LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;
/** The 16 levels of MXFP4 (E2M1, doubled, so that all are integers). */
const E2M1_LEVELS = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] as const;

/** Blocks of 32 with 4-bit codes: `j` in the low and `j + 16` in the high half of byte `j`. */
function nibbleBlock(
  scaleOf: (view: DataView, at: number) => number,
  headBytes: number,
  level: (code: number) => number,
) {
  return (view: DataView, at: number, out: Float32Array, to: number) => {
    const d = scaleOf(view, at);
    for (let j = 0; j < 16; j++) {
      const byte = view.getUint8(at + headBytes + j);
      out[to + j] = d * level(byte & 15);
      out[to + j + 16] = d * level(byte >> 4);
    }
  };
}

function q4WithMinimum(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at);
  const m = half(view, at + 2);
  for (let j = 0; j < 16; j++) {
    const byte = view.getUint8(at + 4 + j);
    out[to + j] = f(d * (byte & 15)) + m;
    out[to + j + 16] = f(d * (byte >> 4)) + m;
  }
}

/** {d, qh u32, qs[16]}: the fifth bit of value `j` is bit `j` of `qh`. */
function q5AroundZero(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at);
  for (let j = 0; j < 32; j++) out[to + j] = d * (fiveBitCode(view, at + 2, j) - 16);
}

/** {d, m, qh u32, qs[16]} */
function q5WithMinimum(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at);
  const m = half(view, at + 2);
  for (let j = 0; j < 32; j++) out[to + j] = f(d * fiveBitCode(view, at + 4, j)) + m;
}

function fiveBitCode(view: DataView, at: number, j: number): number {
  const byte = view.getUint8(at + 4 + (j & 15));
  const fifth = (view.getUint8(at + (j >> 3)) >> (j & 7)) & 1;
  return (j < 16 ? byte & 15 : byte >> 4) | (fifth << 4);
}

function q8(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at);
  for (let j = 0; j < 32; j++) out[to + j] = d * view.getInt8(at + 2 + j);
}

/** Blocks of 32 with one scale (and minimum) each, by ggml type name. */
export const LEGACY_DECODERS: Readonly<Record<string, BlockDecoder>> = {
  Q4_0: nibbleBlock(half, 2, (code) => code - 8),
  Q4_1: q4WithMinimum,
  Q5_0: q5AroundZero,
  Q5_1: q5WithMinimum,
  Q8_0: q8,
  IQ4_NL: nibbleBlock(half, 2, (code) => IQ4_LEVELS[code]!),
  // The levels are doubled, so the exponent's bias is one more than E8M0's 127.
  MXFP4: nibbleBlock(
    (view, at) => 2 ** (view.getUint8(at) - 128),
    1,
    (code) => E2M1_LEVELS[code]!,
  ),
};
