import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, opendir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { HublineageError } from '../types/errors.ts';
import type { ByteSource, HubFile, RepoFiles } from '../types/hub.ts';

/** Bounds on what a folder may hold: more is not a model repo, and walking a home directory by mistake must end. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 8;

const WEIGHT_FILE = /\.(?:safetensors|gguf|bin|ckpt|pt|pth)$/i;

export interface LocalRepo extends RepoFiles {
  /** sha256 of a file, computed once when asked for. */
  sha256(path: string): Promise<string>;
}

export interface LocalRepoOptions {
  /** name in messages; the folder by default */
  label?: string;
  /** Whether `list` and `open` tell the sha256 of weight files, which means reading them whole. Default false. */
  hashWeights?: boolean;
}

/**
 * A folder as a repo. Paths are POSIX and relative, as on the Hub; nothing outside the folder is reachable, neither by `..` nor through
 * symbolic links, except into the `blobs` folder of a Hugging Face cache, whose snapshots consist of such links.
 */
export function createLocalRepo(folder: string, options: LocalRepoOptions = {}): LocalRepo {
  const label = options.label ?? folder;
  const hashes = new Map<string, Promise<string>>();
  let roots: Promise<string[]> | undefined;

  const findRoots = async () => {
    const root = await realpath(folder).catch((cause) => {
      throw new HublineageError('FileMissing', `there is no folder ${folder}`, { where: folder, cause });
    });
    const isSnapshot = basename(dirname(root)) === 'snapshots';
    return isSnapshot ? [root, join(dirname(dirname(root)), 'blobs')] : [root];
  };

  /** The real file behind a repo path, or FileMissing: whether it is absent or out of bounds is nobody's business. */
  const locate = async (path: string): Promise<{ file: string; size: number }> => {
    roots ??= findRoots();
    const allowed = await roots;
    const root = allowed[0] as string;
    const missing = (cause?: unknown) =>
      new HublineageError('FileMissing', `no file ${path}`, { where: `${label}/${path}`, cause });
    if (path === '' || path.includes('\0') || isAbsolute(path) || path.includes('\\')) throw missing();
    const target = resolve(root, path);
    if (!isInside(root, target)) throw missing();
    try {
      const file = await realpath(target);
      const info = await stat(file);
      if (!info.isFile() || !allowed.some((dir) => isInside(dir, file))) throw missing();
      return { file, size: info.size };
    } catch (error) {
      throw error instanceof HublineageError ? error : missing(error);
    }
  };

  const sha256 = (path: string): Promise<string> => {
    const known = hashes.get(path);
    if (known) return known;
    const computed = locate(path).then(({ file }) => hashFile(file));
    hashes.set(path, computed);
    computed.catch(() => hashes.delete(path));
    return computed;
  };
  const knownHash = async (path: string) =>
    options.hashWeights === true && WEIGHT_FILE.test(path) ? sha256(path) : null;

  return {
    label,
    sha256,
    async list() {
      roots ??= findRoots();
      const paths = await walk((await roots)[0] as string, label);
      const files: HubFile[] = [];
      for (const path of paths) {
        const found = await locate(path).catch(() => null);
        if (found) files.push({ path, size: found.size, oid: null, sha256: await knownHash(path) });
      }
      return files;
    },
    async open(path) {
      const { file, size } = await locate(path);
      return createFileSource(file, path, size, await knownHash(path), label);
    },
    async readSmall(path, maxBytes) {
      const { file, size } = await locate(path);
      if (size > maxBytes)
        throw new HublineageError('BodyTooLarge', `${path} has ${size} bytes, more than ${maxBytes}`, {
          where: `${label}/${path}`,
        });
      return createFileSource(file, path, size, null, label).read(0, size);
    },
  };
}

function isInside(dir: string, path: string): boolean {
  const way = relative(dir, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Repo paths below a folder, sorted; folders that begin with a dot (.git, .cache) are left out, linked folders are not entered. */
async function walk(root: string, label: string): Promise<string[]> {
  const found: string[] = [];
  const queue: { dir: string; prefix: string; depth: number }[] = [{ dir: root, prefix: '', depth: 0 }];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for await (const entry of await opendir(next.dir)) {
      const path = `${next.prefix}${entry.name}`;
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.') && next.depth < MAX_DEPTH)
          queue.push({ dir: join(next.dir, entry.name), prefix: `${path}/`, depth: next.depth + 1 });
      } else if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
      if (found.length + queue.length > MAX_FILES)
        throw new HublineageError('ContainerUnsupported', `more than ${MAX_FILES} files in the folder`, {
          where: label,
          hint: 'name the folder of one model',
        });
    }
  }
  return found.sort();
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Opens the file anew for each read: a source has no end of life at which a handle could be closed. */
function createFileSource(
  file: string,
  path: string,
  size: number,
  sha256: string | null,
  label: string,
): ByteSource {
  const where = `${label}/${path}`;
  return {
    path,
    size,
    sha256,
    async read(offset, length) {
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
        throw new HublineageError('OffsetInvalid', `no bytes ${offset} + ${length} in ${path}`, { where });
      if (offset + length > size)
        throw new HublineageError('OffsetInvalid', `bytes ${offset} + ${length} lie beyond the end`, {
          where,
        });
      const handle = await open(file, 'r');
      try {
        return await readFully(handle, offset, length, where);
      } finally {
        await handle.close();
      }
    },
  };
}

async function readFully(
  handle: FileHandle,
  offset: number,
  length: number,
  where: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0)
      throw new HublineageError('BodyTruncated', `the file ended after ${at} of ${length} bytes`, { where });
    at += bytesRead;
  }
  return bytes;
}
