import type { ByteSource } from '../../types/hub.ts';

const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/**
 * A source that answers from what it has read before, if one earlier read covers the request. Opening a checkpoint looks at its
 * head and tail several times; each look that can be answered here is one request less to the Hub.
 */
export function createCachedSource(source: ByteSource): ByteSource {
  const kept: { offset: number; bytes: Uint8Array }[] = [];
  let keptBytes = 0;
  return {
    path: source.path,
    size: source.size,
    sha256: source.sha256,
    async read(offset, length) {
      const hit = kept.find(
        (part) => offset >= part.offset && offset + length <= part.offset + part.bytes.length,
      );
      if (hit) return hit.bytes.subarray(offset - hit.offset, offset - hit.offset + length);
      const bytes = await source.read(offset, length);
      if (keptBytes + length <= MAX_KEPT_BYTES) {
        kept.push({ offset, bytes });
        keptBytes += length;
      }
      return bytes;
    },
  };
}
