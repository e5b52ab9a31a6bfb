import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { HublineageError } from '../../types/errors.ts';
import { gitIdentity, isLfsFile, lfsIdentity } from './identity.ts';
import type { FileIdentity, RepoFile } from './record.ts';

/** Identities by absolute path, valid while modification time and size stay: a mirror of large files is hashed once. */
const identities = new Map<string, { stamp: string; identity: Promise<FileIdentity> }>();

/**
 * A file on disk. Its hash is computed when first asked for, unless its download left it behind; its size is the one it had
 * when the folder was read.
 */
export function createDiskFile(
  path: string,
  absolutePath: string,
  size: number,
  knownSha256: string | null = null,
): RepoFile {
  const lfs = isLfsFile(path, size);
  return {
    path,
    size,
    lfs,
    async identity() {
      if (lfs && knownSha256 !== null) return lfsIdentity(knownSha256, size);
      const now = await stat(absolutePath);
      const stamp = `${now.mtimeMs}:${now.size}`;
      const known = identities.get(absolutePath);
      if (known?.stamp === stamp) return known.identity;
      const identity = lfs
        ? hashFile(absolutePath).then((sha256) => lfsIdentity(sha256, size))
        : readFile(absolutePath).then(gitIdentity);
      identities.set(absolutePath, { stamp, identity });
      identity.catch(() => identities.delete(absolutePath));
      return identity;
    },
    async read(offset, length) {
      const handle = await open(absolutePath, 'r');
      try {
        const bytes = Buffer.alloc(length);
        const { bytesRead } = await handle.read(bytes, 0, length, offset);
        if (bytesRead !== length) {
          throw new HublineageError('BodyTruncated', 'the file is shorter than when the folder was read', {
            where: absolutePath,
          });
        }
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
}

async function hashFile(absolutePath: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(absolutePath, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
