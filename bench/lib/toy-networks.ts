import type { Tensor, Variable } from '@tensorflow/tfjs';
import { loadBackend, type Tensorflow } from '../../src/lineage/methods/learned/index.ts';
import {
  approximateSimilarity,
  createConvNetwork,
  createDenseNetwork,
  type Params,
  type RunnableNetwork,
} from '../../src/lineage/methods/networks/index.ts';
import { finish, METRICS, type Metric } from '../../src/lineage/methods/similarity/metrics.ts';
import { createNormal, createRandom } from '../../src/lineage/numeric/random.ts';

/** The toy case of Neural Lineage in small: classifiers, parents on one task, children tuned on others. */
export const TOY_KINDS = ['dense', 'convolutional'] as const;
export type ToyKind = (typeof TOY_KINDS)[number];

interface Architecture {
  network: RunnableNetwork;
  /** of one input */
  input: number[];
  /** parameters by name: [out, in] */
  weights: Record<string, [number, number]>;
  head: string;
}

const CLASSES = 8;
const ARCHITECTURES: Record<ToyKind, Architecture> = {
  dense: {
    network: createDenseNetwork(4),
    input: [32],
    weights: { 'layers.0': [64, 32], 'layers.1': [32, 64], 'layers.2': [16, 32], 'layers.3': [CLASSES, 16] },
    head: 'layers.3',
  },
  // 6 x 6 images of two channels, two layers of 3 x 3 filters, the mean over what is left of the image
  convolutional: {
    network: createConvNetwork(2),
    input: [6, 6, 2],
    weights: { 'convs.0': [12, 18], 'convs.1': [16, 108], head: [CLASSES, 16] },
    head: 'head',
  },
};
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
  kind: ToyKind,
  seed: number,
): Promise<{ rows: ToyRow[]; backend: string; seconds: number }> {
  const from = performance.now();
  const { tf, name: backend } = await loadBackend();
  const made = ARCHITECTURES[kind];
  const { network } = made;
  const base = drawTask(tf, made, seed);
  const parents = Array.from({ length: PARENTS }, (_, i) =>
    train(tf, made, drawParams(tf, made, seed * 100 + i), base, PARENT_STEPS),
  );
  const children = parents.flatMap((params, parent) =>
    Array.from({ length: CHILDREN }, (_, i) => {
      const task = drawTask(tf, made, seed * 1000 + 1 + i);
      return { parent, params: train(tf, made, params, task, CHILD_STEPS), task };
    }),
  );
  const grandchildren = children.map(({ parent, params }, i) => {
    const task = drawTask(tf, made, seed * 1000 + 500 + i);
    return { parent, params: train(tf, made, params, task, CHILD_STEPS), task };
  });

  /** plain, then by alpha: is the true one first? */
  const ask = (child: (typeof children)[number], metric: Metric): boolean[] => {
    const { x } = child.task.draw(PROBES);
    const target = network.features(tf, child.params, x);
    const found = parents.map((params) => {
      const { value, firstOrder } = approximateSimilarity(
        tf,
        network,
        params,
        child.params,
        x,
        target,
        metric,
      );
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
function drawTask(tf: Tensorflow, { input }: Architecture, seed: number): Task {
  const normal = createNormal(createRandom(seed));
  const random = createRandom(seed + 7);
  const size = input.reduce((a, b) => a * b, 1);
  const centres = Array.from({ length: CLASSES }, () => Float32Array.from({ length: size }, normal));
  return {
    draw(count) {
      const labels = Array.from({ length: count }, () => Math.floor(random() * CLASSES));
      const x = labels.flatMap((label) => Array.from(centres[label]!, (c) => c + normal()));
      return {
        x: tf.tensor(x, [count, ...input]),
        y: tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES).toFloat(),
      };
    },
  };
}

/** He's initialisation. */
function drawParams(tf: Tensorflow, { weights }: Architecture, seed: number): Params {
  const normal = createNormal(createRandom(seed));
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, [out, into]]) => {
      const scale = Math.sqrt(2 / into);
      const weight = Float32Array.from({ length: out * into }, () => scale * normal());
      return [
        [`${name}.weight`, tf.tensor2d(weight, [out, into])],
        [`${name}.bias`, tf.zeros([out])],
      ];
    }),
  );
}

function train(
  tf: Tensorflow,
  { network, head }: Architecture,
  start: Params,
  task: Task,
  steps: number,
): Params {
  const variables: Record<string, Variable> = Object.fromEntries(
    Object.entries(start).map(([name, value]) => [name, tf.variable(value)]),
  );
  const optimizer = tf.train.adam(0.003);
  for (let step = 0; step < steps; step++)
    tf.tidy(() => {
      const { x, y } = task.draw(64);
      optimizer.minimize(() => {
        const logits = network
          .features(tf, variables, x)
          .matMul(variables[`${head}.weight`]!, false, true)
          .add(variables[`${head}.bias`]!);
        return tf.losses.softmaxCrossEntropy(y, logits).asScalar();
      });
    });
  return variables;
}
