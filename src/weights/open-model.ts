import { ERROR_CODES, HublineageError, isHublineageError } from '../types/errors.ts';
import type { HubFile, RepoFiles } from '../types/hub.ts';
import type { ModelWeights } from '../types/weights.ts';
import { buildAdapter } from './adapter/build-adapter.ts';
import { buildFullModel } from './build-full.ts';
import { type Candidate, chooseFiles } from './choose-files.ts';
import type { KnownFacts } from './facts.ts';
import { openGguf, toGgufWeights } from './gguf/index.ts';
import { mapParallel, PARALLEL_FILES } from './map-parallel.ts';
import { resolveQuantized } from './quantized/resolve.ts';
import { readTensors } from './read-tensors.ts';
import { recogniseNaming } from './recognise.ts';

/** Ways tried before a repo is given up: a lone VAE beside the checkpoint is common, ten wrong files are not. */
const MAX_CANDIDATES = 4;
/** Real ones have a few dozen. */
const MAX_GGUF_PARTS = 1024;

/**
 * Opens a repo's weights: chooses what to read from the file list, reads headers by ranges, and gives every tensor its canonical
 * name. No values are read. A 7B costs at most a handful of ranges, a sharded model one or two a shard.
 * Errors: NoWeights, ContainerUnsupported, ArchitectureUnsupported, ShardMissing, and whatever a broken file is called
 * (HeaderInvalid, OffsetInvalid, PickleRefused, ...). A dead end is followed by the next way of reading, with a note; when all fail,
 * the first error wins. A model that is broken under its proper name stays broken: something else in the repo is not that model.
 */
export async function openModel(repo: RepoFiles, facts: KnownFacts = {}): Promise<ModelWeights> {
  const listing = await repo.list();
  const repoName = repo.label.split(/[/\\]/).filter(Boolean).at(-1) ?? '';
  const candidates = chooseFiles(listing, repoName);
  if (candidates.length === 0) throw explainNothing(repo, listing);
  let firstError: unknown;
  const skipped: string[] = [];
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    try {
      const weights = await openCandidate(repo, candidate, listing, facts);
      return { ...weights, notes: [...skipped, ...weights.notes] };
    } catch (error) {
      firstError ??= error;
      if (!isDeadEnd(error, candidate)) throw error;
      skipped.push(`${candidate.index ?? candidate.files[0]} was passed over: ${error.message}`);
    }
  }
  throw firstError;
}

async function openCandidate(
  repo: RepoFiles,
  candidate: Candidate,
  listing: readonly HubFile[],
  facts: KnownFacts,
): Promise<ModelWeights> {
  if (candidate.reader === 'gguf') {
    if (candidate.files.length > MAX_GGUF_PARTS) {
      throw new HublineageError('ContainerUnsupported', `a GGUF split into ${candidate.files.length} files`, {
        where: candidate.files[0],
      });
    }
    const sources = await mapParallel(candidate.files, PARALLEL_FILES, (path) => repo.open(path));
    const weights = toGgufWeights(await openGguf(sources), sources);
    return {
      ...weights,
      ...(candidate.quantizedBeside ? { quantizedBeside: true } : {}),
      notes: candidate.note === null ? weights.notes : [candidate.note, ...weights.notes],
    };
  }
  const stored = await readTensors(repo, candidate, listing);
  const unpacked = resolveQuantized(stored.tensors);
  const contents = { ...stored, tensors: unpacked.tensors, notes: [...stored.notes, ...unpacked.notes] };
  if (contents.tensors.length === 0) {
    throw new HublineageError('NoWeights', 'the file holds no tensors', { where: candidate.files[0] });
  }
  const naming = recogniseNaming(contents.tensors.map((tensor) => tensor.name));
  if (naming.kind === 'lora' || candidate.format === 'peft') {
    return buildAdapter({ repo, candidate, contents, listing });
  }
  if (naming.kind === 'unknown') {
    throw new HublineageError(
      'ArchitectureUnsupported',
      `this is ${naming.looksLike}, not a Llama or a Stable Diffusion UNet`,
      {
        where: candidate.index ?? candidate.files[0],
      },
    );
  }
  return buildFullModel({ repo, candidate, contents, listing, facts }, naming);
}

/** "This way of reading leads nowhere, another may": not the model at all, or a stray file that only might have been it. */
function isDeadEnd(error: unknown, candidate: Candidate): error is HublineageError {
  if (!isHublineageError(error)) return false;
  const isOther = ['ShardMissing', 'NoWeights', 'ArchitectureUnsupported', 'ContainerUnsupported'].includes(
    error.code,
  );
  const isBroken = ERROR_CODES[error.code].attempts === 0;
  return isOther || (candidate.format === 'single-file' && isBroken);
}

const UNREAD =
  /\.(?:onnx|msgpack|h5|tflite|mlmodel|mlpackage|ot|npz|keras|pdparams|engine|rknn|tar|zip|7z)$/i;

function explainNothing(repo: RepoFiles, listing: readonly HubFile[]): HublineageError {
  const unread = listing.find((file) => UNREAD.test(file.path));
  if (unread !== undefined) {
    return new HublineageError(
      'ContainerUnsupported',
      `only containers that are not read (${unread.path}, ...)`,
      { where: repo.label },
    );
  }
  return new HublineageError('NoWeights', 'no weight file among the files of the repo', {
    where: repo.label,
  });
}
