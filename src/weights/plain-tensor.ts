import type { ByteRange, DType, Encoding } from '../types/weights.ts';
import { decodeValues, isDecodable, itemBytes } from './dtypes.ts';
import { checkSegment, type RawTensor, toMatrix } from './raw-tensor.ts';

export interface PlainRegion {
  name: string;
  shape: readonly number[];
  dtype: DType;
  file: string;
  /** bytes from the start of the file to the first value */
  offset: number;
  /** `plain` unless the values only make sense together with others (packed codes); such tensors are not decodable */
  encoding?: Encoding;
  decodable?: boolean;
}

/** A tensor of plain row-major little-endian values in one contiguous region of a file. */
export function createPlainTensor(region: PlainRegion): RawTensor {
  const { name, shape, dtype, file, offset } = region;
  const { cols } = toMatrix(shape);
  const tensor = {
    name,
    shape,
    dtype,
    encoding: region.encoding ?? 'plain',
    decodable: (region.decodable ?? true) && isDecodable(dtype),
    blockCols: 1,
    file,
    segmentRanges(row: number, col: number, count: number): ByteRange[] {
      checkSegment(tensor, row, col, count);
      const size = itemBytes(dtype);
      return [{ file, offset: offset + (row * cols + col) * size, length: count * size }];
    },
    decodeSegment(bytes: Uint8Array[], _row: number, _col: number, count: number): Float32Array {
      return decodeValues(dtype, bytes[0] ?? new Uint8Array(), count);
    },
  };
  return tensor;
}
