import { HublineageError } from '../../types/errors.ts';
import type { HubFile, RepoFiles } from '../../types/hub.ts';
import type { CanonicalTensor } from '../../types/weights.ts';

/** A file that is only partly there: a header with bytes, a size that counts the rest, zeros everywhere else. */
export interface SparseFile {
  head: Uint8Array;
  size: number;
}

export interface MemoryRepo extends RepoFiles {
  /** what was asked for */
  readonly asked: {
    opens: string[];
    smalls: string[];
    ranges: { path: string; offset: number; length: number }[];
  };
  readBytes(path: string, offset: number, length: number): Promise<Uint8Array>;
}

/** A repo held in memory that counts what is asked of it and refuses what a server would. */
export function createMemoryRepo(
  files: Readonly<Record<string, Uint8Array | SparseFile | string>>,
  label = 'owner/name',
): MemoryRepo {
  const toFile = (content: Uint8Array | SparseFile | string): SparseFile => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return bytes instanceof Uint8Array ? { head: bytes, size: bytes.length } : bytes;
  };
  const stored = new Map(Object.entries(files).map(([path, content]) => [path, toFile(content)]));
  const asked: MemoryRepo['asked'] = { opens: [], smalls: [], ranges: [] };
  const find = (path: string): SparseFile => {
    const file = stored.get(path);
    if (file === undefined) throw new HublineageError('FileMissing', 'no such file', { where: path });
    return file;
  };
  const readBytes = async (path: string, offset: number, length: number): Promise<Uint8Array> => {
    const { head, size } = find(path);
    if (offset < 0 || length <= 0 || offset + length > size) {
      throw new HublineageError('OffsetInvalid', `no bytes [${offset}, ${offset + length}) in ${size}`, {
        where: path,
      });
    }
    asked.ranges.push({ path, offset, length });
    const bytes = new Uint8Array(length);
    bytes.set(head.subarray(offset, offset + length));
    return bytes;
  };
  return {
    label,
    asked,
    readBytes,
    list: async () =>
      [...stored].map(([path, { size }]): HubFile => ({ path, size, oid: null, sha256: `sha-of-${path}` })),
    async open(path) {
      const { size } = find(path);
      asked.opens.push(path);
      return { path, size, sha256: null, read: (offset, length) => readBytes(path, offset, length) };
    },
    async readSmall(path, maxBytes) {
      const { head, size } = find(path);
      asked.smalls.push(path);
      if (size > maxBytes) throw new HublineageError('BodyTooLarge', `${size} bytes`, { where: path });
      return head;
    },
  };
}

/** All values of a canonical tensor, row by row as a fingerprint would ask for them. */
export async function readAll(repo: MemoryRepo, tensor: CanonicalTensor): Promise<Float32Array> {
  const values = new Float32Array(tensor.rows * tensor.cols);
  for (let row = 0; row < tensor.rows; row++) {
    const ranges = tensor.segmentRanges(row, 0, tensor.cols);
    const bytes = await Promise.all(
      ranges.map(({ file, offset, length }) => repo.readBytes(file, offset, length)),
    );
    values.set(tensor.decodeSegment(bytes, row, 0, tensor.cols), row * tensor.cols);
  }
  return values;
}
