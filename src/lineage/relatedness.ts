import type { FingerprintSummary, TensorSample } from '../types/fingerprint.ts';
import type { Relatedness } from '../types/lineage.ts';
import { criticalZ } from './cosine-test.ts';
import { isPermuted, recoverPermutation } from './disguise/recover-permutation.ts';
import { toModelSamples } from './model-samples.ts';
import { comparePair } from './pair-statistics.ts';
import { compareGainsUnordered, looksPermuted } from './same-gains-unordered.ts';

export interface ComparedModel {
  summary: FingerprintSummary;
  tensors: readonly TensorSample[];
}

/** Fewer common values than this decide nothing against anybody. */
const MIN_VALUES = 2048;
/** `unrelated` needs the upper confidence bound of the cosine below this; heavy continued pretraining still leaves .5. */
const UNRELATED_BELOW = 0.1;
/** Share of bit-equal values that independent models do not reach in any format (bfloat16: .0009). */
const EQUAL_BY_CHANCE = 0.01;

/**
 * Were two models trained apart? Cosine over common matrix samples, each tensor centred and scaled to unit variance, against its null
 * N(0, 1/n) (or wider, where the products say so), with the number of pairs looked at taken into account.
 * `unrelated` is said only when the data exclude a relation that leaves a trace; anything in between is `undecided`.
 */
export function relatedness(a: ComparedModel, b: ComparedModel, options: { pairs: number }): Relatedness {
  const pair = comparePair(toModelSamples('a', a.tensors), toModelSamples('b', b.tensors));
  let dot = 0;
  let variance = 0;
  let values = 0;
  let tensors = 0;
  let squared = 0;
  let power = 0;
  let equal = 0;
  let compared = 0;
  for (const t of pair.tensors) {
    equal += t.equal;
    compared += t.count;
    if (t.vector || t.count < 8) continue;
    const meanA = t.childSum / t.count;
    const meanB = t.parentSum / t.count;
    const varianceA = t.childPower / t.count - meanA ** 2;
    const varianceB = t.parentPower / t.count - meanB ** 2;
    if (!(varianceA > 0 && varianceB > 0)) continue;
    const scale = Math.sqrt(varianceA * varianceB);
    dot += (t.dot - t.count * meanA * meanB) / scale;
    variance += Math.max(t.count, t.dotVariance / (varianceA * varianceB));
    values += t.count;
    tensors++;
    squared += t.squared;
    power += t.parentPower;
  }
  const comparable =
    a.summary.scheme === b.summary.scheme && a.summary.family === b.summary.family && values > 0;
  if (!comparable)
    return {
      outcome: 'incomparable',
      cosine: null,
      nullSd: null,
      relativeDistance: null,
      equalShare: null,
      commonTensors: comparable ? tensors : 0,
      commonValues: comparable ? values : 0,
    };
  const cosine = dot / values;
  const nullSd = Math.sqrt(variance) / values;
  const equalShare = equal / compared;
  const z = cosine / nullSd;
  const outcome =
    z > criticalZ(options.pairs)
      ? 'related'
      : values >= MIN_VALUES &&
          z < 3 &&
          cosine + 4 * nullSd < UNRELATED_BELOW &&
          equalShare < EQUAL_BY_CHANCE &&
          !looksPermuted(compareGainsUnordered(a.tensors, b.tensors)) &&
          !isPermuted(recoverPermutation(toModelSamples('a', a.tensors), toModelSamples('b', b.tensors)))
        ? 'unrelated'
        : 'undecided';
  return {
    outcome,
    cosine,
    nullSd,
    relativeDistance: power > 0 ? Math.sqrt(squared / power) : null,
    equalShare,
    commonTensors: tensors,
    commonValues: values,
  };
}
