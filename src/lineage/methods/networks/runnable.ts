import type { Tensor } from '@tensorflow/tfjs';
import type { Tensorflow } from '../learned/index.ts';

/** Parameters of a network by name. */
export type Params = Readonly<Record<string, Tensor>>;

/** A network that can be run: what a layer says to a batch, as [rows, width], differentiable in its parameters. */
export interface RunnableNetwork {
  features(tf: Tensorflow, params: Params, batch: Tensor): Tensor;
}

/** `layers.<i>.weight` [out, in] and `layers.<i>.bias` [out]; ReLU between layers. Features are what enters the last layer, the head. */
export function createDenseNetwork(layers: number): RunnableNetwork {
  return {
    features: (_tf, params, batch) => {
      let x = batch;
      for (let i = 0; i < layers - 1; i++) x = dense(params, `layers.${i}`, x).relu();
      return x;
    },
  };
}

/**
 * 3 x 3 convolutions `convs.<i>.weight` [out, 3 x 3 x in] with `bias`, valid padding, ReLU; features are the mean over places.
 * Batches are [n, height, width, channels]. Written with shifted slices and matrix products, because the WebAssembly backend has no
 * gradient of a convolution's filter.
 */
export function createConvNetwork(layers: number): RunnableNetwork {
  return {
    features: (tf, params, batch) => {
      let x = batch;
      for (let i = 0; i < layers; i++) {
        const [n = 0, h = 0, w = 0, c = 0] = x.shape;
        const shifted = [0, 1, 2].flatMap((dy) =>
          [0, 1, 2].map((dx) => x.slice([0, dy, dx, 0], [n, h - 2, w - 2, c])),
        );
        const patches = tf.concat(shifted, 3).reshape([n * (h - 2) * (w - 2), 9 * c]);
        const out = dense(params, `convs.${i}`, patches).relu();
        x = out.reshape([n, h - 2, w - 2, out.shape[1] ?? 0]);
      }
      return x.mean([1, 2]);
    },
  };
}

export interface TinyLlama {
  layers: number;
  heads: number;
  kvHeads: number;
  vocab: number;
  /** `rms_norm_eps` */
  epsilon: number;
  ropeTheta: number;
}

/** A Llama under its Hugging Face names; a batch is [n, tokens] of token ids (int32). Features are the last hidden states, a row a token. */
export function createTinyLlama(config: TinyLlama): RunnableNetwork {
  return {
    features: (tf, params, batch) => {
      const [n = 0, length = 0] = batch.shape;
      const get = (name: string) => params[`model.${name}.weight`]!;
      const rmsNorm = (x: Tensor, name: string) =>
        x.mul(x.square().mean(-1, true).add(config.epsilon).rsqrt()).mul(get(name));
      const linear = (x: Tensor, name: string) => tf.matMul(x, get(name), false, true);
      // a product with one-hot rows instead of a gather, whose gradient the WebAssembly backend lacks
      const ids = tf.oneHot(batch.flatten().toInt(), config.vocab).toFloat();
      let x: Tensor = tf.matMul(ids, get('embed_tokens'));
      const rotation = rotations(
        tf,
        config,
        length,
        get('layers.0.self_attn.q_proj').shape[0]! / config.heads,
      );
      const mask = tf.linalg
        .bandPart(tf.ones([length, length]), -1, 0)
        .sub(1)
        .mul(1e9);
      for (let layer = 0; layer < config.layers; layer++) {
        const at = `layers.${layer}`;
        const entering = rmsNorm(x, `${at}.input_layernorm`);
        const split = (name: string, heads: number) => {
          const y = linear(entering, `${at}.self_attn.${name}`);
          return y.reshape([n, length, heads, y.shape[1]! / heads]).transpose([0, 2, 1, 3]);
        };
        const repeat = (y: Tensor) => repeatHeads(tf, y, config.heads / config.kvHeads);
        const q = rotate(tf, split('q_proj', config.heads), rotation);
        const k = repeat(rotate(tf, split('k_proj', config.kvHeads), rotation));
        const v = repeat(split('v_proj', config.kvHeads));
        const scores = tf.matMul(q, k, false, true).div(Math.sqrt(q.shape[3]!)).add(mask);
        const mixed = tf
          .matMul(tf.softmax(scores), v)
          .transpose([0, 2, 1, 3])
          .reshape([n * length, -1]);
        x = x.add(linear(mixed, `${at}.self_attn.o_proj`));
        const inner = rmsNorm(x, `${at}.post_attention_layernorm`);
        const gate = linear(inner, `${at}.mlp.gate_proj`);
        const gated = gate.mul(gate.sigmoid()).mul(linear(inner, `${at}.mlp.up_proj`));
        x = x.add(linear(gated, `${at}.mlp.down_proj`));
      }
      return rmsNorm(x, 'norm');
    },
  };
}

function dense(params: Params, name: string, x: Tensor): Tensor {
  return x.matMul(params[`${name}.weight`]!, false, true).add(params[`${name}.bias`]!);
}

function rotations(tf: Tensorflow, { ropeTheta }: TinyLlama, length: number, headDim: number) {
  const frequencies = Array.from({ length: headDim / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headDim));
  const angles = tf.tensor2d(
    Array.from({ length }, (_, position) => [...frequencies, ...frequencies].map((f) => f * position)),
  );
  return { cos: angles.cos(), sin: angles.sin() };
}

/** Halves as Hugging Face pairs them: (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin). */
function rotate(tf: Tensorflow, x: Tensor, { cos, sin }: { cos: Tensor; sin: Tensor }): Tensor {
  const [first, second] = tf.split(x, 2, 3) as [Tensor, Tensor];
  return x.mul(cos).add(tf.concat([second.neg(), first], 3).mul(sin));
}

/** Each key and value head serves `times` neighbouring query heads. */
function repeatHeads(tf: Tensorflow, x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const [n = 0, heads = 0, length = 0, dim = 0] = x.shape;
  return tf.stack(new Array<Tensor>(times).fill(x), 2).reshape([n, heads * times, length, dim]);
}
