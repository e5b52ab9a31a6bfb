import type { HubFile } from '../types/hub.ts';
import { isRecord } from './normalize-repo.ts';

const SHA1 = /^[0-9a-f]{40}$/i;
const SHA256 = /^[0-9a-f]{64}$/i;
const MAX_PATH = 4096;

/** A `siblings` entry of `blobs=true`: `{rfilename, blobId, size, lfs?: {sha256, size}}`. Null when it tells no size. */
export function fromSibling(entry: unknown): HubFile | null {
  if (!isRecord(entry)) return null;
  return readFile(entry.rfilename, entry.size, entry.blobId, entry.lfs, 'sha256');
}

/** A tree entry of type file: `{path, oid, size, lfs?: {oid, size}}`. `lfs.oid` is the sha256 that siblings call `lfs.sha256`. */
export function fromTreeEntry(entry: unknown): HubFile | null {
  if (!isRecord(entry) || entry.type !== 'file') return null;
  return readFile(entry.path, entry.size, entry.oid, entry.lfs, 'oid');
}

export function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_PATH;
}

/**
 * Relative, without `.`, `..` or empty parts, which an URL would resolve to another path: a shard index or a tree may name anything.
 * Control characters are the Hub's to allow.
 */
export function isInsidePath(path: string): boolean {
  return (
    isPath(path) &&
    !path.includes('\\') &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function readFile(
  path: unknown,
  size: unknown,
  oid: unknown,
  lfs: unknown,
  sha256Key: 'sha256' | 'oid',
): HubFile | null {
  const pointer = isRecord(lfs) ? lfs : null;
  // The size of an LFS file is said twice; a Hub that lies in one of them is caught later, against X-Linked-Size.
  const bytes = pointer?.size ?? size;
  if (!isPath(path) || typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) return null;
  const sha256 = pointer?.[sha256Key];
  return {
    path,
    size: bytes,
    oid: typeof oid === 'string' && SHA1.test(oid) ? oid.toLowerCase() : null,
    sha256: typeof sha256 === 'string' && SHA256.test(sha256) ? sha256.toLowerCase() : null,
  };
}
