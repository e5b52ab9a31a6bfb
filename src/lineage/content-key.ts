import { crc32 } from 'node:zlib';
import type { LineageModel } from '../types/lineage.ts';
import { filesKey } from './copies.ts';

/**
 * What a model's conclusions follow from but for its name and time, in a short text: files, layout and core. Samples beyond the core are
 * a function of the files and the scheme. Null when some file's hash is not known: then nothing about it may be remembered.
 */
export function describeContent(model: LineageModel): string | null {
  const { fingerprint: f } = model;
  const files = filesKey(model);
  if (files === null) return null;
  // The files say it all; the bits of the core make sure, at a hundredth of what a cryptographic hash of all cores costs a night.
  return JSON.stringify([
    files,
    f.scheme,
    f.coreKey,
    f.dtype,
    f.format,
    f.quantized,
    f.widths,
    hashBits(f.core),
  ]);
}

const known = new WeakMap<Float32Array, string>();

/** 64 bits over the exact values: for finding equal ones, which are then compared. Kept, since a night asks twice: values must not change. */
export function hashBits(values: Float32Array): string {
  let hash = known.get(values);
  if (hash === undefined) {
    hash = hashAll(values);
    known.set(values, hash);
  }
  return hash;
}

/** 32 bits of either half, by CRC-32. Multiplication carries upwards only: where values end in zeros, half of such a hash says nothing. */
function hashAll(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const middle = bytes.length >> 1;
  return toHex(crc32(bytes.subarray(0, middle))) + toHex(crc32(bytes.subarray(middle)));
}

function toHex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
