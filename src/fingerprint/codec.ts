import { deflateSync, inflateSync } from 'node:zlib';
import { HublineageError } from '../types/errors.ts';
import type { Fingerprint, FingerprintSummary, TensorSample } from '../types/fingerprint.ts';
import { damaged, readHeader, type StoredTensor, toHeader } from './codec-header.ts';
import { hashValues } from './hash.ts';
import { choosePacking, type Packing, packedBytes, packValues, unpackValues } from './pack.ts';
import { computeStats } from './stats.ts';

/** `HLFP`, then one byte for the version of this layout. */
const MAGIC = Uint8Array.of(0x48, 0x4c, 0x46, 0x50, 1);

/** Inflated size allowed: 30 times a 7B's; a damaged or hostile blob must not take the memory of the whole run. */
const MAX_INFLATED_BYTES = 64 << 20;

export interface EncodedFingerprint {
  /** everything, compressed and self-contained */
  blob: Uint8Array;
  /** the core vector as little-endian float32, for all-pairs work without inflating blobs */
  core: Uint8Array;
  /** what is kept in memory for every model; its `core` is the same array as the fingerprint's */
  summary: FingerprintSummary;
}

/**
 * Layout of a blob: magic and version; then, deflated with zlib's checksum, the byte length of a JSON header (uint32), the header, and
 * the values of all tensors and of the core in byte planes: most significant bytes of everything first (see pack.ts).
 * Values keep every bit. Statistics are not stored: they are computed again from the values.
 */
export function encodeFingerprint(fingerprint: Fingerprint): EncodedFingerprint {
  const { tensors, ...summary } = fingerprint;
  const arrays = [...tensors.map((tensor) => tensor.values), fingerprint.core];
  const packings = arrays.map(choosePacking);
  const header = new TextEncoder().encode(JSON.stringify(toHeader(fingerprint, packings)));
  const planes: Uint8Array[][] = [[], [], [], []];
  arrays.forEach((values, i) => {
    packValues(values, packings[i] ?? 'f32').forEach((plane, p) => {
      planes[p]?.push(plane);
    });
  });
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, header.length, true);
  const body = deflateSync(Buffer.concat([length, header, ...planes.flat()]), { level: 6 });
  return { blob: new Uint8Array(Buffer.concat([MAGIC, body])), core: toBytes(fingerprint.core), summary };
}

/** The fingerprint as it was; DatabaseInvalid when a single bit of the blob is not as it was written. */
export function decodeFingerprint(blob: Uint8Array): Fingerprint {
  const body = inflate(blob);
  if (body.length < 4) throw damaged('it is empty');
  const headerBytes = new DataView(body.buffer, body.byteOffset, 4).getUint32(0, true);
  if (headerBytes > body.length - 4) throw damaged('its header is cut off');
  const { summary, tensors, coreCount, corePacking } = readHeader(body.subarray(4, 4 + headerBytes));
  const arrays = unpackAll(body.subarray(4 + headerBytes), [
    ...tensors.map(({ count, packing }) => ({ count, packing })),
    { count: coreCount, packing: corePacking },
  ]);
  const core = arrays.pop() as Float32Array;
  return {
    ...summary,
    core,
    tensors: tensors.map((stored, i) => toTensor(stored, arrays[i] as Float32Array)),
  };
}

/** The samples alone, for a `SampleLoader`. */
export function decodeSamples(blob: Uint8Array): TensorSample[] {
  return decodeFingerprint(blob).tensors;
}

/** The core vector from the bytes `encodeFingerprint` gave. */
export function decodeCore(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) throw damaged(`a core of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function toBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  return bytes;
}

function inflate(blob: Uint8Array): Uint8Array {
  if (blob.length < MAGIC.length || MAGIC.some((byte, i) => i < 4 && blob[i] !== byte))
    throw damaged('it does not begin like one');
  if (blob[4] !== MAGIC[4])
    throw new HublineageError('DatabaseInvalid', `a fingerprint of layout ${blob[4]}, this program reads 1`, {
      hint: 'a newer version wrote it: update this one',
    });
  try {
    return inflateSync(blob.subarray(MAGIC.length), { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    throw damaged('it does not inflate', cause);
  }
}

function unpackAll(
  body: Uint8Array,
  entries: readonly { count: number; packing: Packing }[],
): Float32Array[] {
  const planes: Uint8Array[][] = entries.map(() => []);
  let at = 0;
  for (let p = 0; p < 4; p++) {
    entries.forEach(({ count, packing }, i) => {
      if (p >= packedBytes[packing]) return;
      planes[i]?.push(body.subarray(at, at + count));
      at += count;
    });
  }
  if (at !== body.length) throw damaged(`${body.length} bytes of values where ${at} belong`);
  return entries.map(({ packing }, i) => unpackValues(planes[i] as Uint8Array[], packing));
}

function toTensor(
  { count: _, packing: __, hash, ...rest }: StoredTensor,
  values: Float32Array,
): TensorSample {
  if (hashValues(values) !== hash) throw damaged(`the values of ${rest.name} do not match their hash`);
  return { ...rest, values, stats: computeStats(values), hash };
}
