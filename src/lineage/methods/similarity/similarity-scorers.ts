import type { TensorSample } from '../../../types/fingerprint.ts';
import type { LineageModel } from '../../../types/lineage.ts';
import type { PairScorer, ScoredPair } from '../pair-scorer.ts';
import { type Features, finish, METRICS, type Metric, measure } from './metrics.ts';
import { findCommonTensors, probeSamples } from './sampled-features.ts';

/** Share of the first-order term. 1 would undo an exactly linear step altogether, which leaves nothing to compare. */
const ALPHA = 0.01;
const BATCH = 64;
/** Models of one shape: all their features are in memory, and all their pairs are compared. */
const LARGEST_GROUP = 1500;

/** `similarity-l1`, `similarity-l1-approx`, ...: each metric, plain and with the fine-tuning approximation. */
export const SIMILARITY_SCORERS: readonly PairScorer[] = METRICS.flatMap((metric) => [
  createSimilarityScorer(metric, false),
  createSimilarityScorer(metric, true),
]);

/**
 * Neural Lineage without learning (Yu and Wang, CVPR 2024), from samples: every ordered pair of models of one shape is scored by the
 * similarity of what their sampled rows give on drawn inputs. The paper is told who is the child; so is this: the scores do not decide
 * direction, and a child that has no parent among the models is given its nearest all the same. Time grows with the square of a
 * group, so very large ones are left out, with a note.
 */
function createSimilarityScorer(metric: Metric, approximated: boolean): PairScorer {
  return {
    name: `similarity-${metric}${approximated ? '-approx' : ''}`,
    async score(models, load, { seed, positions, onNote }) {
      const pairs: ScoredPair[] = [];
      for (const group of groupByShape(models)) {
        if (group.length > LARGEST_GROUP) {
          onNote?.(
            `${group.length} models of one shape were left out: every pair is compared, which is done for at most ${LARGEST_GROUP}.`,
          );
          continue;
        }
        const samples: (readonly TensorSample[])[] = [];
        const repos: string[] = [];
        for (let from = 0; from < group.length; from += BATCH) {
          const batch = group.slice(from, from + BATCH);
          const loaded = await load(batch);
          for (const repo of batch) {
            const tensors = loaded.get(repo);
            if (!tensors) continue;
            repos.push(repo);
            samples.push(tensors);
          }
        }
        const common = findCommonTensors(samples, positions);
        if (common.names.length === 0) continue;
        const features = samples.map((tensors) => probeSamples(tensors, common, seed));
        for (const [p, parent] of repos.entries())
          for (const [c, child] of repos.entries())
            if (p !== c)
              pairs.push({ parent, child, score: compare(features[p]!, features[c]!, approximated) });
      }
      return pairs;
    },
  };

  function compare(parent: Features, child: Features, approximate: boolean): number {
    const step = parent.values.map((x, i) => (approximate ? child.values[i]! - x : 0));
    return finish(metric, measure(metric, parent, child, step), ALPHA);
  }
}

/** Repos of full models with the same matrices, two or more of each kind, by name. */
function groupByShape(models: readonly LineageModel[]): string[][] {
  const full = models.filter(({ fingerprint }) => fingerprint.kind === 'full');
  const groups = Map.groupBy(full, ({ fingerprint }) => fingerprint.coreKey);
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => group.map(({ repo }) => repo).sort());
}
