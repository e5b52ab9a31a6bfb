import type { Tensor } from '@tensorflow/tfjs';
import { loadBackend } from '../../src/lineage/methods/learned/index.ts';
import { createTinyLlama, stepOfFeatures } from '../../src/lineage/methods/networks/index.ts';
import type { ScoredPair } from '../../src/lineage/methods/pair-scorer.ts';
import {
  type Features,
  finish,
  METRICS,
  type Metric,
  measure,
} from '../../src/lineage/methods/similarity/metrics.ts';
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
 * Neural Lineage's exact form on whole small Llamas: hidden states on a probe batch, and the first-order change of each similarity as the
 * candidate's parameters go to the child's. `candidates` are the possible parents, which the paper is given; pairs of
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
  const toPlain = (tensor: Tensor): Features => {
    const [rows = 0, width = 0] = tensor.shape;
    const plain = { rows, width, values: Float64Array.from(tensor.dataSync()) };
    tensor.dispose();
    return plain;
  };
  const features = new Map(
    models.map((model) => [
      model,
      toPlain(tf.tidy(() => createTinyLlama(model.config).features(tf, model.params, batch))),
    ]),
  );
  for (const child of models)
    for (const parent of models) {
      if (parent === child || parent.hidden !== child.hidden || !candidates.has(parent.repo)) continue;
      const network = createTinyLlama(parent.config);
      const step = toPlain(stepOfFeatures(tf, network, parent.params, child.params, batch));
      for (const metric of METRICS) {
        const similarity = measure(metric, features.get(parent)!, features.get(child)!, step.values);
        for (const alpha of ALPHAS)
          pairs.get(runKey(metric, alpha))!.push({
            parent: parent.repo,
            child: child.repo,
            score: finish(metric, similarity, alpha),
          });
      }
      // a run of minutes stays interruptible
      await new Promise((resolve) => setImmediate(resolve));
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
