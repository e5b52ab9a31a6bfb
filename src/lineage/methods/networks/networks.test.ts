import type { Tensor } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createNormal, createRandom } from '../../numeric/random.ts';
import { loadBackend, type Tensorflow } from '../learned/index.ts';
import { type Features, METRICS, measure } from '../similarity/metrics.ts';
import { approximateSimilarity, similarityOf } from './approximate.ts';
import { createConvNetwork, createDenseNetwork, type Params, type RunnableNetwork } from './runnable.ts';
import { stepOfFeatures } from './step-of-features.ts';
import { createTinyLlama } from './tiny-llama.ts';

let tf: Tensorflow;
beforeAll(async () => {
  ({ tf } = await loadBackend('wasm'));
});

function drawParams(shapes: Record<string, number[]>, seed: number, scale: number): Params {
  const normal = createNormal(createRandom(seed));
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const gain = name.includes('norm') ? 1 : 0;
      return [
        name,
        tf.tensor(
          Float32Array.from({ length: size }, () => gain + scale * normal()),
          shape,
        ),
      ];
    }),
  );
}

const drawBatch = (shape: number[], seed: number) => {
  const normal = createNormal(createRandom(seed));
  return tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, normal), shape);
};

const LLAMA = { heads: 4, kvHeads: 2, epsilon: 1e-5, ropeTheta: 10_000 };
const llamaShapes: Record<string, number[]> = {
  'model.embed_tokens.weight': [11, 16],
  'model.norm.weight': [16],
  ...Object.fromEntries(
    [0, 1].flatMap((layer) => {
      const at = `model.layers.${layer}`;
      return Object.entries({
        [`${at}.input_layernorm.weight`]: [16],
        [`${at}.post_attention_layernorm.weight`]: [16],
        [`${at}.self_attn.q_proj.weight`]: [16, 16],
        [`${at}.self_attn.k_proj.weight`]: [8, 16],
        [`${at}.self_attn.v_proj.weight`]: [8, 16],
        [`${at}.self_attn.o_proj.weight`]: [16, 16],
        [`${at}.mlp.gate_proj.weight`]: [24, 16],
        [`${at}.mlp.up_proj.weight`]: [24, 16],
        [`${at}.mlp.down_proj.weight`]: [16, 24],
      });
    }),
  ),
};

interface Case {
  name: string;
  network: RunnableNetwork;
  shapes: Record<string, number[]>;
  batch: () => Tensor;
}
const cases: Case[] = [
  {
    name: 'dense',
    network: createDenseNetwork(3),
    shapes: {
      'layers.0.weight': [12, 6],
      'layers.0.bias': [12],
      'layers.1.weight': [8, 12],
      'layers.1.bias': [8],
      'layers.2.weight': [3, 8],
      'layers.2.bias': [3],
    },
    batch: () => drawBatch([10, 6], 9),
  },
  {
    name: 'convolutional',
    network: createConvNetwork(2),
    shapes: {
      'convs.0.weight': [5, 18],
      'convs.0.bias': [5],
      'convs.1.weight': [6, 45],
      'convs.1.bias': [6],
    },
    batch: () => drawBatch([8, 7, 7, 2], 9),
  },
  {
    name: 'tiny Llama',
    network: createTinyLlama(LLAMA),
    shapes: llamaShapes,
    batch: () =>
      tf.tensor2d(
        [
          [1, 5, 3, 7],
          [2, 2, 9, 10],
        ],
        [2, 4],
        'int32',
      ),
  },
];

describe.each(cases)('$name network', ({ network, shapes, batch }) => {
  it.each(METRICS)('first-order term of %s agrees with a numeric derivative', (metric) => {
    const parent = drawParams(shapes, 1, 0.4);
    const step = drawParams(shapes, 2, 0.2);
    const child = mapParams(parent, (name, p) =>
      // gains of norms are drawn around 1; their steps are not
      p.add(name.includes('norm') ? step[name]!.sub(1) : step[name]!),
    );
    const x = batch();
    const target = network.features(tf, child, x);
    const at = (t: number) => {
      const moved = mapParams(parent, (name, p) => p.add(child[name]!.sub(p).mul(t)));
      return similarityOf(tf, metric, network.features(tf, moved, x), target).dataSync()[0]!;
    };
    // float32: a step where rounding and curvature are both small, and its fourth-order difference
    const h = 4e-3;
    const numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    const { firstOrder } = approximateSimilarity(tf, network, parent, child, x, target, metric);
    expect(Math.abs(firstOrder - numeric)).toBeLessThan(0.02 * Math.max(0.05, Math.abs(numeric)));
  });

  it('the step of the features gives every metric the first-order term of its own gradient', () => {
    const parent = drawParams(shapes, 1, 0.4);
    const child = drawParams(shapes, 2, 0.4);
    const x = batch();
    const target = network.features(tf, child, x);
    const plain = (t: Tensor): Features => ({
      rows: t.shape[0]!,
      width: t.shape[1]!,
      values: Float64Array.from(t.dataSync()),
    });
    const f = plain(network.features(tf, parent, x));
    const step = plain(stepOfFeatures(tf, network, parent, child, x)).values;
    for (const metric of METRICS) {
      const one = approximateSimilarity(tf, network, parent, child, x, target, metric);
      const { value, slope } = measure(metric, f, plain(target), step);
      expect(Math.abs(value - one.value)).toBeLessThan(1e-3 * Math.max(0.1, Math.abs(value)));
      expect(Math.abs(slope - one.firstOrder)).toBeLessThan(1e-2 * Math.max(0.1, Math.abs(slope)));
    }
  });
});

it.each(METRICS)('%s of tensors is that of plain numbers', (metric) => {
  const f = drawBatch([6, 4], 1);
  const g = drawBatch([6, 4], 2);
  const plain = (t: Tensor): Features => ({ rows: 6, width: 4, values: Float64Array.from(t.dataSync()) });
  const { value } = measure(metric, plain(f), plain(g), new Float64Array(24));
  expect(similarityOf(tf, metric, f, g).dataSync()[0]).toBeCloseTo(value, 4);
});

it('on one linear layer the first-order term is the step of the features', () => {
  // a dense network of two layers shows the output of a ReLU; with positive weights and inputs it is linear
  const network = createDenseNetwork(2);
  const draw = (seed: number): Params => {
    const drawn = drawParams({ 'layers.0.weight': [5, 4], 'layers.0.bias': [5] }, seed, 0.3);
    return mapParams(drawn, (_, p) => p.abs().add(0.1));
  };
  const [parent, child, x] = [draw(1), draw(2), drawBatch([6, 4], 3).abs()];
  const plain = (p: Params): Features => ({
    rows: 6,
    width: 5,
    values: Float64Array.from(network.features(tf, p, x).dataSync()),
  });
  const [f, g] = [plain(parent), plain(child)];
  const target = network.features(tf, child, x);
  const step = f.values.map((v, i) => g.values[i]! - v);
  for (const metric of METRICS) {
    const { firstOrder } = approximateSimilarity(tf, network, parent, child, x, target, metric);
    expect(firstOrder).toBeCloseTo(measure(metric, f, g, step).slope, 3);
  }
});

function mapParams(params: Params, each: (name: string, value: Tensor) => Tensor): Params {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, each(name, value)]));
}
