import { createHash } from 'node:crypto';
import type { FileIdentity } from './record.ts';

const sha1 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** git's name for a blob: `sha1("blob " + length + "\0" + bytes)`. */
function gitBlobOid(bytes: Uint8Array): string {
  return sha1(`blob ${bytes.length}\0`, bytes);
}

/** What git keeps in place of a large file (git-lfs specification, v1). */
export function lfsPointer(sha256: string, size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
}

/** Identity of an LFS file from the hash of its content; equal content has equal names whatever the repo. */
export function lfsIdentity(sha256: string, size: number): FileIdentity {
  return {
    oid: gitBlobOid(Buffer.from(lfsPointer(sha256, size))),
    sha256,
    xetHash: createHash('sha256').update(`xet:${sha256}`).digest('hex'),
  };
}

export function gitIdentity(bytes: Uint8Array): FileIdentity {
  return { oid: gitBlobOid(bytes), sha256: null, xetHash: null };
}

const WEIGHTS = /\.(safetensors|bin|ckpt|gguf|pt|pth)$/i;
/** The Hub refuses larger files in plain git. */
export const MAX_GIT_FILE_BYTES = 10 * 1024 * 1024;

export function isLfsFile(path: string, size: number): boolean {
  return WEIGHTS.test(path) || size > MAX_GIT_FILE_BYTES;
}

/** 24 hex: creation second, then a hash of the name the repo was born with. */
export function toHubId(id: string, createdAtMs: number): string {
  const seconds = Math.floor(createdAtMs / 1000);
  const tail = createHash('sha256').update(id).digest('hex').slice(0, 16);
  return seconds.toString(16).padStart(8, '0') + tail;
}

/** Repos older than this carry it as their creation date. */
const CREATED_AT_FLOOR = '2022-03-02T23:29:04.000Z';

export function floorCreatedAt(createdAt: string): string {
  return createdAt < CREATED_AT_FLOOR ? CREATED_AT_FLOOR : createdAt;
}

/** A commit sha for repos that come without one: follows the content of every file. */
export function toCommitSha(
  id: string,
  entries: readonly (readonly [path: string, content: string])[],
): string {
  const lines = entries.map(([path, content]) => `${content} ${path}`).sort();
  return sha1(`${id}\n${lines.join('\n')}`);
}
