/**
 * Float32 values in the fewest bytes that keep every bit: most weights are stored in 16 bits, so their decoded values fit there again.
 * Bytes are kept in planes (all most significant bytes, then the next), because the deflate that follows finds sign-and-exponent
 * bytes beside one another far more compressible than mixed with mantissas: a sixth smaller on real weights.
 */

export const PACKINGS = ['bf16', 'f16', 'f32'] as const;
export type Packing = (typeof PACKINGS)[number];

export const packedBytes: Readonly<Record<Packing, number>> = { bf16: 2, f16: 2, f32: 4 };

const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The narrowest packing that is exact for these values. */
export function choosePacking(values: Float32Array): Packing {
  const bits = bitsOf(values);
  let bf16 = true;
  let f16 = true;
  for (let i = 0; i < bits.length && (bf16 || f16); i++) {
    const b = bits[i] as number;
    if (bf16 && (b & 0xffff) !== 0) bf16 = false;
    if (f16 && !isExactF16(b)) f16 = false;
  }
  return bf16 ? 'bf16' : f16 ? 'f16' : 'f32';
}

function isExactF16(bits: number): boolean {
  const half = toF16Bits(bits);
  return half !== -1 && fromF16Bits(half) === bits;
}

/** IEEE half of exactly this float32, or -1 where there is none. NaN only in its canonical form. */
export function toF16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) {
    if (mantissa === 0) return sign | 0x7c00;
    return bits === 0x7fc00000 ? 0x7e00 : -1;
  }
  if (exponent === 0 && mantissa === 0) return sign;
  const e = exponent - 112;
  if (e >= 31) return -1;
  if (e >= 1) return (mantissa & 0x1fff) === 0 ? sign | (e << 10) | (mantissa >>> 13) : -1;
  // subnormal halves: mantissa * 2^-24
  const shift = 14 - e;
  if (shift > 24) return -1;
  const full = mantissa | 0x800000;
  return (full & (2 ** shift - 1)) === 0 ? sign | (full >>> shift) : -1;
}

/** float32 bits of a half. */
function fromF16Bits(half: number): number {
  const sign = (half & 0x8000) * 0x10000;
  const exponent = (half >>> 10) & 0x1f;
  let mantissa = half & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign + 0x7f800000 : 0x7fc00000;
  if (exponent > 0) return sign + (exponent + 112) * 0x800000 + mantissa * 0x2000;
  if (mantissa === 0) return sign;
  let e = 113;
  while ((mantissa & 0x400) === 0) {
    mantissa *= 2;
    e--;
  }
  return sign + e * 0x800000 + (mantissa & 0x3ff) * 0x2000;
}

/** Significant bytes first, one array a plane. */
export function packValues(values: Float32Array, packing: Packing): Uint8Array[] {
  const bits = bitsOf(values);
  const planes = Array.from({ length: packedBytes[packing] }, () => new Uint8Array(values.length));
  const last = planes.length - 1;
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i] as number;
    const word = packing === 'f32' ? b : packing === 'bf16' ? b >>> 16 : toF16Bits(b);
    for (let p = 0; p <= last; p++) (planes[p] as Uint8Array)[i] = (word >>> (8 * (last - p))) & 0xff;
  }
  return planes;
}

/** Inverse of `packValues`; all planes must be equally long. */
export function unpackValues(planes: readonly Uint8Array[], packing: Packing): Float32Array {
  const [first, second, third, fourth] = planes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const bits = new Uint32Array(first.length);
  // a loop for each: one for all takes three times as long, and all that an inference loads goes through here
  if (packing === 'f32')
    for (let i = 0; i < bits.length; i++)
      bits[i] = (first[i]! << 24) | (second[i]! << 16) | (third[i]! << 8) | fourth[i]!;
  else if (packing === 'bf16')
    for (let i = 0; i < bits.length; i++) bits[i] = (first[i]! << 24) | (second[i]! << 16);
  else for (let i = 0; i < bits.length; i++) bits[i] = fromF16Bits((first[i]! << 8) | second[i]!);
  return new Float32Array(bits.buffer);
}
