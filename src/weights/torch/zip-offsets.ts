import { HublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import type { ZipEntry } from './zip-directory.ts';

const LOCAL = 0x04034b50;
const HEADER_BYTES = 30;
const MAX_32 = 0xffffffff;

/** Needs a ZIP64 field, because it is or begins beyond 4 GB. */
const isLarge = ({ size, headerOffset }: ZipEntry) => size >= MAX_32 || headerOffset >= MAX_32;

/** torch pads entries to this unless `.storage_alignment` says otherwise. */
const DEFAULT_ALIGNMENT = 64;
/** A repacked archive may need each header read; beyond this it is not worth the requests. */
const MAX_HEADER_READS = 256;

/** Where an entry's data start, from its local header. */
export async function readDataOffset(source: ByteSource, entry: ZipEntry): Promise<number> {
  const where = source.path;
  const header = await source.read(entry.headerOffset, HEADER_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const offset = entry.headerOffset + HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (view.getUint32(0, true) !== LOCAL || view.getUint16(8, true) !== 0) {
    throw new HublineageError(
      'HeaderInvalid',
      `the zip entry ${entry.name} is not where the directory says`,
      { where },
    );
  }
  if (offset + entry.size > entry.nextOffset) {
    throw new HublineageError('OffsetInvalid', `the zip entry ${entry.name} runs into the next`, { where });
  }
  return offset;
}

/**
 * Where PyTorchStreamWriter puts the data of an entry (getPadding in caffe2/serialize/inline_container.cc): the local extra field pads
 * them to the alignment, with room for ZIP64 sizes where they are needed.
 */
function predictDataOffset(entry: ZipEntry, alignment: number): number {
  const zip64Bytes = isLarge(entry)
    ? 4 + (entry.size >= MAX_32 ? 16 : 0) + (entry.headerOffset >= MAX_32 ? 8 : 0)
    : 0;
  const nameBytes = new TextEncoder().encode(entry.name).length;
  const start = entry.headerOffset + HEADER_BYTES + nameBytes + 4 + zip64Bytes;
  return Math.ceil(start / alignment) * alignment;
}

/** A data descriptor follows, 16 bytes or 24 with ZIP64 sizes: prediction, size and the next header have to fit together. */
function isConfirmed(entry: ZipEntry, offset: number): boolean {
  return offset + entry.size + (isLarge(entry) ? 24 : 16) === entry.nextOffset;
}

/**
 * Data offsets of many entries by name, without reading their local headers where the layout torch writes explains the directory
 * exactly. The others' headers are read one by one; ContainerUnsupported when there are too many of them.
 */
export async function findDataOffsets(
  source: ByteSource,
  entries: readonly ZipEntry[],
  alignment = DEFAULT_ALIGNMENT,
): Promise<Map<string, number>> {
  const offsets = new Map<string, number>();
  let headerReads = 0;
  for (const entry of entries) {
    const predicted = predictDataOffset(entry, alignment);
    if (isConfirmed(entry, predicted)) {
      offsets.set(entry.name, predicted);
      continue;
    }
    if (++headerReads > MAX_HEADER_READS) {
      throw new HublineageError(
        'ContainerUnsupported',
        "a checkpoint archive that was repacked: its layout is not torch.save's",
        {
          where: source.path,
        },
      );
    }
    offsets.set(entry.name, await readDataOffset(source, entry));
  }
  return offsets;
}
