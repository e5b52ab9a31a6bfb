import type { ByteRange, Encoding } from '../../types/weights.ts';
import { itemBytes } from '../dtypes.ts';
import { createPlainTensor } from '../plain-tensor.ts';
import { checkSegment, type RawTensor, toMatrix, valueCount } from '../raw-tensor.ts';

/** How many rows and columns of the weight share one scale. */
interface ScaleGrid {
  rowsPerScale: number;
  colsPerScale: number;
  /** scales a row of the grid */
  scaleCols: number;
}

/** Side of DeepSeek's square blocks, which need not divide the weight's sides. */
const BLOCK_SIDE = 128;

function findGrid(rows: number, cols: number, scaleShape: readonly number[]): ScaleGrid | null {
  const count = valueCount(scaleShape);
  if (count === 1) return { rowsPerScale: rows, colsPerScale: cols, scaleCols: 1 };
  const [scaleRows = 1, scaleCols = 1] = scaleShape;
  if (scaleShape.length > 2) return null;
  const rowsPerScale = perScale(rows, scaleRows);
  const colsPerScale = perScale(cols, scaleCols);
  return rowsPerScale === null || colsPerScale === null ? null : { rowsPerScale, colsPerScale, scaleCols };
}

function perScale(values: number, scales: number): number | null {
  if (scales === values) return 1;
  if (Math.ceil(values / BLOCK_SIDE) === scales) return BLOCK_SIDE;
  return scales > 0 && values % scales === 0 ? values / scales : null;
}

/**
 * 8-bit codes times scales in another tensor: one for all, one a row, or one a block (`weight_scale`, DeepSeek's `weight_scale_inv`:
 * both multiply, whatever the name says). bitsandbytes' LLM.int8 is the same with `divisor` 127. Null when the shapes do not fit.
 */
export function createScaledTensor(
  name: string,
  codes: RawTensor,
  scales: RawTensor,
  encoding: Encoding,
  divisor = 1,
): RawTensor | null {
  if (!codes.decodable || !scales.decodable || codes.shape.length !== 2) return null;
  const { rows, cols } = toMatrix(codes.shape);
  const grid = findGrid(rows, cols, scales.shape);
  if (grid === null) return null;
  const { rowsPerScale, colsPerScale, scaleCols } = grid;
  const flatScales = flatten(scales);
  const spanOf = (row: number, col: number, count: number) => {
    const first = Math.floor(col / colsPerScale);
    const last = Math.floor((col + count - 1) / colsPerScale);
    return { start: Math.floor(row / rowsPerScale) * scaleCols + first, first, length: last - first + 1 };
  };
  const tensor: RawTensor = {
    name,
    shape: codes.shape,
    dtype: codes.dtype,
    encoding,
    decodable: true,
    blockCols: 1,
    file: codes.file,
    segmentRanges(row, col, count): ByteRange[] {
      checkSegment(tensor, row, col, count);
      const { start, length } = spanOf(row, col, count);
      return [...codes.segmentRanges(row, col, count), ...flatScales.segmentRanges(0, start, length)];
    },
    decodeSegment(bytes, row, col, count) {
      const [codeBytes, scaleBytes] = bytes as [Uint8Array, Uint8Array];
      const { start, first, length } = spanOf(row, col, count);
      const values = codes.decodeSegment([codeBytes], row, col, count);
      const factors = flatScales.decodeSegment([scaleBytes], 0, start, length);
      return values.map((value, i) => {
        const factor = factors[Math.floor((col + i) / colsPerScale) - first] as number;
        return divisor === 1 ? value * factor : (value * factor) / divisor;
      });
    },
  };
  return tensor;
}

/** The bytes of a plain tensor as one row of U8: bitsandbytes may store its codes in any dtype (`bnb_4bit_quant_storage`). */
export function asBytes(tensor: RawTensor): RawTensor {
  const start = tensor.segmentRanges(0, 0, 1)[0];
  const length = valueCount(tensor.shape) * itemBytes(tensor.dtype);
  return createPlainTensor({ ...tensor, dtype: 'U8', shape: [length], offset: start?.offset ?? 0 });
}

/** A plain tensor of any shape as one row. */
export function flatten(tensor: RawTensor): RawTensor {
  const count = valueCount(tensor.shape);
  const start = tensor.segmentRanges(0, 0, 1)[0];
  return createPlainTensor({ ...tensor, shape: [count], offset: start?.offset ?? 0 });
}
