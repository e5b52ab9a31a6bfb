import type { TensorSample } from '../types/fingerprint.ts';
import type { ModelSamples } from './model-samples.ts';

/** Sums over the positions two samples of one tensor have in common. `child` and `parent` are roles in a question, not findings. */
export interface TensorPair {
  name: string;
  role: string;
  layer: number | null;
  vector: boolean;
  /** common positions */
  count: number;
  /** bit-equal among them (-0 = 0) */
  equal: number;
  /** sum of (c - p)^2 */
  squared: number;
  childPower: number;
  parentPower: number;
  dot: number;
  childSum: number;
  parentSum: number;
  /** sum of (c p)^2: the variance of `dot` when signs are independent */
  dotVariance: number;
}

export interface PairStatistics {
  tensors: TensorPair[];
  count: number;
  equal: number;
  squared: number;
  /** child tensors the parent does not have, or has in another shape */
  missing: number;
}

/** Which layer of the parent a layer of the child is held against; null = itself. */
export type LayerMap = ReadonlyArray<number> | null;

const TOKEN_TENSOR = /(?:^|\.)(?:embed_tokens|lm_head)\.weight$/;

/** Rows of token tensors are read by absolute id, so vocabularies of different sizes share positions. */
export function areComparable(a: TensorSample, b: TensorSample): boolean {
  if (a.values.length !== b.values.length || a.shape.length !== b.shape.length) return false;
  const from = TOKEN_TENSOR.test(a.name) ? 1 : 0;
  for (let i = from; i < a.shape.length; i++) if (a.shape[i] !== b.shape[i]) return false;
  return true;
}

/** Equal for tensors of one name that are comparable: for whoever asks of many pairs. */
export function comparableKey({ name, shape, values }: TensorSample): string {
  return `${values.length}/${shape.length}/${shape.slice(TOKEN_TENSOR.test(name) ? 1 : 0).join()}`;
}

export function compareTensors(child: TensorSample, parent: TensorSample): TensorPair {
  const c = child.values;
  const p = parent.values;
  let count = 0;
  let equal = 0;
  let squared = 0;
  let childPower = 0;
  let parentPower = 0;
  let dot = 0;
  let childSum = 0;
  let parentSum = 0;
  let dotVariance = 0;
  for (let i = 0; i < c.length; i++) {
    const x = c[i]!;
    const y = p[i]!;
    const product = x * y;
    // NaN marks token rows that one of the two does not have; overflown halves give infinities
    if (!(product > -1e300 && product < 1e300)) continue;
    const d = x - y;
    count++;
    if (d === 0) equal++;
    squared += d * d;
    childPower += x * x;
    parentPower += y * y;
    dot += product;
    childSum += x;
    parentSum += y;
    dotVariance += product * product;
  }
  return {
    name: child.name,
    role: child.role,
    layer: child.layer,
    vector: child.shape.length < 2,
    count,
    equal,
    squared,
    childPower,
    parentPower,
    dot,
    childSum,
    parentSum,
    dotVariance,
  };
}

/** All common tensors of two models, layer by layer as `layerMap` says. O(values). */
export function comparePair(
  child: ModelSamples,
  parent: ModelSamples,
  layerMap: LayerMap = null,
): PairStatistics {
  const tensors: TensorPair[] = [];
  let count = 0;
  let equal = 0;
  let squared = 0;
  let missing = 0;
  for (const tensor of child.tensors) {
    const other = parent.byName.get(mappedName(tensor, layerMap));
    if (!other || !areComparable(tensor, other)) {
      missing++;
      continue;
    }
    const pair = compareTensors(tensor, other);
    if (pair.count === 0) continue;
    tensors.push(pair);
    count += pair.count;
    equal += pair.equal;
    squared += pair.squared;
  }
  return { tensors, count, equal, squared, missing };
}

function mappedName(tensor: TensorSample, layerMap: LayerMap): string {
  if (layerMap === null || tensor.layer === null) return tensor.name;
  const layer = layerMap[tensor.layer];
  return layer === undefined ? '' : tensor.name.replace(`.${tensor.layer}.`, `.${layer}.`);
}
