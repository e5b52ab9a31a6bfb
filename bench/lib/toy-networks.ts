import type { Tensor, Variable } from '@tensorflow/tfjs';
import { loadBackend, type Tensorflow } from '../../src/lineage/methods/learned/index.ts';
import {
  approximateSimilarity,
  createDenseNetwork,
  type Params,
} from '../../src/lineage/methods/networks/index.ts';
import { finish, METRICS, type Metric } from '../../src/lineage/methods/similarity/metrics.ts';
import { createNormal, createRandom } from '../../src/lineage/numeric/random.ts';

/** The toy case of Neural Lineage in small: fully connected classifiers, parents on one task, children tuned on others. */
const WIDTHS = [32, 64, 32, 16, 8];
const PARENTS = 6;
const CHILDREN = 5;
const PARENT_STEPS = 250;
const CHILD_STEPS = 120;
const PROBES = 64;
const ALPHAS = [0.01, 1] as const;

export interface ToyRow {
  metric: Metric;
  /** share of networks whose ancestor is named among all candidates, plain and by share of the first-order term */
  parent: { plain: number; approximated: Record<string, number> };
  grandparent: { plain: number; approximated: Record<string, number> };
}

interface Task {
  draw(count: number): { x: Tensor; y: Tensor };
}

/** Trains 6 parents, 5 children each and a grandchild of every child, and asks every metric for parents and grandparents. */
export async function measureToyNetworks(
  seed: number,
): Promise<{ rows: ToyRow[]; backend: string; seconds: number }> {
  const from = performance.now();
  const { tf, name: backend } = await loadBackend();
  const network = createDenseNetwork(WIDTHS.length - 1);
  const base = drawTask(tf, seed);
  const parents = Array.from({ length: PARENTS }, (_, i) =>
    train(tf, drawParams(tf, seed * 100 + i), base, PARENT_STEPS),
  );
  const children = parents.flatMap((params, parent) =>
    Array.from({ length: CHILDREN }, (_, i) => {
      const task = drawTask(tf, seed * 1000 + 1 + i);
      return { parent, params: train(tf, params, task, CHILD_STEPS), task };
    }),
  );
  const grandchildren = children.map(({ parent, params }, i) => {
    const task = drawTask(tf, seed * 1000 + 500 + i);
    return { parent, params: train(tf, params, task, CHILD_STEPS), task };
  });

  /** plain, then by alpha: is the true one first? */
  const ask = (child: (typeof children)[number], metric: Metric): boolean[] => {
    const { x } = child.task.draw(PROBES);
    const found = parents.map((params) => {
      const { value, firstOrder } = approximateSimilarity(tf, network, params, child.params, x, metric, 1);
      return [0, ...ALPHAS].map((alpha) => finish(metric, { value, slope: firstOrder }, alpha));
    });
    return [0, ...ALPHAS].map((_, a) => {
      const scores = found.map((own) => own[a]!);
      return scores.indexOf(Math.max(...scores)) === child.parent;
    });
  };
  const score = (asked: typeof children, metric: Metric) => {
    const answers = asked.map((child) => ask(child, metric));
    const share = (k: number) => answers.filter((row) => row[k]).length / answers.length;
    return {
      plain: share(0),
      approximated: Object.fromEntries(ALPHAS.map((alpha, a) => [alpha, share(a + 1)])),
    };
  };
  const rows = METRICS.map((metric) => ({
    metric,
    parent: score(children, metric),
    grandparent: score(grandchildren, metric),
  }));
  return { rows, backend, seconds: (performance.now() - from) / 1000 };
}

/** A classification of points around drawn centres. */
function drawTask(tf: Tensorflow, seed: number): Task {
  const normal = createNormal(createRandom(seed));
  const random = createRandom(seed + 7);
  const [inputs, classes] = [WIDTHS[0]!, WIDTHS.at(-1)!];
  const centres = Array.from({ length: classes }, () => Float32Array.from({ length: inputs }, normal));
  return {
    draw(count) {
      const labels = Array.from({ length: count }, () => Math.floor(random() * classes));
      const x = labels.flatMap((label) => Array.from(centres[label]!, (c) => c + normal()));
      return {
        x: tf.tensor2d(x, [count, inputs]),
        y: tf.oneHot(tf.tensor1d(labels, 'int32'), classes).toFloat(),
      };
    },
  };
}

/** He's initialisation. */
function drawParams(tf: Tensorflow, seed: number): Params {
  const normal = createNormal(createRandom(seed));
  return Object.fromEntries(
    WIDTHS.slice(1).flatMap((out, i) => {
      const scale = Math.sqrt(2 / WIDTHS[i]!);
      const weight = Float32Array.from({ length: out * WIDTHS[i]! }, () => scale * normal());
      return [
        [`layers.${i}.weight`, tf.tensor2d(weight, [out, WIDTHS[i]!])],
        [`layers.${i}.bias`, tf.zeros([out])],
      ];
    }),
  );
}

function train(tf: Tensorflow, start: Params, task: Task, steps: number): Params {
  const variables: Record<string, Variable> = Object.fromEntries(
    Object.entries(start).map(([name, value]) => [name, tf.variable(value)]),
  );
  const network = createDenseNetwork(WIDTHS.length - 1);
  const head = `layers.${WIDTHS.length - 2}`;
  const optimizer = tf.train.adam(0.003);
  for (let step = 0; step < steps; step++)
    tf.tidy(() => {
      const { x, y } = task.draw(64);
      optimizer.minimize(() => {
        const inner = network.features(tf, variables, x);
        const logits = inner
          .matMul(variables[`${head}.weight`]!, false, true)
          .add(variables[`${head}.bias`]!);
        return tf.losses.softmaxCrossEntropy(y, logits).asScalar();
      });
    });
  return variables;
}
