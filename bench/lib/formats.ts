/** Number formats of generated samples: rounding in place, statistics, a hash over exact bits. */
import type { TensorStats } from '../../src/types/fingerprint.ts';

export type StoredFormat = 'F32' | 'F16' | 'BF16';

const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** Round to nearest, ties to even. */
export function toBf16(value: number): number {
  scratch[0] = value;
  const b = bits[0]!;
  bits[0] = (b + 0x7fff + ((b >>> 16) & 1)) & 0xffff0000;
  return scratch[0]!;
}

/** Round to nearest, ties to even, with half precision's subnormals below 2^-14. */
export function toF16(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const ulp = 2 ** (exponent - 10);
  const scaled = value / ulp;
  let rounded = Math.round(scaled);
  if (Math.abs(scaled - Math.trunc(scaled)) === 0.5) rounded = 2 * Math.round(scaled / 2);
  return rounded * ulp;
}

export function roundToFormat(values: Float32Array, format: StoredFormat): void {
  if (format === 'F32') return;
  const round = format === 'BF16' ? toBf16 : toF16;
  for (let i = 0; i < values.length; i++) values[i] = round(values[i]!);
}

export function statsOf(values: Float32Array): TensorStats {
  const count = values.length;
  let sum = 0;
  let squares = 0;
  for (const v of values) {
    sum += v;
    squares += v * v;
  }
  const mean = count ? sum / count : 0;
  let second = 0;
  let fourth = 0;
  for (const v of values) {
    const d = (v - mean) ** 2;
    second += d;
    fourth += d * d;
  }
  const variance = count ? second / count : 0;
  const kurtosis = variance > 0 ? fourth / count / variance ** 2 - 3 : 0;
  return { count, mean, std: Math.sqrt(variance), l2: Math.sqrt(squares), kurtosis };
}

/** 16 hex digits over float32 bits with -0 folded into 0. */
export function hashValues(values: Float32Array): string {
  let h1 = 0x811c9dc5;
  let h2 = 0x9e3779b9;
  for (const v of values) {
    scratch[0] = v === 0 ? 0 : v;
    const b = bits[0]!;
    h1 = Math.imul(h1 ^ b, 0x01000193);
    h2 = Math.imul(h2 ^ (b >>> 3), 0x85ebca6b) + 1;
  }
  return (h1 >>> 0).toString(16).padStart(8, '0') + (h2 >>> 0).toString(16).padStart(8, '0');
}
