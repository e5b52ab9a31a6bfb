import { toGgufSummary } from './gguf-summary.ts';
import type { RepoFile, RepoRecord, SafetensorsSummary } from './record.ts';
import { headOf } from './record.ts';
import { asObject } from './tags.ts';

/** Larger headers are left uncounted, as the Hub does. */
const MAX_HEADER_BYTES = 25_000_000;

/** By file object: files never change under a RepoFile, a new commit brings new ones. */
const safetensorsByFiles = new WeakMap<readonly RepoFile[], Promise<SafetensorsSummary | null>>();
const ggufByFiles = new WeakMap<readonly RepoFile[], Promise<Record<string, unknown> | null>>();

/** `safetensors` of a listing row: values by dtype, from headers alone. A summary set on the repo wins, right or wrong. */
export async function safetensorsSummary(repo: RepoRecord): Promise<SafetensorsSummary | null> {
  if (repo.safetensors !== undefined) return repo.safetensors;
  const { files } = headOf(repo);
  return remember(safetensorsByFiles, files, () => countSafetensors(files));
}

/** `gguf` of a listing row: describes one file of the repo, the first by name. */
export async function ggufSummary(repo: RepoRecord): Promise<Record<string, unknown> | null> {
  if (repo.gguf !== undefined) return repo.gguf;
  const { files } = headOf(repo);
  return remember(ggufByFiles, files, async () => {
    const first = files.find((file) => file.path.endsWith('.gguf'));
    return first === undefined ? null : toGgufSummary(first).catch(() => null);
  });
}

function remember<T>(
  cache: WeakMap<readonly RepoFile[], Promise<T>>,
  files: readonly RepoFile[],
  make: () => Promise<T>,
): Promise<T> {
  let value = cache.get(files);
  if (value === undefined) {
    value = make();
    cache.set(files, value);
  }
  return value;
}

/** Files at the root only: parts of a diffusers pipeline are not counted by the Hub. */
export function isCountedSafetensors(path: string): boolean {
  return /^(model|adapter_model)[^/]*\.safetensors$/.test(path);
}

async function countSafetensors(files: readonly RepoFile[]): Promise<SafetensorsSummary | null> {
  const parameters: Record<string, number> = {};
  const weights = files.filter((file) => isCountedSafetensors(file.path));
  for (const file of weights) {
    const header = await readSafetensorsHeader(file).catch(() => null);
    if (header === null) return null;
    for (const [name, value] of Object.entries(header)) {
      const dtype = asObject(value)?.dtype;
      const shape = asObject(value)?.shape;
      if (name === '__metadata__' || typeof dtype !== 'string' || !Array.isArray(shape)) continue;
      const count = shape.reduce<number>((product, dimension) => product * Number(dimension), 1);
      parameters[dtype] = (parameters[dtype] ?? 0) + count;
    }
  }
  const total = Object.values(parameters).reduce((sum, count) => sum + count, 0);
  return total > 0 ? { parameters, total } : null;
}

async function readSafetensorsHeader(file: RepoFile): Promise<Record<string, unknown> | null> {
  if (file.size < 8) return null;
  const prefix = await file.read(0, 8);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || 8 + length > file.size) return null;
  const bytes = await file.read(8, length);
  return asObject(JSON.parse(Buffer.from(bytes).toString('utf8')));
}
