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

const result = new Uint32Array(2);

function hashAll(values: Float32Array): string {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  // whole numbers of 32 bits with their sign throughout: beyond that, even once, this loop ran uncompiled
  let h1 = 0x811c9dc5 | 0;
  let h2 = 0x9747b28c | 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    h1 = Math.imul(h1 ^ word, 0x01000193);
    h2 = Math.imul(((h2 ^ word) + 0x7ed55d16) | 0, 0x85ebca6b);
  }
  result[0] = h1;
  result[1] = h2;
  return `${result[0]!.toString(16)}${result[1]!.toString(16)}`;
}
