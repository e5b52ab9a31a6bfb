import { HublineageError } from '../../types/errors.ts';
import { toGgmlType } from './ggml-types.ts';
import type { HeaderCursor } from './header-cursor.ts';
import type { GgufTensor } from './types.ts';

/** The largest mixtures of experts stay under 3,000; ggml itself stops at 2^16 graph nodes. */
const MAX_TENSORS = 65_536;
/** ggml allows 63. */
const MAX_NAME_BYTES = 255;
const MAX_DIMS = 4;
const GUESSED_INFO_BYTES = 80;

export interface TensorInfo extends Omit<GgufTensor, 'file' | 'offset'> {
  /** bytes from the start of the data section */
  readonly dataOffset: number;
}

const utf8 = new TextDecoder();

function fail(
  code: 'HeaderInvalid' | 'ShapeInvalid' | 'HeaderTooLarge',
  message: string,
  where: string,
): never {
  throw new HublineageError(code, message, { where });
}

function byteLength(name: string, typeId: number, shape: readonly number[], where: string): number | null {
  const values = shape.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(values)) fail('ShapeInvalid', `${name} has too many values: ${shape}`, where);
  const type = toGgmlType(typeId);
  if (type === null) return null;
  // ggml wants whole blocks a row; some writers quantise the flattened tensor. Blocks are contiguous in both, so both can be read.
  if (values % type.blockValues !== 0) {
    fail('ShapeInvalid', `${name}: ${values} values are not whole ${type.name} blocks`, where);
  }
  const bytes = (values / type.blockValues) * type.blockBytes;
  if (!Number.isSafeInteger(bytes)) fail('ShapeInvalid', `${name} has too many bytes: ${shape}`, where);
  return bytes;
}

/** Reads `count` tensor infos. Type ids nobody has published are kept as `type-N`: offsets are explicit, so the rest stays readable. */
export async function parseTensorInfos(
  cursor: HeaderCursor,
  count: number,
  where: string,
): Promise<TensorInfo[]> {
  if (count > MAX_TENSORS) fail('HeaderTooLarge', `the header announces ${count} tensors`, where);
  const infos: TensorInfo[] = [];
  for (let i = 0; i < count; i++) {
    if (!cursor.has(8)) await cursor.need(8, (count - i) * GUESSED_INFO_BYTES);
    const nameBytes = cursor.u64('length of a tensor name');
    if (nameBytes > MAX_NAME_BYTES) fail('HeaderInvalid', `a tensor name of ${nameBytes} bytes`, where);
    await cursor.need(nameBytes + 4);
    const name = utf8.decode(cursor.bytes(nameBytes));
    const dims = cursor.u32();
    if (dims > MAX_DIMS) fail('ShapeInvalid', `${name} has ${dims} dimensions`, where);
    await cursor.need(dims * 8 + 12);
    // The file lists the fastest dimension first.
    const shape = Array.from({ length: dims }, () => cursor.u64(`a dimension of ${name}`)).reverse();
    const typeId = cursor.u32();
    const type = toGgmlType(typeId)?.name ?? `type-${typeId}`;
    const dataOffset = cursor.u64(`the offset of ${name}`);
    infos.push({ name, type, typeId, shape, dataOffset, length: byteLength(name, typeId, shape, where) });
  }
  return infos;
}
