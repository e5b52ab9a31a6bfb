import { HublineageError } from '../../types/errors.ts';
import type { ByteRange } from '../../types/weights.ts';
import { checkSegment, type RawTensor, toMatrix } from '../raw-tensor.ts';
import { canDecode, decodeBlocks } from './decode-blocks.ts';
import { type GgmlType, toGgmlType } from './ggml-types.ts';
import type { GgufTensor } from './types.ts';

/**
 * A tensor of a GGUF file. Any segment may be asked for: ranges cover the blocks it touches, decoding cuts them back. Blocks run
 * over the flattened tensor, which is the same as along rows whenever rows are whole blocks (in ggml's own files always).
 */
export function createBlockTensor(info: GgufTensor): RawTensor {
  const { name, shape, file } = info;
  const { cols } = toMatrix(shape);
  const type: GgmlType | null = toGgmlType(info.typeId);
  const blockValues = type?.blockValues ?? 1;
  const blockBytes = type?.blockBytes ?? 1;
  const firstBlock = (row: number, col: number) => Math.floor((row * cols + col) / blockValues);
  const blocksOf = (row: number, col: number, count: number) =>
    Math.ceil((row * cols + col + count) / blockValues) - firstBlock(row, col);
  return {
    name,
    shape,
    file,
    dtype: type?.dtype ?? 'U8',
    encoding: type?.plain ? 'plain' : info.type,
    decodable: type !== null && canDecode(type),
    blockCols: cols % blockValues === 0 ? blockValues : 1,
    segmentRanges(row, col, count): ByteRange[] {
      checkSegment({ name, shape, blockCols: 1 }, row, col, count);
      return [
        {
          file,
          offset: info.offset + firstBlock(row, col) * blockBytes,
          length: blocksOf(row, col, count) * blockBytes,
        },
      ];
    },
    decodeSegment(bytes, row, col, count) {
      if (type === null) {
        throw new HublineageError('ContainerUnsupported', `${name}: ggml type ${info.typeId} is not known`);
      }
      const values = decodeBlocks(type, bytes[0] ?? new Uint8Array(), blocksOf(row, col, count));
      const skipped = row * cols + col - firstBlock(row, col) * blockValues;
      return values.slice(skipped, skipped + count);
    },
  };
}
