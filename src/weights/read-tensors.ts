import { HublineageError } from '../types/errors.ts';
import type { ByteSource, HubFile, RepoFiles } from '../types/hub.ts';
import type { Container, HubFileIdentity } from '../types/weights.ts';
import type { Candidate } from './choose-files.ts';
import { mapParallel, PARALLEL_FILES } from './map-parallel.ts';
import { createPlainTensor } from './plain-tensor.ts';
import type { RawTensor } from './raw-tensor.ts';
import { readSafetensorsHeader } from './safetensors/read-header.ts';
import { estimateHeaderBytes, MAX_INDEX_BYTES, parseShardIndex } from './safetensors/shard-index.ts';
import { openTorch } from './torch/index.ts';

/** Bounds memory over all shards; DeepSeek-V3, the largest open model when this was chosen, has 91,991. */
const MAX_MODEL_TENSORS = 131_072;

export interface RawContents {
  container: Container;
  sharded: boolean;
  tensors: RawTensor[];
  metadata: Record<string, string>;
  files: HubFileIdentity[];
  /** names of tensors that should lie in shards that are missing */
  absentNames: string[];
  /** the opened files, for the few reads beyond headers */
  sources: ReadonlyMap<string, ByteSource>;
  notes: string[];
}

interface PlannedFile {
  path: string;
  /** null when no index tells */
  tensorNames: string[] | null;
}

/**
 * Reads the headers of all files of a candidate (safetensors or torch). Shards that are named but absent are noted and left out;
 * ShardMissing when none is there. Duplicate tensor names across shards keep the first in file order.
 */
export async function readTensors(
  repo: RepoFiles,
  candidate: Candidate,
  listing: readonly HubFile[],
): Promise<RawContents> {
  const present = new Set(listing.map((file) => file.path));
  const notes = candidate.note === null ? [] : [candidate.note];
  const planned = await planFiles(repo, candidate);
  const missing = planned.filter((file) => !present.has(file.path));
  const existing = planned.filter((file) => present.has(file.path));
  if (existing.length === 0) {
    throw new HublineageError('ShardMissing', `none of the ${planned.length} files is in the repo`, {
      where: candidate.index ?? candidate.files[0],
    });
  }
  if (missing.length > 0) {
    const names = missing.slice(0, 3).map((file) => file.path);
    notes.push(
      `${missing.length} of ${planned.length} shards are missing (${names.join(', ')}${missing.length > 3 ? ', ...' : ''})`,
    );
  }
  const opened = await mapParallel(existing, PARALLEL_FILES, (file) => openOne(repo, candidate, file));
  const tensors = new Map<string, RawTensor>();
  const metadata: Record<string, string> = {};
  const sources = new Map<string, ByteSource>();
  for (const [i, part] of opened.entries()) {
    sources.set(part.source.path, part.source);
    notes.push(...part.notes);
    Object.assign(metadata, part.metadata);
    const expected = existing[i]?.tensorNames ?? null;
    checkAgainstIndex(part.tensors, expected, part.source.path, notes);
    let doubled = 0;
    for (const tensor of part.tensors) {
      if (tensors.has(tensor.name)) doubled++;
      else tensors.set(tensor.name, tensor);
    }
    if (tensors.size > MAX_MODEL_TENSORS) {
      throw new HublineageError('HeaderTooLarge', `more than ${MAX_MODEL_TENSORS} tensors in one model`, {
        where: part.source.path,
      });
    }
    if (doubled > 0)
      notes.push(
        `${doubled} tensors of ${part.source.path} are in an earlier shard too, the first was taken`,
      );
  }
  return {
    container: opened[0]?.container ?? 'safetensors',
    sharded: planned.length > 1,
    tensors: [...tensors.values()],
    metadata,
    files: opened
      .map(({ source }) => ({
        path: source.path,
        size: source.size,
        sha256: source.sha256 ?? sha256Of(listing, source.path),
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    absentNames: missing.flatMap((file) => file.tensorNames ?? []),
    sources,
    notes,
  };
}

function sha256Of(listing: readonly HubFile[], path: string): string | null {
  return listing.find((file) => file.path === path)?.sha256 ?? null;
}

async function planFiles(repo: RepoFiles, candidate: Candidate): Promise<PlannedFile[]> {
  if (candidate.index === null) return candidate.files.map((path) => ({ path, tensorNames: null }));
  const folder = candidate.index.slice(0, candidate.index.lastIndexOf('/') + 1);
  const bytes = await repo.readSmall(candidate.index, MAX_INDEX_BYTES);
  const index = parseShardIndex(bytes, folder, candidate.index);
  if (index.size === 0)
    throw new HublineageError('NoWeights', 'the index names no shard', { where: candidate.index });
  return [...index]
    .map(([path, tensorNames]) => ({ path, tensorNames }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface OpenedFile {
  source: ByteSource;
  container: Container;
  tensors: RawTensor[];
  metadata: Record<string, string>;
  notes: string[];
}

async function openOne(repo: RepoFiles, candidate: Candidate, file: PlannedFile): Promise<OpenedFile> {
  const source = await repo.open(file.path);
  if (candidate.reader === 'torch') {
    const contents = await openTorch(source);
    return {
      source,
      container: contents.container,
      metadata: {},
      notes: [...contents.notes],
      tensors: [...contents.tensors],
    };
  }
  const expected = file.tensorNames === null ? undefined : estimateHeaderBytes(file.tensorNames);
  const header = await readSafetensorsHeader(source, expected);
  return {
    source,
    container: 'safetensors',
    metadata: header.metadata,
    notes: [],
    tensors: header.tensors.map((tensor) => createPlainTensor({ ...tensor, file: file.path })),
  };
}

/** An index and its shards may disagree; the headers are the truth, the disagreement is told. */
function checkAgainstIndex(
  tensors: readonly RawTensor[],
  expected: string[] | null,
  path: string,
  notes: string[],
): void {
  if (expected === null) return;
  const names = new Set(tensors.map((tensor) => tensor.name));
  const absent = expected.filter((name) => !names.has(name)).length;
  if (absent > 0) notes.push(`${absent} tensors the index places in ${path} are not there`);
}
