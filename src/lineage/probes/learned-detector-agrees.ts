import type { LineageModel } from '../../types/lineage.ts';
import { toFeatures } from '../methods/learned/phylogeny/features.ts';
import { measureSet } from '../methods/learned/phylogeny/measure-set.ts';
import type { PhylogenyModel } from '../methods/learned/phylogeny/model.ts';
import { scorePairs } from '../methods/learned/phylogeny/score-pairs.ts';
import type { ModelSamples } from '../model-samples.ts';

export const LEARNED_DETECTOR_AGREES = 'learned-detector-agrees';

/** A learned opinion is capped like any other weak vote: it may break ties, never outweigh the distances. */
const CAP = 6;

/**
 * Does the learned detector name this candidate too? For each pair of a family the calibrated log-odds against the child's best
 * candidate (0 for the best, negative for others), times `weight`; a pair the detector was not shown counts as its worst.
 * Indices are those of `models`.
 */
export function learnedDetectorAgrees(
  models: readonly LineageModel[],
  samples: readonly ModelSamples[],
  nearest: (model: number) => readonly number[],
  detector: PhylogenyModel,
  weight: number,
): (child: number, parent: number) => number {
  const features = toFeatures(measureSet(models, samples, nearest));
  const { pairs } = scorePairs(features, detector);
  const { offsets, candidates, count } = features;
  const found = new Map<number, number>();
  for (let child = 0; child < count; child++) {
    let best = Number.NEGATIVE_INFINITY;
    for (let e = offsets[child]!; e < offsets[child + 1]!; e++) best = Math.max(best, pairs[e]!);
    for (let e = offsets[child]!; e < offsets[child + 1]!; e++) {
      const behind = detector.calibration.slope * (pairs[e]! - best);
      found.set(child * count + candidates[e]!, weight * Math.max(-CAP, behind));
    }
  }
  return (child, parent) => found.get(child * count + parent) ?? -CAP * weight;
}
