/**
 * Reproducible noise at any position without state: murmur3's finaliser over (index, key), four 16-bit uniforms summed.
 * The sum's tails end at 3.46 standard deviations, which no statistic on sampled weights minds, and it costs a tenth of
 * Box-Muller. Same numbers on every machine: 32-bit integers and one double multiplication.
 */

/** Standard deviation of a sum of four uniforms on 0..65535. */
const SUM_STD = Math.sqrt((4 * (65536 ** 2 - 1)) / 12);
const SUM_MEAN = (4 * 65535) / 2;

export interface NoiseKey {
  first: number;
  second: number;
}

/** Two 32-bit keys from a text (FNV-1a, twice, finished by murmur3). */
export function toNoiseKey(text: string): NoiseKey {
  let first = 0x811c9dc5;
  let second = 0x2b5f1d3f;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code ^ (second >>> 15), 0x2c1b3c6d);
  }
  return { first: finish(first), second: finish(second ^ text.length) };
}

function finish(hash: number): number {
  let x = hash;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** `out[i] += scale * g(start + i)`, with g of mean 0 and standard deviation 1. Indices up to 2^32. */
export function addNoise(out: Float32Array, start: number, key: NoiseKey, scale: number): void {
  const { first, second } = key;
  const factor = scale / SUM_STD;
  for (let i = 0; i < out.length; i++) {
    let x = (Math.imul(start + i, 0x9e3779b1) + first) | 0;
    x = Math.imul(x ^ (x >>> 16) ^ second, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    let y = (x + second) | 0;
    y = Math.imul(y ^ (y >>> 15), 0x2c1b3c6d);
    y = Math.imul(y ^ (y >>> 12), 0x297a2d39);
    y ^= y >>> 15;
    const sum = (x & 0xffff) + (x >>> 16) + (y & 0xffff) + (y >>> 16);
    out[i] = out[i]! + (sum - SUM_MEAN) * factor;
  }
}

/** Rounds in place to what the dtype can store, nearest even. */
export function roundValues(values: Float32Array, dtype: 'F32' | 'F16' | 'BF16'): void {
  if (dtype === 'F32') return;
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (dtype === 'BF16') {
    for (let i = 0; i < bits.length; i++) {
      const word = bits[i]!;
      bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
    }
    return;
  }
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    const magnitude = word & 0x7fffffff;
    // below 2^-14 binary16 is a grid of 2^-24; adding and taking away 1.5 * 2^52 rounds to it, ties to even
    if (magnitude < 0x38800000) {
      values[i] = (values[i]! * 16777216 + 6755399441055744 - 6755399441055744) / 16777216;
    } else bits[i] = (word + 0xfff + ((word >>> 13) & 1)) & 0xffffe000;
  }
}
