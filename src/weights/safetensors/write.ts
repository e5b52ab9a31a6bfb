import { HublineageError } from '../../types/errors.ts';
import type { DType } from '../../types/weights.ts';
import { DTYPE_BITS } from '../dtypes.ts';
import { encodeValues } from '../encode.ts';
import { valueCount } from '../raw-tensor.ts';

export interface TensorLayout {
  name: string;
  dtype: DType;
  shape: readonly number[];
}

export interface TensorToWrite extends TensorLayout {
  /** values to round into `dtype`, or its bytes as they are */
  data: Float32Array | Uint8Array;
}

/** Where a writer puts each tensor: the header's bytes (length prefix included), offsets from the start of the file, the file's size. */
export interface SafetensorsLayout {
  header: Uint8Array;
  offsets: ReadonlyMap<string, number>;
  fileBytes: number;
}

/**
 * Lays a file out as the reference writer does: widest dtypes first, then by name; header padded with spaces to 8 bytes. Knowing the
 * layout without the data is what lets a file exist as a formula.
 */
export function layoutSafetensors(
  tensors: readonly TensorLayout[],
  metadata?: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const sorted = [...tensors].sort(
    (a, b) => DTYPE_BITS[b.dtype] - DTYPE_BITS[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  // No prototype: a tensor may be called `__proto__`.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata !== undefined) header.__metadata__ = metadata;
  const begins = new Map<string, number>();
  let end = 0;
  for (const { name, dtype, shape } of sorted) {
    const begin = end;
    end += Math.ceil((valueCount(shape) * DTYPE_BITS[dtype]) / 8);
    header[name] = { dtype, shape, data_offsets: [begin, end] };
    begins.set(name, begin);
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  const offsets = new Map([...begins].map(([name, begin]) => [name, bytes.length + begin]));
  return { header: bytes, offsets, fileBytes: bytes.length + end };
}

/** A whole small safetensors file, for tests and made-up repos. ShapeInvalid when data and shape disagree. */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const layout = layoutSafetensors(tensors, metadata);
  const file = new Uint8Array(layout.fileBytes);
  file.set(layout.header);
  for (const { name, dtype, shape, data } of tensors) {
    const bytes = data instanceof Float32Array ? encodeValues(dtype, data) : data;
    if (bytes.length !== Math.ceil((valueCount(shape) * DTYPE_BITS[dtype]) / 8)) {
      throw new HublineageError(
        'ShapeInvalid',
        `${name} [${shape.join(', ')}] of ${dtype} is not ${bytes.length} bytes`,
      );
    }
    file.set(bytes, layout.offsets.get(name));
  }
  return file;
}
