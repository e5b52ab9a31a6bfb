import type { ByteSource, RepoFiles } from '../types/hub.ts';

export interface ReadUsage {
  /** files opened for slices: one `resolve` each on the Hub */
  opens: number;
  /** range reads */
  requests: number;
  /** bytes of range reads */
  bytes: number;
}

/** RepoFiles that count what is read through them and open every file once. */
export interface MeteredFiles extends RepoFiles {
  usage(): ReadUsage;
}

/** Files that are metered already: metering twice would charge every read twice. */
const METERED = new WeakSet<RepoFiles>();

/**
 * Wraps a repo's files so that headers and samples are charged to one budget: pass the same metered files to `openModel` and
 * `fingerprintModel`. A file is opened once however often it is asked for, since each opening costs a metered `resolve`.
 */
export function meterFiles(files: RepoFiles): MeteredFiles {
  if (METERED.has(files)) return files as MeteredFiles;
  const used: ReadUsage = { opens: 0, requests: 0, bytes: 0 };
  const opened = new Map<string, Promise<ByteSource>>();
  const meterSource = (source: ByteSource): ByteSource => ({
    path: source.path,
    size: source.size,
    sha256: source.sha256,
    read(offset, length) {
      used.requests++;
      used.bytes += length;
      return source.read(offset, length);
    },
  });
  const metered: MeteredFiles = {
    label: files.label,
    list: () => files.list(),
    readSmall: (path, maxBytes) => files.readSmall(path, maxBytes),
    open(path) {
      const known = opened.get(path);
      if (known) return known;
      used.opens++;
      const source = files.open(path).then(meterSource);
      opened.set(path, source);
      // a failed opening may be tried again
      source.catch(() => opened.delete(path));
      return source;
    },
    usage: () => ({ ...used }),
  };
  METERED.add(metered);
  return metered;
}
