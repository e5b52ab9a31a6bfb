import { beforeAll, describe, expect, it } from 'vitest';
import { createNormal, createRandom } from '../../numeric/random.ts';
import { loadBackend, type Tensorflow } from '../learned/index.ts';
import type { Params } from './runnable.ts';
import { createTinyLlama, type TinyLlama } from './tiny-llama.ts';

let tf: Tensorflow;
beforeAll(async () => {
  ({ tf } = await loadBackend('wasm'));
});

interface Matrix {
  rows: number;
  cols: number;
  values: Float32Array;
}
type Weights = Record<string, Matrix>;

const VOCAB = 11;
const INTERMEDIATE = 24;

function drawWeights(config: TinyLlama, hidden: number, layers: number, seed: number): Weights {
  const normal = createNormal(createRandom(seed));
  const draw = (rows: number, cols: number, mean = 0): Matrix => ({
    rows,
    cols,
    values: Float32Array.from({ length: rows * cols }, () => mean + 0.4 * normal()),
  });
  const headDim = hidden / config.heads;
  const weights: Weights = { embed_tokens: draw(VOCAB, hidden), norm: draw(1, hidden, 1) };
  for (let layer = 0; layer < layers; layer++)
    Object.assign(weights, {
      [`layers.${layer}.input_layernorm`]: draw(1, hidden, 1),
      [`layers.${layer}.post_attention_layernorm`]: draw(1, hidden, 1),
      [`layers.${layer}.self_attn.q_proj`]: draw(hidden, hidden),
      [`layers.${layer}.self_attn.k_proj`]: draw(config.kvHeads * headDim, hidden),
      [`layers.${layer}.self_attn.v_proj`]: draw(config.kvHeads * headDim, hidden),
      [`layers.${layer}.self_attn.o_proj`]: draw(hidden, hidden),
      [`layers.${layer}.mlp.gate_proj`]: draw(INTERMEDIATE, hidden),
      [`layers.${layer}.mlp.up_proj`]: draw(INTERMEDIATE, hidden),
      [`layers.${layer}.mlp.down_proj`]: draw(hidden, INTERMEDIATE),
    });
  return weights;
}

const toParams = (weights: Weights): Params =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { rows, cols, values }]) => [
      `model.${name}.weight`,
      rows === 1 ? tf.tensor1d(values) : tf.tensor2d(values, [rows, cols]),
    ]),
  );

/** One sequence, one position after the other, in float64 and plain loops: written from the papers' formulas, sharing nothing with ours. */
function runPlainly(weights: Weights, config: TinyLlama, layers: number, tokens: readonly number[]) {
  const times = (name: string, x: readonly number[]) => {
    const { rows, cols, values } = weights[name]!;
    return Array.from({ length: rows }, (_, r) =>
      x.reduce((sum, value, c) => sum + values[r * cols + c]! * value, 0),
    );
  };
  const normalise = (name: string, x: readonly number[]) => {
    const square = x.reduce((sum, value) => sum + value * value, 0) / x.length;
    return x.map((value, i) => (value / Math.sqrt(square + config.epsilon)) * weights[name]!.values[i]!);
  };
  const add = (x: readonly number[], y: readonly number[]) => x.map((value, i) => value + y[i]!);
  const hidden = weights.norm!.cols;
  const dim = hidden / config.heads;
  // position p turns the pair (i, i + dim / 2) of a head as a complex number by p theta^(-2i / dim)
  const turn = (head: readonly number[], position: number) => {
    const out = [...head];
    for (let i = 0; i < dim / 2; i++) {
      const angle = position / config.ropeTheta ** ((2 * i) / dim);
      out[i] = head[i]! * Math.cos(angle) - head[i + dim / 2]! * Math.sin(angle);
      out[i + dim / 2] = head[i]! * Math.sin(angle) + head[i + dim / 2]! * Math.cos(angle);
    }
    return out;
  };
  const headOf = (x: readonly number[], head: number) => x.slice(head * dim, (head + 1) * dim);
  let stream = tokens.map((token) =>
    Array.from(weights.embed_tokens!.values.subarray(token * hidden, (token + 1) * hidden)),
  );
  for (let layer = 0; layer < layers; layer++) {
    const at = `layers.${layer}`;
    const entering = stream.map((x) => normalise(`${at}.input_layernorm`, x));
    const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
      entering.map((x) => times(`${at}.self_attn.${name}`, x)),
    ) as [number[][], number[][], number[][]];
    const mixed = stream.map((_, now) =>
      Array.from({ length: config.heads }, (_, head) => {
        const served = Math.floor((head * config.kvHeads) / config.heads);
        const asked = turn(headOf(q[now]!, head), now);
        const weightsOf = Array.from({ length: now + 1 }, (_, then) => {
          const key = turn(headOf(k[then]!, served), then);
          return Math.exp(asked.reduce((sum, x, i) => sum + x * key[i]!, 0) / Math.sqrt(dim));
        });
        const total = weightsOf.reduce((a, b) => a + b, 0);
        return Array.from({ length: dim }, (_, i) =>
          weightsOf.reduce((sum, w, then) => sum + (w / total) * headOf(v[then]!, served)[i]!, 0),
        );
      }).flat(),
    );
    stream = stream.map((x, i) => add(x, times(`${at}.self_attn.o_proj`, mixed[i]!)));
    stream = stream.map((x) => {
      const inner = normalise(`${at}.post_attention_layernorm`, x);
      const up = times(`${at}.mlp.up_proj`, inner);
      const gated = times(`${at}.mlp.gate_proj`, inner).map((g, i) => (g / (1 + Math.exp(-g))) * up[i]!);
      return add(x, times(`${at}.mlp.down_proj`, gated));
    });
  }
  return stream.map((x) => normalise('norm', x));
}

const TOKENS = [
  [1, 5, 3, 7, 0],
  [2, 2, 9, 10, 4],
];

describe.each([
  { name: 'grouped queries', heads: 4, kvHeads: 2, ropeTheta: 10_000, layers: 2 },
  { name: 'one key head for all', heads: 4, kvHeads: 1, ropeTheta: 500, layers: 1 },
  { name: 'a key head each, three layers', heads: 2, kvHeads: 2, ropeTheta: 10_000, layers: 3 },
])('a Llama with $name', ({ heads, kvHeads, ropeTheta, layers }) => {
  const config: TinyLlama = { heads, kvHeads, ropeTheta, epsilon: 1e-5 };
  const weights = drawWeights(config, 16, layers, 4);
  const run = (tokens: readonly (readonly number[])[]) =>
    createTinyLlama(config)
      .features(
        tf,
        toParams(weights),
        tf.tensor2d(tokens.flat(), [tokens.length, tokens[0]!.length], 'int32'),
      )
      .arraySync() as number[][];

  it('says what a plain implementation says', () => {
    const plain = TOKENS.flatMap((tokens) => runPlainly(weights, config, layers, tokens));
    const found = run(TOKENS);
    expect(found.length).toBe(plain.length);
    plain.forEach((row, i) => {
      for (const [d, x] of row.entries()) expect(found[i]![d]).toBeCloseTo(x, 4);
    });
  });

  it('reads from left to right: a later token changes nothing before it', () => {
    const [one, other] = [run([[4, 2, 1]]), run([[4, 2, 9]])];
    expect(other.slice(0, 2)).toEqual(one.slice(0, 2));
    expect(other[2]).not.toEqual(one[2]);
  });
});
