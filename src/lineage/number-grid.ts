import type { TensorSample } from '../types/fingerprint.ts';

/** The coarsest number format that holds every value seen; `finer` is a lattice of none of them. */
export type Grid = 'BF16' | 'F16' | 'F32';

const scratch = new Float32Array(1);
const word = new Uint32Array(scratch.buffer);

/** Trailing zero bits of a float32 mantissa (23 for zero and powers of two). */
function trailingZeros(bits: number): number {
  const mantissa = bits & 0x7fffff;
  return mantissa === 0 ? 23 : 31 - Math.clz32(mantissa & -mantissa);
}

/**
 * Reads the format from the values: bfloat16 leaves 16 zero bits, half leaves 13 (methods of copies compare in section "number formats":
 * a native half keeps three more zeros in 12.5 % of values, so 64 values that all do are no accident).
 * A few outliers are allowed because casts between half and bfloat16 lose tiny values to subnormals.
 */
export function readGrid(tensors: readonly TensorSample[], maxValues = 4096): Grid {
  let seen = 0;
  let bf16 = 0;
  let f16 = 0;
  const each = Math.max(8, Math.ceil(maxValues / Math.max(1, tensors.length)));
  for (const { values } of tensors) {
    let taken = 0;
    for (let i = 0; i < values.length && taken < each; i++) {
      const value = values[i]!;
      if (!(Math.abs(value) > 0.0005 && Math.abs(value) < 60_000)) continue;
      scratch[0] = value;
      const zeros = trailingZeros(word[0]!);
      taken++;
      seen++;
      if (zeros >= 16) bf16++;
      if (zeros >= 13) f16++;
    }
  }
  if (seen === 0) return 'F32';
  if (bf16 >= 0.995 * seen) return 'BF16';
  if (f16 >= 0.995 * seen) return 'F16';
  return 'F32';
}

/** 2^(i - 160), so that exponents need no power function. */
const POWERS = Float64Array.from({ length: 320 }, (_, i) => 2 ** (i - 160));

/** Spacing of representable numbers around a value. */
export function ulpOf(value: number, grid: Grid): number {
  scratch[0] = value;
  const exponent = Math.max(((word[0]! >>> 23) & 255) - 127, grid === 'F16' ? -14 : -126);
  return POWERS[160 + exponent - (grid === 'BF16' ? 7 : grid === 'F16' ? 10 : 23)]!;
}

/** Round to nearest even into the grid. */
export function roundToGrid(value: number, grid: Grid): number {
  if (grid === 'F32' || value === 0 || !Number.isFinite(value)) return value;
  if (grid === 'BF16') {
    scratch[0] = value;
    const bits = word[0]!;
    word[0] = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
    return scratch[0]!;
  }
  const ulp = ulpOf(value, 'F16');
  const scaled = value / ulp;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return rounded * ulp;
}

export const FINENESS: Readonly<Record<Grid, number>> = { BF16: 0, F16: 1, F32: 2 };
