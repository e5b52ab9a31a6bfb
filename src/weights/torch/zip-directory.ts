import { HublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';

export interface ZipEntry {
  readonly name: string;
  /** bytes; stored and real size are the same because nothing is compressed */
  readonly size: number;
  /** of the local header, bytes from the start of the file */
  readonly headerOffset: number;
  /** bytes from the end of this entry's data to the next header: its data descriptor, if it has one */
  readonly nextOffset: number;
}

/** Names a 70B checkpoint holds some thousand entries; full training states ten thousands. */
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const LOCATOR_BYTES = 20;
const RECORD_BYTES = 56;
/** Holds the end records and the directory of some 150 tensors. */
const SHORT_TAIL_BYTES = 16 * 1024;

const END = 0x06054b50;
const LOCATOR = 0x07064b50;
const RECORD = 0x06064b50;
const CENTRAL = 0x02014b50;
const UNKNOWN_32 = 0xffffffff;

interface Directory {
  entries: number;
  offset: number;
  length: number;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function invalid(message: string, where: string): never {
  throw new HublineageError('HeaderInvalid', message, { where });
}

function toNumber(value: bigint, what: string, where: string): number {
  if (value > 2n ** 53n) invalid(`${what} of ${value} in the zip directory`, where);
  return Number(value);
}

/** The end record is the last one whose comment reaches exactly to the end of the file; null when it is not in these bytes. */
function findEnd(tail: Uint8Array): number | null {
  const view = viewOf(tail);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) === END && view.getUint16(at + 20, true) === tail.length - at - END_BYTES)
      return at;
  }
  return null;
}

/** torch writes no comment, so a short tail is enough; only an archive with one makes the second, long read necessary. */
async function readTail(source: ByteSource): Promise<{ tail: Uint8Array; start: number; end: number }> {
  for (const wanted of [SHORT_TAIL_BYTES, END_BYTES + MAX_COMMENT_BYTES + LOCATOR_BYTES]) {
    const bytes = Math.min(source.size, wanted);
    const start = source.size - bytes;
    const tail = await source.read(start, bytes);
    const end = findEnd(tail);
    if (end !== null && (end >= LOCATOR_BYTES || start === 0)) return { tail, start, end };
  }
  throw new HublineageError('HeaderTruncated', 'the zip archive has no end: its directory is missing', {
    where: source.path,
    hint: 'the file is cut off or still uploading',
  });
}

async function locateDirectory(source: ByteSource): Promise<Directory> {
  const where = source.path;
  const { tail, start, end } = await readTail(source);
  const view = viewOf(tail);
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 6, true) !== 0) {
    throw new HublineageError('ContainerUnsupported', 'a zip archive over several disks', { where });
  }
  const plain = {
    entries: view.getUint16(end + 10, true),
    length: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
    limit: start + end,
  };
  const locator = end - LOCATOR_BYTES;
  const hasLocator = locator >= 0 && view.getUint32(locator, true) === LOCATOR;
  const found = hasLocator
    ? await readRecord(source, toNumber(view.getBigUint64(locator + 8, true), 'an offset', where))
    : plain;
  if (found.offset + found.length > found.limit) invalid('the zip directory lies outside of the file', where);
  return found;
}

/** The ZIP64 end record, which torch always writes. */
async function readRecord(source: ByteSource, offset: number): Promise<Directory & { limit: number }> {
  const where = source.path;
  if (offset + RECORD_BYTES > source.size) invalid('the ZIP64 record lies outside of the file', where);
  const view = viewOf(await source.read(offset, RECORD_BYTES));
  if (view.getUint32(0, true) !== RECORD) {
    invalid(
      'there is no ZIP64 record where its locator points: bytes before the archive or a broken file',
      where,
    );
  }
  return {
    entries: toNumber(view.getBigUint64(32, true), 'a count', where),
    length: toNumber(view.getBigUint64(40, true), 'a length', where),
    offset: toNumber(view.getBigUint64(48, true), 'an offset', where),
    limit: offset,
  };
}

interface Sizes {
  size: number;
  stored: number;
  headerOffset: number;
}

/** Fields that do not fit 32 bits are in the extra field 1, in this order, each only when its 32-bit twin is full. */
function readSizes(view: DataView, at: number, extraAt: number, extraBytes: number, where: string): Sizes {
  const sizes = {
    size: view.getUint32(at + 24, true),
    stored: view.getUint32(at + 20, true),
    headerOffset: view.getUint32(at + 42, true),
  };
  let field = extraAt;
  const extraEnd = extraAt + extraBytes;
  while (field + 4 <= extraEnd) {
    const id = view.getUint16(field, true);
    const fieldEnd = field + 4 + view.getUint16(field + 2, true);
    if (id === 1 && fieldEnd <= extraEnd) {
      let next = field + 4;
      for (const key of ['size', 'stored', 'headerOffset'] as const) {
        if (sizes[key] !== UNKNOWN_32) continue;
        if (next + 8 > fieldEnd) invalid('a ZIP64 field is cut off', where);
        sizes[key] = toNumber(view.getBigUint64(next, true), 'a size', where);
        next += 8;
      }
    }
    field = fieldEnd;
  }
  return sizes;
}

function parseEntries(bytes: Uint8Array, { entries, offset }: Directory, where: string): ZipEntry[] {
  const view = viewOf(bytes);
  const utf8 = new TextDecoder();
  const names = new Set<string>();
  const found: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < entries; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) {
      invalid(`entry ${i} of the zip directory is not where it should be`, where);
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) => view.getUint16(at + o, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameBytes + extraBytes + commentBytes;
    if (next > bytes.length) invalid('the zip directory is cut off', where);
    const name = utf8.decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    const { size, stored, headerOffset } = readSizes(view, at, at + 46 + nameBytes, extraBytes, where);
    if (names.has(name)) invalid(`the zip entry ${name} appears twice`, where);
    names.add(name);
    const encrypted = (view.getUint16(at + 8, true) & 1) !== 0;
    if (view.getUint16(at + 10, true) !== 0 || size !== stored || encrypted) {
      throw new HublineageError('ContainerUnsupported', `the zip entry ${name} is compressed or encrypted`, {
        where,
        hint: 'torch.save stores its entries as they are; slices of compressed ones cannot be read',
      });
    }
    found.push({ name, size, headerOffset, nextOffset: offset });
    at = next;
  }
  return found;
}

/** Sorted by place, each with where the next one starts; OffsetInvalid when two share bytes (or lie outside). */
function placeEntries(entries: readonly ZipEntry[], directoryOffset: number, where: string): ZipEntry[] {
  const sorted = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  return sorted.map((entry, i) => {
    const nextOffset = sorted[i + 1]?.headerOffset ?? directoryOffset;
    if (entry.headerOffset + 30 + entry.size > nextOffset) {
      throw new HublineageError(
        'OffsetInvalid',
        `the zip entry ${entry.name} runs into the next or out of the file`,
        {
          where,
        },
      );
    }
    return { ...entry, nextOffset };
  });
}

/** The entries of a zip archive, by place. Reads the tail (and the directory, if that is larger), never the data. */
export async function readZipDirectory(source: ByteSource): Promise<ZipEntry[]> {
  const where = source.path;
  const directory = await locateDirectory(source);
  if (directory.entries > MAX_ENTRIES || directory.length > MAX_DIRECTORY_BYTES) {
    throw new HublineageError('HeaderTooLarge', `a zip directory of ${directory.entries} entries`, { where });
  }
  const bytes = await source.read(directory.offset, directory.length);
  return placeEntries(parseEntries(bytes, directory, where), directory.offset, where);
}
