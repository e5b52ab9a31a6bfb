import { HublineageError } from '../types/errors.ts';
import type { ByteRange, DType, Encoding } from '../types/weights.ts';

/**
 * A tensor as its container holds it: its own name, rows in file order. Every container reader returns these; names and row order
 * become canonical in one place (canonical/tensor.ts).
 */
export interface RawTensor {
  readonly name: string;
  /** outermost dimension first, row-major (GGUF's `ne` reversed) */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly encoding: Encoding;
  readonly decodable: boolean;
  /** columns come in blocks of this many values; 1 for plain dtypes */
  readonly blockCols: number;
  /** path of the file its values lie in */
  readonly file: string;
  /** Ranges of `count` values of file row `row` from column `col`; a 1-D tensor is one row. Throws when not decodable. */
  segmentRanges(row: number, col: number, count: number): ByteRange[];
  decodeSegment(bytes: Uint8Array[], row: number, col: number, count: number): Float32Array;
}

/** Rows and columns of a tensor seen as a matrix: rows = shape[0], cols = product of the rest; a scalar or 1-D tensor is one row. */
export function toMatrix(shape: readonly number[]): { rows: number; cols: number } {
  if (shape.length <= 1) return { rows: 1, cols: shape[0] ?? 1 };
  return { rows: shape[0] as number, cols: shape.slice(1).reduce((product, dim) => product * dim, 1) };
}

/** Number of values. */
export function valueCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** OffsetInvalid unless the segment lies inside the tensor and starts and ends on block borders (or at the row's end). */
export function checkSegment(
  tensor: { name: string; shape: readonly number[]; blockCols: number },
  row: number,
  col: number,
  count: number,
): void {
  const { rows, cols } = toMatrix(tensor.shape);
  const inside =
    Number.isInteger(row) &&
    Number.isInteger(col) &&
    Number.isInteger(count) &&
    row >= 0 &&
    row < rows &&
    col >= 0 &&
    count > 0 &&
    col + count <= cols;
  const end = col + count;
  const aligned = col % tensor.blockCols === 0 && (end % tensor.blockCols === 0 || end === cols);
  if (inside && aligned) return;
  throw new HublineageError(
    'OffsetInvalid',
    `no segment of ${count} values at row ${row}, column ${col} in ${tensor.name} [${tensor.shape.join(', ')}]`,
  );
}
