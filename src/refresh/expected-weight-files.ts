import type { HubFile } from '../types/hub.ts';
import { chooseFiles } from '../weights/index.ts';

/**
 * The weight files that opening a repo would read, told by their names alone: enough to find a copy by its file hashes before a single
 * byte is asked for. Where an index names the shards, they are those of its own stem and variant beside it. A wrong guess finds no
 * copy, never another model: keys are compared with those of files that were read.
 */
export function expectedWeightFiles(files: readonly HubFile[], repo: string): HubFile[] {
  const choice = chooseFiles(files, repo.split('/').at(-1) ?? repo)[0];
  if (choice === undefined) return [];
  if (choice.index === null) return files.filter((file) => choice.files.includes(file.path));
  // `model.safetensors.index.json`, `diffusion_pytorch_model.fp16.safetensors.index.json`, `model.safetensors.index.fp16.json`
  const match = /^(.*?)\.(safetensors|bin)\.index(\.\w+)?\.json$/.exec(choice.index);
  if (match === null) return [];
  const [, stem = '', extension = '', variant = ''] = match;
  const prefix = `${stem}${variant}-`;
  const shard = /^\d{5,6}-of-\d{5,6}\.(safetensors|bin)$/;
  return files.filter(
    ({ path }) => path.startsWith(prefix) && shard.exec(path.slice(prefix.length))?.[1] === extension,
  );
}
