import { HublineageError } from '../types/errors.ts';
import type { Fingerprint, FingerprintSummary, TensorSample } from '../types/fingerprint.ts';
import { PACKINGS, type Packing } from './pack.ts';

export interface StoredTensor extends Omit<TensorSample, 'values' | 'stats'> {
  count: number;
  packing: Packing;
}

export interface StoredHeader {
  summary: Omit<FingerprintSummary, 'core'>;
  tensors: StoredTensor[];
  coreCount: number;
  corePacking: Packing;
}

/** Values a tensor may hold: a vector of 65,536 or a whole small matrix of the largest `valuesPerTensor`. */
const MAX_TENSOR_VALUES = 1 << 24;

/** The JSON header; `packings` are those of the tensors in order, then the core's. Layer and packing are short: they repeat 300 times. */
export function toHeader(fingerprint: Fingerprint, packings: readonly Packing[]): unknown {
  const { tensors, core, ...summary } = fingerprint;
  return {
    summary,
    core: [core.length, packings.at(-1)],
    tensors: tensors.map(({ name, role, layer, shape, dtype, encoding, values, hash }, i) => [
      name,
      role,
      layer,
      shape,
      dtype,
      encoding,
      values.length,
      packings[i],
      hash,
    ]),
  };
}

/** Parses and checks what `toHeader` wrote; DatabaseInvalid names the first thing that is wrong. */
export function readHeader(bytes: Uint8Array): StoredHeader {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damaged('its header is not JSON', cause);
  }
  const { summary, core, tensors } = record(json, 'header');
  const [coreCount, corePacking] = list(core, 'core');
  return {
    summary: readSummary(summary),
    coreCount: whole(coreCount, 'core'),
    corePacking: packing(corePacking),
    tensors: list(tensors, 'tensors').map(readTensor),
  };
}

function readTensor(value: unknown): StoredTensor {
  const [name, role, layer, shape, dtype, encoding, count, packed, hash] = list(value, 'tensor');
  return {
    name: text(name, 'name'),
    role: text(role, 'role'),
    layer: layer === null ? null : whole(layer, 'layer'),
    shape: list(shape, 'shape').map((dim) => whole(dim, 'shape', Number.MAX_SAFE_INTEGER)),
    dtype: text(dtype, 'dtype') as TensorSample['dtype'],
    encoding: text(encoding, 'encoding'),
    count: whole(count, 'count'),
    packing: packing(packed),
    hash: text(hash, 'hash'),
  };
}

/** Checks what others rely on without looking; the rest of the summary is taken as the checksum vouches for it. */
function readSummary(value: unknown): StoredHeader['summary'] {
  const summary = record(value, 'summary');
  whole(summary.scheme, 'scheme', Number.MAX_SAFE_INTEGER);
  for (const key of ['architecture', 'format', 'dtype', 'coreKey']) text(summary[key], key);
  if (summary.family !== 'llama' && summary.family !== 'stable-diffusion') throw damaged('family');
  if (summary.kind !== 'full' && summary.kind !== 'adapter') throw damaged('kind');
  if (typeof summary.quantized !== 'boolean') throw damaged('quantized');
  if (typeof summary.params !== 'number') throw damaged('params');
  for (const width of Object.values(record(summary.widths, 'widths')))
    if (width !== null && typeof width !== 'number') throw damaged('widths');
  if (summary.adapter !== null) record(summary.adapter, 'adapter');
  for (const file of list(summary.files, 'files')) text(record(file, 'files').path, 'files');
  for (const note of list(summary.notes, 'notes')) text(note, 'notes');
  return summary as unknown as StoredHeader['summary'];
}

/** DatabaseInvalid, with what to do. */
export function damaged(what: string, cause?: unknown): HublineageError {
  return new HublineageError('DatabaseInvalid', `a stored fingerprint is damaged: ${what}`, {
    hint: 'run `hublineage fingerprint` again for this repo',
    cause,
  });
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(what);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw damaged(what);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw damaged(what);
  return value;
}

function whole(value: unknown, what: string, max = MAX_TENSOR_VALUES): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) throw damaged(what);
  return value as number;
}

function packing(value: unknown): Packing {
  const found = PACKINGS.find((name) => name === value);
  if (found === undefined) throw damaged('packing');
  return found;
}
