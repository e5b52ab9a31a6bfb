import type { Tensor } from '@tensorflow/tfjs';
import { loadBackend } from '../../src/lineage/methods/learned/index.ts';
import { approximateSimilarity, createTinyLlama } from '../../src/lineage/methods/networks/index.ts';
import type { ScoredPair } from '../../src/lineage/methods/pair-scorer.ts';
import { finish, METRICS, type Metric } from '../../src/lineage/methods/similarity/metrics.ts';
import { readWholeLlama, type WholeLlama } from './whole-llamas.ts';

/** Shares of the first-order term; 0 is plain similarity. */
export const ALPHAS = [0, 0.01, 1] as const;

/** Bytes a probe: with four of them 64 rows of features, the paper's batch. */
const LENGTH = 16;
/**
 * What the models read: kinds of text small byte-level models are trained on. The paper takes a batch of the child's own data; nobody
 * knows a Hub model's, so all are asked the same.
 */
const PROBES = ['def read(path: s', 'for (int i = 0; ', 'It was late when', '3.14159 2.71828 '];

export interface RunPairs {
  /** models that were run */
  repos: string[];
  /** pairs by metric and share of the first-order term */
  pairs: Map<string, ScoredPair[]>;
  backend: string;
  /** reading and running, all metrics */
  seconds: number;
}

export const runKey = (metric: Metric, alpha: number) => `${metric}|${alpha}`;

/**
 * Neural Lineage's exact form on whole small Llamas: hidden states on a probe batch, the gradient of each similarity at the candidate's
 * parameters, its product with the step to the child. `candidates` are the possible parents, which the paper is given; pairs of
 * different width cannot be compared.
 */
export async function runLlamas(
  zoo: string,
  repos: readonly string[],
  candidates: ReadonlySet<string>,
): Promise<RunPairs> {
  const from = performance.now();
  const { tf, name: backend } = await loadBackend();
  const models: WholeLlama[] = [];
  for (const repo of repos) {
    const model = await readWholeLlama(tf, zoo, repo);
    if (model) models.push(model);
  }
  const batch = tf.tensor2d(
    PROBES.map((text) => [...Buffer.from(text, 'latin1')]),
    [PROBES.length, LENGTH],
    'int32',
  );
  const pairs = new Map(
    METRICS.flatMap((metric) => ALPHAS.map((alpha) => [runKey(metric, alpha), [] as ScoredPair[]])),
  );
  for (const child of models) {
    const target = tf.tidy(() => createTinyLlama(child.config).features(tf, child.params, batch)) as Tensor;
    for (const parent of models) {
      if (parent === child || parent.hidden !== child.hidden || !candidates.has(parent.repo)) continue;
      const network = createTinyLlama(parent.config);
      for (const metric of METRICS) {
        const { value, firstOrder } = approximateSimilarity(
          tf,
          network,
          parent.params,
          child.params,
          batch,
          target,
          metric,
        );
        for (const alpha of ALPHAS)
          pairs.get(runKey(metric, alpha))!.push({
            parent: parent.repo,
            child: child.repo,
            score: finish(metric, { value, slope: firstOrder }, alpha),
          });
      }
      // a run of minutes stays interruptible
      await new Promise((resolve) => setImmediate(resolve));
    }
    target.dispose();
  }
  for (const model of models) tf.dispose(Object.values(model.params));
  tf.dispose(batch);
  return {
    repos: models.map(({ repo }) => repo),
    pairs,
    backend,
    seconds: (performance.now() - from) / 1000,
  };
}
