import { existedBefore } from '../../../existed-before.ts';
import { createSampleCache } from '../../../model-samples.ts';
import type { PairScorer, ScoredPair } from '../../pair-scorer.ts';
import { createDetectorMethod } from '../detector-method.ts';
import { findRelatedSets } from '../phylogeny/related-sets.ts';
import { toImages } from './images.ts';
import { type LineageDetectorModel, rateCandidates } from './rate-candidates.ts';

export const LINEAGE_DETECTOR = 'lineage-detector';
const CACHED_MODELS = 600;
/** Candidates a child: the nearest by the blocks' search. */
const CANDIDATES = 32;

/**
 * Neural Lineage's detector over the Hub's models. Its task is given who may be a parent; here that is whoever of the child's relatives
 * was there by the time it was created. Scores are softmax shares, "no parent" included.
 */
export function createLineageScorer(model: LineageDetectorModel): PairScorer {
  return {
    name: LINEAGE_DETECTOR,
    async score(models, load, options) {
      const cache = createSampleCache(load, CACHED_MODELS);
      const pairs: ScoredPair[] = [];
      const { seed, onNote } = options;
      for (const set of findRelatedSets(models, seed, onNote ? { onNote } : {})) {
        const samples = await cache.get(set.models.map((m) => m.repo));
        const present = set.models.flatMap((m, i) => (samples.has(m.repo) ? [i] : []));
        const images = toImages(
          present.map((i) => set.models[i]!),
          present.map((i) => samples.get(set.models[i]!.repo)!),
        );
        if (images === null) {
          onNote?.(
            `${set.models.length} related models were left out: they have too few sampled values in common.`,
          );
          continue;
        }
        const place = new Map(present.map((from, to) => [from, to]));
        present.forEach((from, child) => {
          if (!set.asked.has(from)) return;
          const near = set.nearest(from).slice(0, CANDIDATES);
          const candidates = near
            .flatMap((i) => place.get(i) ?? [])
            .filter((i) => existedBefore(images.createdAt[i]!, images.createdAt[child]!));
          if (candidates.length === 0) return;
          const logits = rateCandidates(images, child, candidates, model);
          const top = Math.max(...logits);
          const total = logits.reduce((sum, l) => sum + Math.exp(l - top), 0);
          candidates.forEach((parent, k) => {
            pairs.push({
              child: images.repos[child]!,
              parent: images.repos[parent]!,
              score: Math.exp(logits[k]! - top) / total,
            });
          });
        });
      }
      return pairs;
    },
  };
}

export const lineageDetector = createDetectorMethod(
  LINEAGE_DETECTOR,
  (detectors) => detectors.lineage,
  createLineageScorer,
  'hublineage detector train --kind lineage',
);
