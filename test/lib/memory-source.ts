import type { ByteSource } from '../../src/types/hub.ts';

export interface MemorySource extends ByteSource {
  /** every range asked for, in order */
  readonly reads: { offset: number; length: number }[];
}

/** A file in memory that, like a Hub, knows no bytes outside of it and counts what it is asked for. */
export function createMemorySource(data: Uint8Array, path = 'file'): MemorySource {
  const reads: MemorySource['reads'] = [];
  return {
    path,
    size: data.length,
    sha256: null,
    reads,
    async read(offset, length) {
      reads.push({ offset, length });
      const isRange = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0;
      if (!isRange || offset + length > data.length) {
        throw new RangeError(`read of ${length} bytes at ${offset} of ${data.length}`);
      }
      return data.subarray(offset, offset + length);
    },
  };
}
