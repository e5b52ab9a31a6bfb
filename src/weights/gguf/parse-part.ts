import { type ErrorCode, HublineageError, isHublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import { createHeaderCursor, type HeaderCursor } from './header-cursor.ts';
import { parseTensorInfos, type TensorInfo } from './parse-tensors.ts';
import { type ListReading, parseValues } from './parse-values.ts';
import type { GgufTensor, GgufValue } from './types.ts';

const MAGIC = 0x46554747; // 'GGUF', little-endian
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 2 ** 24;

/** What a header that is read from the wrong place on may be called; a network that fails is none of it. */
const CODES_OF_HEADERS: ReadonlySet<ErrorCode> = new Set([
  'HeaderInvalid',
  'HeaderTooLarge',
  'HeaderTruncated',
  'OffsetInvalid',
  'ShapeInvalid',
]);

export interface GgufPart {
  readonly values: Map<string, GgufValue>;
  readonly tensors: GgufTensor[];
  /** keys of lists that were not read through */
  readonly guessed: readonly string[];
}

function checkVersion(version: number, where: string): void {
  if (version === 2 || version === 3) return;
  // A big-endian 2 or 3 read the wrong way round has its low half empty.
  const bigEndian = version !== 0 && (version & 0xffff) === 0;
  throw new HublineageError(
    'ContainerUnsupported',
    bigEndian ? 'a big-endian GGUF file' : `GGUF version ${version}`,
    { where, hint: 'little-endian GGUF versions 2 and 3 are read; llama.cpp can convert the file' },
  );
}

function readAlignment(values: Map<string, GgufValue>, where: string): number {
  const alignment = values.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  const isPowerOfTwo =
    typeof alignment === 'number' &&
    Number.isInteger(alignment) &&
    alignment > 0 &&
    alignment <= MAX_ALIGNMENT &&
    (alignment & (alignment - 1)) === 0;
  if (isPowerOfTwo) return alignment;
  throw new HublineageError('HeaderInvalid', `general.alignment ${alignment} is not a power of two`, {
    where,
  });
}

/** Offsets made absolute, after checking that every tensor lies inside the file, aligned, and on no other tensor's bytes. */
function placeTensors(
  infos: TensorInfo[],
  dataStart: number,
  alignment: number,
  source: ByteSource,
): GgufTensor[] {
  const where = source.path;
  const names = new Set<string>();
  const tensors = infos.map(({ dataOffset, ...info }): GgufTensor => {
    const offset = dataStart + dataOffset;
    if (names.has(info.name)) {
      throw new HublineageError('HeaderInvalid', `the tensor ${info.name} appears twice`, { where });
    }
    names.add(info.name);
    if (dataOffset % alignment !== 0) {
      throw new HublineageError(
        'OffsetInvalid',
        `${info.name} begins at ${dataOffset}, not aligned to ${alignment}`,
        { where },
      );
    }
    if (offset + (info.length ?? 0) > source.size) {
      throw new HublineageError(
        'OffsetInvalid',
        `${info.name}: ${info.length ?? 'unknown'} bytes from byte ${offset} on, the file has ${source.size}`,
        { where, hint: 'the file may be cut off or still uploading' },
      );
    }
    return { ...info, file: source.path, offset };
  });
  const placed = tensors.filter((t) => (t.length ?? 0) > 0).sort((a, b) => a.offset - b.offset);
  for (const [i, tensor] of placed.entries()) {
    const next = placed[i + 1];
    if (next && tensor.offset + (tensor.length ?? 0) > next.offset) {
      throw new HublineageError('OffsetInvalid', `${tensor.name} and ${next.name} overlap`, { where });
    }
  }
  return tensors;
}

async function checkStart(cursor: HeaderCursor, source: ByteSource): Promise<void> {
  const where = source.path;
  if (source.size < 24)
    throw new HublineageError('HeaderTruncated', 'shorter than any GGUF header', { where });
  await cursor.need(24);
  if (cursor.u32() !== MAGIC) {
    throw new HublineageError('HeaderInvalid', 'the file does not start with GGUF', { where });
  }
  checkVersion(cursor.u32(), where);
}

/** Tensors end to end from the first byte of the data to the last of the file, as every writer of whole files lays them. */
function fillTheFile(
  tensors: readonly GgufTensor[],
  dataStart: number,
  alignment: number,
  size: number,
): boolean {
  const align = (at: number) => Math.ceil(at / alignment) * alignment;
  let end = dataStart;
  for (const { offset, length } of tensors.toSorted((a, b) => a.offset - b.offset)) {
    if (length === null || offset !== align(end)) return false;
    end = offset + length;
  }
  return end === size || align(end) === size;
}

async function readPart(source: ByteSource, lists: ListReading): Promise<GgufPart | null> {
  const cursor = createHeaderCursor(source);
  await checkStart(cursor, source);
  const tensorCount = cursor.u64('the number of tensors');
  const keyCount = cursor.u64('the number of keys');
  const values = await parseValues(cursor, keyCount, source.path, lists);
  const infos = await parseTensorInfos(cursor, tensorCount, source.path);
  const alignment = readAlignment(values, source.path);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = placeTensors(infos, dataStart, alignment, source);
  if (lists.guessed.length > 0 && !fillTheFile(tensors, dataStart, alignment, source.size)) return null;
  return { values, tensors, guessed: lists.guessed };
}

/**
 * Reads the header of one file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md); its data stay unread.
 *
 * The words and merges of a 128k vocabulary are seven megabytes of strings, which say nothing here and stand before the list of tensors.
 * Their ends are guessed from a few places of them. A wrong guess cannot go unseen: what follows has to hold as many keys and tensors as
 * the header announces, and tensors that fill the file to its last byte. Otherwise all of the header is walked.
 */
export async function parsePart(source: ByteSource): Promise<GgufPart> {
  const lists: ListReading = { mayGuess: true, guessed: [] };
  try {
    const part = await readPart(source, lists);
    if (part !== null) return part;
  } catch (error) {
    if (lists.guessed.length === 0 || !isHublineageError(error) || !CODES_OF_HEADERS.has(error.code))
      throw error;
  }
  const whole = await readPart(source, { mayGuess: false, guessed: [] });
  // without a guess there is always an answer or an error
  return whole as GgufPart;
}
