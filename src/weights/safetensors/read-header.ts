import { HublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import type { DType } from '../../types/weights.ts';
import { DTYPE_BITS, toDType } from '../dtypes.ts';
import { type HeaderEntry, parseHeaderJson } from './header-json.ts';

/** Cap of the Hub's own clients; the Rust library allows 100 MB. */
export const MAX_HEADER_BYTES = 25_000_000;

export interface SafetensorsTensor {
  name: string;
  dtype: DType;
  shape: number[];
  /** bytes from the start of the file */
  offset: number;
  length: number;
}

export interface SafetensorsHeader {
  tensors: SafetensorsTensor[];
  metadata: Record<string, string>;
}

/**
 * Reads and checks the header of one safetensors file, in one range request when `expectedHeaderBytes` covers it, else in two.
 * Held against everything the reference reader checks: first tensor at 0, no holes, no overlaps, length = values x bits / 8, and
 * file size = 8 + header + last end. Errors: HeaderTruncated, HeaderTooLarge, HeaderInvalid, DtypeUnknown, ShapeInvalid, OffsetInvalid.
 */
export async function readSafetensorsHeader(
  source: ByteSource,
  expectedHeaderBytes = 16_384,
): Promise<SafetensorsHeader> {
  const where = source.path;
  if (source.size < 10) {
    throw new HublineageError('HeaderTruncated', `${source.size} bytes are too few for a safetensors file`, {
      where,
    });
  }
  const prefetch = Math.min(source.size, 8 + Math.max(expectedHeaderBytes, 256));
  const start = await source.read(0, prefetch);
  const headerBytes = readHeaderLength(start, source.size, where);
  let json = start.subarray(8, Math.min(8 + headerBytes, start.length));
  if (json.length < headerBytes) {
    const rest = await source.read(start.length, 8 + headerBytes - start.length);
    const whole = new Uint8Array(headerBytes);
    whole.set(json);
    whole.set(rest, json.length);
    json = whole;
  }
  const { entries, metadata } = parseHeaderJson(json, where);
  return { tensors: checkEntries(entries, 8 + headerBytes, source.size, where), metadata };
}

function readHeaderLength(start: Uint8Array, fileSize: number, where: string): number {
  const text = new TextDecoder('latin1').decode(start.subarray(0, 64));
  if (text.startsWith('version https://git-lfs')) {
    throw new HublineageError('HeaderInvalid', 'a Git LFS pointer, not the weights', {
      where,
      hint: 'fetch the file itself (git lfs pull)',
    });
  }
  if (/^\s*<(?:!doctype html|html)/i.test(text)) {
    throw new HublineageError('HeaderInvalid', 'a web page, not the weights', { where });
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new HublineageError(
      'HeaderTooLarge',
      `header of ${length} bytes, at most ${MAX_HEADER_BYTES} are read`,
      { where },
    );
  }
  if (length > BigInt(fileSize - 8)) {
    throw new HublineageError('HeaderTruncated', `header of ${length} bytes in a file of ${fileSize}`, {
      where,
    });
  }
  if (length < 2n) throw new HublineageError('HeaderInvalid', `header of ${length} bytes`, { where });
  return Number(length);
}

function checkEntries(
  entries: HeaderEntry[],
  dataStart: number,
  fileSize: number,
  where: string,
): SafetensorsTensor[] {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of sorted) {
    if (entry.begin !== end || entry.end < entry.begin) {
      const what =
        entry.begin < end
          ? 'overlaps the tensor before it'
          : 'leaves a hole before it or ends before it begins';
      throw new HublineageError('OffsetInvalid', `${entry.name} [${entry.begin}, ${entry.end}) ${what}`, {
        where,
      });
    }
    end = entry.end;
  }
  if (dataStart + end !== fileSize) {
    const message = `the header describes ${dataStart + end} bytes, the file has ${fileSize}`;
    throw new HublineageError('OffsetInvalid', message, {
      where,
      hint: 'the file is cut off or was changed',
    });
  }
  return entries.map((entry) => {
    const dtype = toDType(entry.dtype);
    if (dtype === null) {
      throw new HublineageError(
        'DtypeUnknown',
        `${entry.name} has the unknown dtype ${JSON.stringify(entry.dtype)}`,
        { where },
      );
    }
    const length = entry.end - entry.begin;
    const bits = countBits(entry.shape, dtype);
    if (bits === null || bits % 8 !== 0 || bits / 8 !== length) {
      const shape = entry.shape.join(', ');
      throw new HublineageError(
        'ShapeInvalid',
        `${entry.name} of ${dtype} [${shape}] does not fill ${length} bytes`,
        { where },
      );
    }
    return { name: entry.name, dtype, shape: entry.shape, offset: dataStart + entry.begin, length };
  });
}

/** Bits of all values, or null beyond 2^53 (a zero dimension after an overflow is an overflow too, as in the reference reader). */
function countBits(shape: readonly number[], dtype: DType): number | null {
  let count = 1;
  for (const dim of shape) {
    count *= dim;
    if (count > Number.MAX_SAFE_INTEGER) return null;
  }
  const bits = count * DTYPE_BITS[dtype];
  return bits > Number.MAX_SAFE_INTEGER ? null : bits;
}
