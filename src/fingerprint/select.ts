import type { ByteRange, CanonicalTensor, Family, ModelWeights } from '../types/weights.ts';
import { planReads } from './plan.ts';
import { type Segment, samplePositions, type TensorGeometry } from './positions.ts';
import type { SamplingBudget, SamplingScheme } from './scheme.ts';

type Named = Pick<CanonicalTensor, 'name' | 'layer' | 'shape'>;

/** A tensor with the positions at which it is sampled. */
export interface SelectedTensor<T> {
  tensor: T;
  segments: Segment[];
}

/** Tensors planned for, the first in priority; five times SDXL's. Planning 100,000 would take seconds. */
const MAX_CANDIDATES = 8192;

/** Part of the budget planned for: the rest is for headers, shard borders and containers that need more ranges than the reference. */
const PLANNED_SHARE = 0.94;

/** The imagined file is 16-bit; of a 32-bit one that does not fit the budget, the reader drops what comes last in priority. */
const REFERENCE_VALUE_BYTES = 2;

/**
 * Chooses the tensors to read, in order of priority: those that would fit the budget if the model were one 16-bit safetensors file
 * with its tensors by name. Judging by this imagined file and not by the real one makes every copy of a model give the same answer.
 */
export function selectTensors<T extends Named & TensorGeometry>(
  model: Pick<ModelWeights, 'family' | 'kind'> & { tensors: readonly T[] },
  scheme: SamplingScheme,
  budget: SamplingBudget,
): SelectedTensor<T>[] {
  const offsets = new Map<string, number>();
  let end = 0;
  for (const tensor of sortByName(model.tensors)) {
    offsets.set(tensor.name, end);
    end += tensor.rows * tensor.cols * REFERENCE_VALUE_BYTES;
  }
  const ordered =
    model.kind === 'adapter' ? orderFactors(model.tensors) : orderByPriority(model.tensors, model.family);
  const items = ordered.slice(0, MAX_CANDIDATES).map((tensor) => {
    const segments = samplePositions(tensor, scheme);
    const start = offsets.get(tensor.name) ?? 0;
    const ranges: ByteRange[] = segments
      .filter(({ row }) => row < tensor.rows)
      .map(({ row, col, count }) => ({
        file: 'reference',
        offset: start + (row * tensor.cols + col) * REFERENCE_VALUE_BYTES,
        length: count * REFERENCE_VALUE_BYTES,
      }));
    return { tensor, segments, ranges };
  });
  const plan = planReads(items, {
    maxRequests: Math.max(1, Math.floor(budget.maxRequests * PLANNED_SHARE)),
    maxBytes: Math.floor(budget.maxBytes * PLANNED_SHARE),
  });
  return plan.items.map(({ tensor, segments }) => ({ tensor, segments }));
}

function sortByName<T extends Named>(tensors: readonly T[]): T[] {
  return tensors.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** An adapter's low-rank factors come in twos under neighbouring names; two that belong together stay together. */
export function orderFactors<T extends Named>(tensors: readonly T[]): T[] {
  const sorted = sortByName(tensors);
  const pairs = Array.from({ length: Math.ceil(sorted.length / 2) }, (_, i) =>
    sorted.slice(2 * i, 2 * i + 2),
  );
  return spread(pairs).flat();
}

/**
 * Tensors in the order in which they earn their place in the budget: any prefix of the list is a fair sample of the model, spread evenly
 * over its depth. The order is a function of names and shapes alone, so that two copies of a model in different containers give up the
 * same tensors first.
 *
 * Llama: what is outside the layers, then whole layers (so that a layer is comparable in every role or in none). UNet: matrices in
 * rounds over all blocks, each block contributing its next role in a rotating order, then vectors.
 */
export function orderByPriority<T extends Named>(tensors: readonly T[], family: Family): T[] {
  const sorted = sortByName(tensors);
  return family === 'llama' ? orderLayers(sorted) : orderBlocks(sorted);
}

function orderLayers<T extends Named>(tensors: readonly T[]): T[] {
  const layers = Map.groupBy(tensors, (tensor) => tensor.layer ?? -1);
  const numbers = [...layers.keys()].filter((layer) => layer >= 0).sort((a, b) => a - b);
  const outside = layers.get(-1) ?? [];
  return [...outside, ...spread(numbers).flatMap((layer) => layers.get(layer) ?? [])];
}

function orderBlocks<T extends Named>(tensors: readonly T[]): T[] {
  const isMatrix = (tensor: T) => tensor.shape.length > 1;
  const blocks = spread([...Map.groupBy(tensors.filter(isMatrix), blockOf).values()]);
  const queues = blocks.map((block, index) => rotate(spread(block), index));
  const matrices: T[] = [];
  // exhausted blocks leave the rounds, or one hostile block of many tensors beside many small ones would cost their product
  for (let round = 0, left = queues; left.length > 0; round++) {
    left = left.filter((queue) => round < queue.length);
    for (const queue of left) matrices.push(queue[round] as T);
  }
  const vectors = [
    ...Map.groupBy(
      tensors.filter((tensor) => !isMatrix(tensor)),
      blockOf,
    ).values(),
  ];
  return [...matrices, ...spread(vectors).flat()];
}

/** `down_blocks.1.attentions.0.transformer_blocks.0`, `up_blocks.2.resnets.1`; what lies outside repeated parts is a block of its own. */
function blockOf({ name }: Named): string {
  const match = /^(?:.*\.transformer_blocks\.\d+|.*?\.(?:attentions|resnets)\.\d+)(?=\.)/.exec(name);
  return match === null ? name.replace(/\.[^.]*$/, '') : match[0];
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/**
 * A permutation whose every prefix is spread evenly over the list: van der Corput's sequence in base 2 (0, 1/2, 1/4, 3/4, ...),
 * skipping places already taken.
 */
export function spread<T>(list: readonly T[]): T[] {
  const taken = new Set<number>();
  for (let i = 0; taken.size < list.length; i++) taken.add(Math.floor(radicalInverse(i) * list.length));
  return [...taken].map((index) => list[index] as T);
}

function radicalInverse(i: number): number {
  let value = 0;
  for (let digit = 0.5; i > 0; i >>>= 1, digit /= 2) value += digit * (i & 1);
  return value;
}
