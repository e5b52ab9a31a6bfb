import type { HubFile } from '../types/hub.ts';
import { chooseFiles } from '../weights/index.ts';

/**
 * The weight files that opening a repo would read, told by their names alone: enough to find a copy by its file hashes before a single
 * byte is asked for. Where an index names the shards, they are the shards beside it.
 */
export function expectedWeightFiles(files: readonly HubFile[], repo: string): HubFile[] {
  const choice = chooseFiles(files, repo.split('/').at(-1) ?? repo)[0];
  if (choice === undefined) return [];
  if (choice.index === null) return files.filter((file) => choice.files.includes(file.path));
  const folder = choice.index.slice(0, choice.index.lastIndexOf('/') + 1);
  const extension = choice.reader === 'torch' ? 'bin' : 'safetensors';
  const shard = new RegExp(`-\\d{5,6}-of-\\d{5,6}\\.${extension}$`);
  return files.filter(
    (file) =>
      file.path.startsWith(folder) && !file.path.slice(folder.length).includes('/') && shard.test(file.path),
  );
}
