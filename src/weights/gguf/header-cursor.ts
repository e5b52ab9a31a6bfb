import { HublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';

/** Real headers reach some 10 MB (a vocabulary of 256 k with its merges); the Hub's own reader stops at 50 MB too. */
export const MAX_HEADER_BYTES = 50 * 1024 * 1024;
const FIRST_CHUNK_BYTES = 256 * 1024;
const MIN_CHUNK_BYTES = 64 * 1024;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Walks forward through the head of a file, holding one chunk at a time. `need` is the only method that reads; the getters after it
 * are synchronous, so that walking a million strings does not cost a million promises. The caller's guess of what is still to come
 * sizes the next chunk: a header of 8 MB costs a handful of requests, and little is read beyond its end.
 */
export interface HeaderCursor {
  /** bytes from the start of the file */
  readonly position: number;
  /** True when the next `bytes` are in memory. */
  has(bytes: number): boolean;
  /** Makes the next `bytes` available. HeaderTooLarge beyond the cap, HeaderTruncated beyond the file. */
  need(bytes: number, expectedBytes?: number): Promise<void>;
  u8(): number;
  u32(): number;
  /** As a number; HeaderInvalid beyond 2^53. */
  u64(what: string): number;
  bytes(length: number): Uint8Array;
  /** Bytes elsewhere, as many as there are up to `length`; neither the position nor what is in memory changes. */
  peek(offset: number, length: number): Promise<Uint8Array>;
  /** Steps over bytes without reading those not in memory yet. */
  skip(bytes: number): void;
}

export function createHeaderCursor(source: ByteSource, maxHeaderBytes = MAX_HEADER_BYTES): HeaderCursor {
  let chunk: Uint8Array = new Uint8Array();
  let view = new DataView(chunk.buffer);
  let chunkStart = 0;
  let position = 0;

  const checkReach = (bytes: number) => {
    if (position + bytes > source.size) {
      throw new HublineageError('HeaderTruncated', `the GGUF header runs past the end of the file`, {
        where: source.path,
        hint: `byte ${position}, ${bytes} more needed, the file has ${source.size}`,
      });
    }
    if (position + bytes > maxHeaderBytes) {
      throw new HublineageError('HeaderTooLarge', `the GGUF header is larger than ${maxHeaderBytes} bytes`, {
        where: source.path,
      });
    }
  };
  const take = (bytes: number): number => {
    const at = position - chunkStart;
    position += bytes;
    return at;
  };

  return {
    get position() {
      return position;
    },
    has: (bytes) => position >= chunkStart && position + bytes <= chunkStart + chunk.length,
    async need(bytes, expectedBytes = 0) {
      if (this.has(bytes)) return;
      checkReach(bytes);
      const from = position;
      const least = from === 0 ? FIRST_CHUNK_BYTES : MIN_CHUNK_BYTES;
      const guess = Math.min(Math.max(Math.ceil(expectedBytes), least), MAX_CHUNK_BYTES);
      const want = Math.min(Math.max(bytes, guess), source.size - from, maxHeaderBytes - from);
      chunk = await source.read(from, want);
      view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      chunkStart = from;
    },
    async peek(offset, length) {
      const end = Math.min(offset + length, source.size, maxHeaderBytes);
      if (offset >= chunkStart && end <= chunkStart + chunk.length)
        return chunk.subarray(offset - chunkStart, Math.max(end, offset) - chunkStart);
      return end > offset ? source.read(offset, end - offset) : new Uint8Array();
    },
    u8: () => view.getUint8(take(1)),
    u32: () => view.getUint32(take(4), true),
    u64(what) {
      const at = take(8);
      const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      if (!Number.isSafeInteger(value)) {
        throw new HublineageError('HeaderInvalid', `${what} is beyond any file: ${value}`, {
          where: source.path,
        });
      }
      return value;
    },
    bytes(length) {
      const at = take(length);
      return chunk.subarray(at, at + length);
    },
    skip(bytes) {
      checkReach(bytes);
      position += bytes;
    },
  };
}
