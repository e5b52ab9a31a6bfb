/** Rotates 32 bits left. */
function rotl(x: number, r: number): number {
  return (x << r) | (x >>> (32 - r));
}

/** MurmurHash3's 32-bit finaliser: every input bit reaches every output bit. */
function fmix32(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 32-bit hash of a string (MurmurHash3 over its UTF-16 units); part of the position scheme, so it never changes. */
export function hash32(text: string, seed: number): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i++) {
    h ^= Math.imul(rotl(Math.imul(text.charCodeAt(i), 0xcc9e2d51), 15), 0x1b873593);
    h = (Math.imul(rotl(h, 13), 5) + 0xe6546b64) | 0;
  }
  return fmix32(h ^ text.length);
}

/** A whole number in [0, n), the same for the same key and seed for ever. */
export function seededInt(key: string, seed: number, n: number): number {
  return Math.floor((hash32(key, seed) / 2 ** 32) * n);
}

const hex8 = (x: number) => (x >>> 0).toString(16).padStart(8, '0');

/**
 * 16 hex digits over the float32 bits of the values, in order. NaN (a position that does not exist in this model) is skipped and -0
 * counts as 0, so equal numbers hash equally whatever format they were stored in. Two 32-bit lanes with MurmurHash3's x86_128 constants:
 * BigInt would be 30 times slower here, and nobody gains by forging a collision between two tensors' samples.
 */
export function hashValues(values: Float32Array): string {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let a = 0x9e3779b9 | 0;
  let b = 0x7f4a7c15 | 0;
  let count = 0;
  for (let i = 0; i < bits.length; i++) {
    let k = bits[i] as number;
    if ((k & 0x7fffffff) > 0x7f800000) continue;
    if (k === 0x80000000) k = 0;
    count++;
    a ^= Math.imul(rotl(Math.imul(k, 0x239b961b), 15), 0xab0e9789);
    a = (Math.imul(rotl(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b ^= Math.imul(rotl(Math.imul(k, 0x38b34ae5), 17), 0xa1e38b93);
    b = (Math.imul(rotl(b, 13) + a, 5) + 0x32ac3b17) | 0;
  }
  a = fmix32((a ^ count) + b);
  b = fmix32((b ^ count) + a);
  return hex8(a + b) + hex8(b);
}
