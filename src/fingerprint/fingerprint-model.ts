import { HublineageError } from '../types/errors.ts';
import type { Fingerprint, TensorSample } from '../types/fingerprint.ts';
import type { RepoFiles } from '../types/hub.ts';
import type { ByteRange, CanonicalTensor, ModelWeights } from '../types/weights.ts';
import { buildCore } from './core.ts';
import { hashValues } from './hash.ts';
import { meterFiles } from './meter.ts';
import { planReads, type ReadPlan } from './plan.ts';
import { countPositions } from './positions.ts';
import { alignToBlocks, isPresent, readRequests, sliceRange } from './read.ts';
import { checkSampling, type SamplingBudget, type SamplingOptions, schemeId } from './scheme.ts';
import { type SelectedTensor, selectTensors } from './select.ts';
import { computeStats } from './stats.ts';

interface Item extends SelectedTensor<CanonicalTensor> {
  ranges: ByteRange[];
}

/**
 * Reads a model's samples and makes its fingerprint. At most `maxRequests` range requests and `maxBytes` bytes are spent; what
 * `openModel` spent on headers counts when both were given the same metered files (see `meterFiles`).
 *
 * EncodingUnsupported when no tensor can be decoded, ConfigInvalid when the budget does not cover one; OffsetInvalid, BodyTruncated and the
 * Hub's errors when the files are not what they claim.
 */
export async function fingerprintModel(
  weights: ModelWeights,
  files: RepoFiles,
  options: SamplingOptions,
): Promise<Fingerprint> {
  checkSampling(options);
  const metered = meterFiles(files);
  const notes = [...weights.notes];
  const budget = remainingBudget(options, metered.usage(), notes);
  const plan = planModel(weights, options, budget, notes);
  const answers = await readRequests(metered, plan.requests);
  const tensors = plan.items
    .map((item) => toSample(item, plan.requests, answers))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  noteNotFinite(tensors, plan.items, notes);
  const samples = new Map(tensors.map(({ name, values }) => [name, values]));
  return {
    scheme: schemeId(options),
    family: weights.family,
    architecture: weights.architecture,
    kind: weights.kind,
    format: weights.format,
    dtype: weights.dtype,
    quantized: weights.quantized,
    ...(weights.quantizedBeside ? { quantizedBeside: true } : {}),
    params: weights.params,
    widths: { ...weights.widths },
    adapter: weights.adapter,
    tensors,
    ...buildCore(weights, options, samples),
    files: weights.files,
    notes,
  };
}

/** Chooses tensors and the requests that read them. Pure: what it costs can be known before a byte of values is read. */
export function planModel(
  weights: ModelWeights,
  options: SamplingOptions,
  budget: SamplingBudget,
  notes: string[] = [],
): ReadPlan<Item> {
  const selected = selectTensors(weights, options, options);
  const readable = selected.filter(({ tensor }) => tensor.decodable);
  if (selected.length > 0 && readable.length === 0)
    throw new HublineageError('EncodingUnsupported', 'no tensor of this model can be decoded', {
      hint: `its number format is ${weights.dtype}`,
    });
  const plan = planReads(readable.map(toItem), budget);
  if (plan.items.length === 0)
    throw new HublineageError('ConfigInvalid', 'the sampling budget does not cover a single tensor', {
      hint: 'raise sampling.maxBytes or sampling.maxRequests',
    });
  const note = (count: number, what: string) => count > 0 && notes.push(`${count} tensors ${what}`);
  note(weights.tensors.length - selected.length, 'not sampled: the sampling budget is for an even selection');
  note(selected.length - readable.length, 'not sampled: their number format cannot be decoded');
  note(
    readable.length - plan.items.length,
    'dropped: this container needs more requests or bytes than the budget',
  );
  return plan;
}

/**
 * What headers left over, but never less than half: a GGUF whose vocabulary alone is larger than the budget would otherwise have no
 * samples at all.
 */
function remainingBudget(
  options: SamplingOptions,
  spent: { requests: number; bytes: number },
  notes: string[],
): SamplingBudget {
  const maxRequests = Math.max(options.maxRequests - spent.requests, Math.ceil(options.maxRequests / 2));
  const maxBytes = Math.max(options.maxBytes - spent.bytes, Math.ceil(options.maxBytes / 2));
  if (maxRequests + spent.requests > options.maxRequests || maxBytes + spent.bytes > options.maxBytes)
    notes.push(
      `headers took ${spent.requests} requests and ${spent.bytes} bytes: more than half of the budget`,
    );
  return { maxRequests, maxBytes };
}

function toItem(selected: SelectedTensor<CanonicalTensor>): Item {
  const { tensor, segments } = selected;
  const ranges = segments
    .filter((segment) => isPresent(tensor, segment))
    .flatMap((segment) => {
      const { row, col, count } = alignToBlocks(tensor, segment);
      return tensor.segmentRanges(row, col, count);
    });
  return { ...selected, ranges };
}

function toSample(
  { tensor, segments }: Item,
  requests: readonly ByteRange[],
  answers: readonly Uint8Array[],
): TensorSample {
  const values = new Float32Array(countPositions(segments)).fill(Number.NaN);
  let at = 0;
  for (const segment of segments) {
    if (isPresent(tensor, segment)) {
      const wide = alignToBlocks(tensor, segment);
      const bytes = tensor
        .segmentRanges(wide.row, wide.col, wide.count)
        .map((range) => sliceRange(requests, answers, range));
      const decoded = tensor.decodeSegment(bytes, wide.row, wide.col, wide.count);
      const skip = segment.col - wide.col;
      for (let i = 0; i < segment.count; i++) {
        const value = decoded[skip + i] as number;
        // one NaN for all: the payload bits of a NaN say nothing and would not survive every platform
        values[at + i] = Number.isNaN(value) ? Number.NaN : value;
      }
    }
    at += segment.count;
  }
  const { name, role, layer, shape, dtype, encoding } = tensor;
  return {
    name,
    role,
    layer,
    shape,
    dtype,
    encoding,
    values,
    stats: computeStats(values),
    hash: hashValues(values),
  };
}

function noteNotFinite(tensors: readonly TensorSample[], items: readonly Item[], notes: string[]): void {
  const expected = new Map(
    items.map(({ tensor, segments }) => [
      tensor.name,
      countPositions(segments.filter((segment) => isPresent(tensor, segment))),
    ]),
  );
  const bad = tensors.filter(({ name, stats }) => stats.count < (expected.get(name) ?? 0));
  if (bad.length > 0)
    notes.push(`${bad.length} tensors hold values that are not finite, ${bad[0]?.name} for one`);
}
