import { HublineageError } from '../../types/errors.ts';
import type { CanonicalTensor } from '../../types/weights.ts';
import { checkSegment, type RawTensor, toMatrix } from '../raw-tensor.ts';
import { layerOf, roleOf } from './roles.ts';
import type { RowMap } from './rows.ts';

/** A 1x1 convolution [out, in, 1, 1] has the canonical shape [out, in]: SD 1 stores proj_in so, SD 2 as a matrix, same bytes. */
export function toCanonicalShape(shape: readonly number[]): readonly number[] {
  return shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape;
}

/** A raw tensor under its canonical name. `rowMap` tells where canonical rows lie in the file; for a 1-D tensor it maps elements. */
export function createCanonicalTensor(
  raw: RawTensor,
  name: string,
  options: { rowMap?: RowMap | undefined; role?: string } = {},
): CanonicalTensor {
  const shape = toCanonicalShape(raw.shape);
  const { rows, cols } = toMatrix(shape);
  const { rowMap } = options;
  const isVector = shape.length <= 1;
  const refuseUndecodable = () => {
    if (!raw.decodable) {
      throw new HublineageError(
        'ContainerUnsupported',
        `${name} is stored as ${raw.encoding}, which cannot be decoded`,
      );
    }
  };
  const base = {
    name,
    role: options.role ?? roleOf(name),
    layer: layerOf(name),
    shape,
    rows,
    cols,
    dtype: raw.dtype,
    encoding: raw.encoding,
    decodable: raw.decodable,
    blockCols: raw.blockCols,
  };
  if (rowMap !== undefined && isVector) {
    // A permuted bias: neighbours are not neighbours in the file, and 1-D tensors are read whole anyway.
    return {
      ...base,
      segmentRanges(row, col, count) {
        refuseUndecodable();
        checkSegment(base, row, col, count);
        return raw.segmentRanges(0, 0, cols);
      },
      decodeSegment(bytes, _row, col, count) {
        const whole = raw.decodeSegment(bytes, 0, 0, cols);
        return Float32Array.from({ length: count }, (_, i) => whole[rowMap(col + i)] as number);
      },
    };
  }
  const fileRow = rowMap ?? ((row: number) => row);
  return {
    ...base,
    segmentRanges(row, col, count) {
      refuseUndecodable();
      checkSegment(base, row, col, count);
      return raw.segmentRanges(fileRow(row), col, count);
    },
    decodeSegment(bytes, row, col, count) {
      refuseUndecodable();
      return raw.decodeSegment(bytes, fileRow(row), col, count);
    },
  };
}
