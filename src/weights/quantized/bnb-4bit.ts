import { HublineageError } from '../../types/errors.ts';
import type { ByteRange } from '../../types/weights.ts';
import { itemBytes } from '../dtypes.ts';
import { checkSegment, type RawTensor, toMatrix, valueCount } from '../raw-tensor.ts';
import { asBytes, flatten } from './scaled-tensor.ts';

/** Quantiles of a normal distribution, from bitsandbytes (QLoRA, arXiv:2305.14314, appendix E); the last bits are theirs. */
const NF4 = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** Scales that share one second-level scale when absmax is itself quantised ("double quantisation"); a constant of bitsandbytes. */
const NESTED_BLOCK = 256;
/** quant_state is a small JSON text; anything longer is none. */
const MAX_STATE_BYTES = 4096;

export interface Bnb4BitParts {
  /** two codes a byte, the earlier value in the high half */
  codes: RawTensor;
  absmax: RawTensor;
  quantMap: RawTensor | undefined;
  nestedAbsmax: RawTensor | undefined;
  nestedQuantMap: RawTensor | undefined;
  state: RawTensor | undefined;
  kind: 'nf4' | 'fp4';
}

/**
 * A bitsandbytes 4-bit weight of `shape`: value = map[code] * absmax[block], blocks running over the flattened matrix. The block
 * size follows from the counts. With double quantisation absmax = nestedMap[u8] * nestedAbsmax[block / 256] + offset, the offset being
 * in quant_state alone. Null when the parts do not fit together.
 */
export function createBnb4BitTensor(
  name: string,
  shape: readonly number[],
  parts: Bnb4BitParts,
): RawTensor | null {
  const count = valueCount(shape);
  const { rows, cols } = toMatrix(shape);
  const blocks = valueCount(parts.absmax.shape);
  const blockSize = blocks === 0 ? 0 : 2 ** Math.round(Math.log2(count / blocks));
  const packedBytes =
    valueCount(parts.codes.shape) * (parts.codes.decodable ? itemBytes(parts.codes.dtype) : 0);
  const fits =
    rows > 0 &&
    blockSize >= 2 &&
    Math.ceil(count / blockSize) === blocks &&
    packedBytes === Math.ceil(count / 2);
  if (!fits) return null;
  const codes = asBytes(parts.codes);
  const absmax = createAbsmaxReader(parts, blocks);
  if (absmax === null) return null;
  const map = parts.kind === 'nf4' ? null : parts.quantMap;
  if (map === undefined || (map !== null && valueCount(map.shape) !== 16)) return null;
  const spanOf = (row: number, col: number, length: number) => {
    const begin = row * cols + col;
    const firstBlock = Math.floor(begin / blockSize);
    const blockCount = Math.floor((begin + length - 1) / blockSize) - firstBlock + 1;
    const firstByte = Math.floor(begin / 2);
    return {
      begin,
      firstBlock,
      blockCount,
      firstByte,
      byteCount: Math.floor((begin + length - 1) / 2) - firstByte + 1,
    };
  };
  const tensor: RawTensor = {
    name,
    shape,
    dtype: 'U8',
    encoding: `bnb-${parts.kind}`,
    decodable: true,
    blockCols: 1,
    file: codes.file,
    segmentRanges(row, col, length): ByteRange[] {
      checkSegment(tensor, row, col, length);
      const span = spanOf(row, col, length);
      return [
        ...codes.segmentRanges(0, span.firstByte, span.byteCount),
        ...absmax.ranges(span.firstBlock, span.blockCount),
        ...(map === null ? [] : flatten(map).segmentRanges(0, 0, 16)),
      ];
    },
    decodeSegment(bytes, row, col, length) {
      const { begin, firstBlock, blockCount, firstByte } = spanOf(row, col, length);
      const packed = bytes[0] as Uint8Array;
      const scales = absmax.decode(bytes.slice(1), firstBlock, blockCount);
      const table = map === null ? NF4 : flatten(map).decodeSegment([bytes.at(-1) as Uint8Array], 0, 0, 16);
      return Float32Array.from({ length }, (_, i) => {
        const at = begin + i;
        const byte = packed[Math.floor(at / 2) - firstByte] as number;
        const code = at % 2 === 0 ? byte >> 4 : byte & 15;
        return (table[code] as number) * (scales[Math.floor(at / blockSize) - firstBlock] as number);
      });
    },
  };
  return tensor;
}

interface AbsmaxReader {
  ranges(firstBlock: number, count: number): ByteRange[];
  decode(bytes: Uint8Array[], firstBlock: number, count: number): Float32Array;
}

function createAbsmaxReader(parts: Bnb4BitParts, blocks: number): AbsmaxReader | null {
  const absmax = flatten(parts.absmax);
  if (parts.absmax.dtype === 'F32') {
    return {
      ranges: (first, count) => absmax.segmentRanges(0, first, count),
      decode: (bytes, first, count) => absmax.decodeSegment(bytes, 0, first, count),
    };
  }
  const { nestedAbsmax, nestedQuantMap, state } = parts;
  if (
    parts.absmax.dtype !== 'U8' ||
    nestedAbsmax === undefined ||
    nestedQuantMap === undefined ||
    state === undefined
  )
    return null;
  const stateBytes = valueCount(state.shape);
  const fits =
    valueCount(nestedAbsmax.shape) === Math.ceil(blocks / NESTED_BLOCK) &&
    valueCount(nestedQuantMap.shape) === 256 &&
    state.dtype === 'U8' &&
    stateBytes > 0 &&
    stateBytes <= MAX_STATE_BYTES;
  if (!fits) return null;
  const nested = flatten(nestedAbsmax);
  const map = flatten(nestedQuantMap);
  const text = flatten(state);
  const nestedSpan = (first: number, count: number) => {
    const start = Math.floor(first / NESTED_BLOCK);
    return { start, length: Math.floor((first + count - 1) / NESTED_BLOCK) - start + 1 };
  };
  return {
    ranges(first, count) {
      const { start, length } = nestedSpan(first, count);
      return [
        ...absmax.segmentRanges(0, first, count),
        ...nested.segmentRanges(0, start, length),
        ...map.segmentRanges(0, 0, 256),
        ...text.segmentRanges(0, 0, stateBytes),
      ];
    },
    decode(bytes, first, count) {
      const [codes, nestedBytes, mapBytes, stateText] = bytes as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const { start, length } = nestedSpan(first, count);
      const scales = nested.decodeSegment([nestedBytes], 0, start, length);
      const table = map.decodeSegment([mapBytes], 0, 0, 256);
      const offset = readNestedOffset(stateText, state.name);
      return Float32Array.from({ length: count }, (_, i) => {
        const scale = scales[Math.floor((first + i) / NESTED_BLOCK) - start] as number;
        return Math.fround((table[codes[i] as number] as number) * scale) + offset;
      });
    },
  };
}

function readNestedOffset(bytes: Uint8Array, where: string): number {
  let state: unknown;
  try {
    state = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    state = null;
  }
  const { nested_offset: offset, nested_blocksize: block } = (state ?? {}) as Record<string, unknown>;
  if (
    typeof offset !== 'number' ||
    !Number.isFinite(offset) ||
    (block !== undefined && block !== NESTED_BLOCK)
  ) {
    throw new HublineageError('HeaderInvalid', 'quant_state does not tell how the scales are quantised', {
      where,
    });
  }
  return offset;
}
