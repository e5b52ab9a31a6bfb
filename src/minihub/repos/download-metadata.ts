import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `hf download --local-dir` left beside a file. */
export interface DownloadMetadata {
  /** commit the file came from */
  commit: string;
  /** of the content of an LFS file; null for a git file */
  sha256: string | null;
}

/**
 * Reads `.cache/huggingface/download/<path>.metadata` (commit, etag, time; huggingface_hub, _local_folder.py), so that a mirror
 * of large models keeps its commits and need not be hashed. null when there is none, or the file was changed since.
 */
export async function readDownloadMetadata(
  repoDir: string,
  path: string,
  fileMtimeMs: number,
): Promise<DownloadMetadata | null> {
  const file = join(repoDir, '.cache', 'huggingface', 'download', `${path}.metadata`);
  const text = await readFile(file, 'utf8').catch(() => null);
  const [commit = '', etag = '', seconds = ''] = (text ?? '').split('\n').map((line) => line.trim());
  if (!/^[0-9a-f]{40}$/.test(commit)) return null;
  // the client's own rule: a file touched more than a second after its download is another file
  if (!(fileMtimeMs / 1000 - 1 <= Number(seconds))) return null;
  return { commit, sha256: /^[0-9a-f]{64}$/.test(etag) ? etag : null };
}
