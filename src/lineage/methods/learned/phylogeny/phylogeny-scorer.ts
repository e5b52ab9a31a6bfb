import type { SampleLoader } from '../../../../types/fingerprint.ts';
import type { LineageModel } from '../../../../types/lineage.ts';
import { createSampleCache } from '../../../model-samples.ts';
import type { PairScorer, PairScorerOptions, ScoredPair } from '../../pair-scorer.ts';
import { createDetectorMethod } from '../detector-method.ts';
import { toFeatures } from './features.ts';
import type { PhylogenyModel } from './model.ts';
import { findRelatedSets, toSetTable } from './related-sets.ts';
import { type PairLogits, scorePairs } from './score-pairs.ts';

export const PHYLOGENY_DETECTOR = 'phylogeny-detector';
/** Models whose samples are kept from one set for the next. */
const CACHED_MODELS = 600;

/** Rates every set of related models with a trained detector; scores are its probabilities, "no parent here" included. */
export function createPhylogenyScorer(model: PhylogenyModel): PairScorer {
  return {
    name: PHYLOGENY_DETECTOR,
    async score(models, load, options) {
      const pairs: ScoredPair[] = [];
      for (const rated of await rateModels(models, load, model, options)) {
        const shares = toShares(rated.logits, rated.offsets);
        rated.repos.forEach((child, i) => {
          if (!rated.asked.has(child)) return;
          for (let e = rated.offsets[i]!; e < rated.offsets[i + 1]!; e++)
            pairs.push({ child, parent: rated.repos[rated.candidates[e]!]!, score: shares[e]! });
        });
      }
      return pairs;
    },
  };
}

export const phylogenyDetector = createDetectorMethod(
  PHYLOGENY_DETECTOR,
  (detectors) => detectors.phylogeny,
  createPhylogenyScorer,
  'hublineage detector train',
);

interface RatedSet {
  repos: string[];
  /** repos this set answers for */
  asked: ReadonlySet<string>;
  offsets: Int32Array;
  candidates: Int32Array;
  logits: PairLogits;
}

async function rateModels(
  models: readonly LineageModel[],
  load: SampleLoader,
  model: PhylogenyModel,
  { seed, onNote }: PairScorerOptions,
): Promise<RatedSet[]> {
  const cache = createSampleCache(load, CACHED_MODELS);
  const rated: RatedSet[] = [];
  for (const set of findRelatedSets(models, seed, onNote ? { onNote } : {})) {
    const table = toSetTable(set, await cache.get(set.models.map((m) => m.repo)));
    if (table === null) continue;
    const { repos, offsets, candidates } = table;
    const asked = new Set(set.models.flatMap((m, i) => (set.asked.has(i) ? [m.repo] : [])));
    rated.push({ repos, asked, offsets, candidates, logits: scorePairs(toFeatures(table), model) });
  }
  return rated;
}

/** Softmax over each child's candidates and "none". */
function toShares({ pairs, none }: PairLogits, offsets: Int32Array): Float32Array {
  const shares = new Float32Array(pairs.length);
  for (let child = 0; child < none.length; child++) {
    const [from, to] = [offsets[child]!, offsets[child + 1]!];
    let top = none[child]!;
    for (let e = from; e < to; e++) top = Math.max(top, pairs[e]!);
    let total = Math.exp(none[child]! - top);
    for (let e = from; e < to; e++) total += Math.exp(pairs[e]! - top);
    for (let e = from; e < to; e++) shares[e] = Math.exp(pairs[e]! - top) / total;
  }
  return shares;
}
