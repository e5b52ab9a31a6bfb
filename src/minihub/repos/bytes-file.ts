import { createHash } from 'node:crypto';
import { gitIdentity, isLfsFile, lfsIdentity } from './identity.ts';
import type { FileIdentity, RepoFile } from './record.ts';

/** A file held in memory; whether it is LFS follows from its name and size unless told. */
export function createBytesFile(
  path: string,
  bytes: Uint8Array,
  lfs = isLfsFile(path, bytes.length),
): RepoFile {
  let identity: FileIdentity | undefined;
  return {
    path,
    size: bytes.length,
    lfs,
    async identity() {
      identity ??= lfs
        ? lfsIdentity(createHash('sha256').update(bytes).digest('hex'), bytes.length)
        : gitIdentity(bytes);
      return identity;
    },
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

export function createTextFile(path: string, text: string): RepoFile {
  return createBytesFile(path, Buffer.from(text));
}
