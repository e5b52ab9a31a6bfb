import { PAIR_SCORERS } from '../../src/lineage/methods/index.ts';
import { METRICS, type Metric } from '../../src/lineage/methods/similarity/metrics.ts';
import type { PositionsOf } from '../../src/lineage/options.ts';
import type { TensorSample } from '../../src/types/fingerprint.ts';
import type { LineageModel } from '../../src/types/lineage.ts';
import { type PairScore, scorePairs, type TrueParents } from './pair-score.ts';
import { ALPHAS, runKey, runLlamas } from './run-llamas.ts';

interface Population {
  name: string;
  models: LineageModel[];
  samples: ReadonlyMap<string, TensorSample[]>;
  truth: TrueParents;
  originalOf: (repo: string) => string;
}

export interface RunRow {
  population: string;
  /** models that could be run */
  models: number;
  metric: Metric;
  /** plain similarity of sampled rows: what `similarity-<metric>` does */
  sampled: PairScore['ancestors'];
  /** by share of the first-order term */
  run: PairScore['ancestors'][];
}

/** Neural Lineage's similarities on the same models and candidates, from samples and from networks that are run. */
export async function compareWithRunning(
  zoo: string,
  populations: readonly Population[],
  positions: PositionsOf,
): Promise<{ rows: RunRow[]; backend: string; seconds: number }> {
  const repos = new Set(populations.flatMap(({ models }) => models.map(({ repo }) => repo)));
  const candidates = new Set(populations.flatMap(({ truth }) => [...truth.values()].flat()));
  const run = await runLlamas(zoo, [...repos], candidates);
  const rows: RunRow[] = [];
  for (const { name, models, samples, truth, originalOf } of populations) {
    const ran = models.filter(({ repo }) => run.repos.includes(repo));
    const known: TrueParents = new Map(ran.map(({ repo }) => [repo, truth.get(repo) ?? []]));
    const load = async (wanted: readonly string[]) =>
      new Map(wanted.flatMap((repo) => (samples.has(repo) ? [[repo, samples.get(repo)!] as const] : [])));
    for (const metric of METRICS) {
      const scorer = PAIR_SCORERS.find((one) => one.name === `similarity-${metric}`)!;
      const sampled = await scorer.score(ran, load, { seed: 1, positions });
      rows.push({
        population: name,
        models: ran.length,
        metric,
        sampled: scorePairs(sampled, known, originalOf).ancestors,
        run: ALPHAS.map(
          (alpha) =>
            scorePairs(
              run.pairs
                .get(runKey(metric, alpha))!
                .filter(({ child, parent }) => known.has(child) && known.has(parent)),
              known,
              originalOf,
            ).ancestors,
        ),
      });
    }
  }
  return { rows, backend: run.backend, seconds: run.seconds };
}
