import type { Tensor } from '@tensorflow/tfjs';
import type { Tensorflow } from '../learned/index.ts';
import { createProduct, swapLastAxes } from '../learned/tf-layers.ts';
import type { Params, RunnableNetwork } from './runnable.ts';

export interface TinyLlama {
  heads: number;
  /** key and value heads; each serves `heads / kvHeads` neighbouring query heads */
  kvHeads: number;
  /** `rms_norm_eps` */
  epsilon: number;
  ropeTheta: number;
}

/**
 * A Llama under its Hugging Face names; a batch is [n, tokens] of token ids (int32). Features are the last hidden states, a row a token:
 * what enters the head. Depth and vocabulary are read off the parameters, so one network runs a model and what was made from it by
 * repeating or dropping layers. RMSNorm, rotary positions (Su et al. 2021), grouped queries (Ainslie et al. 2023), SwiGLU (Shazeer 2020).
 */
export function createTinyLlama(config: TinyLlama): RunnableNetwork {
  return {
    features: (tf, params, batch) => {
      const product = createProduct(tf);
      const [n = 0, length = 0] = batch.shape;
      const get = (name: string) => params[`model.${name}.weight`]!;
      const rmsNorm = (x: Tensor, name: string) =>
        x.mul(x.square().mean(-1, true).add(config.epsilon).rsqrt()).mul(get(name));
      const linear = (x: Tensor, name: string) => product(x, tf.transpose(get(name)));
      // a product with one-hot rows instead of a gather, whose gradient the WebAssembly backend lacks
      const embeddings = get('embed_tokens');
      const ids = tf.oneHot(batch.flatten().toInt(), embeddings.shape[0]!).toFloat();
      let x: Tensor = product(ids, embeddings);
      const rotation = rotations(
        tf,
        config,
        length,
        get('layers.0.self_attn.q_proj').shape[0]! / config.heads,
      );
      const served = config.heads / config.kvHeads;
      const causal = tf.linalg.bandPart(tf.ones([length, length]), -1, 0);
      const mask = causal.sub(1).mul(1e9).tile([served, 1]);
      for (let layer = 0; layer < countLayers(params); layer++) {
        const at = `layers.${layer}`;
        const entering = rmsNorm(x, `${at}.input_layernorm`);
        const split = (name: string, heads: number) => {
          const y = linear(entering, `${at}.self_attn.${name}`);
          return y.reshape([n, length, heads, y.shape[1]! / heads]).transpose([0, 2, 1, 3]);
        };
        const q = rotate(tf, split('q_proj', config.heads), rotation);
        const k = rotate(tf, split('k_proj', config.kvHeads), rotation);
        // the query heads one key head serves are neighbours: their rows go through one product
        const grouped = q.reshape([n, config.kvHeads, served * length, -1]);
        const scores = product(grouped, swapLastAxes(tf, k)).div(Math.sqrt(q.shape[3]!)).add(mask);
        const mixed = product(tf.softmax(scores), split('v_proj', config.kvHeads))
          .reshape([n, config.heads, length, -1])
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

/** Layers from 0 up, without a gap. */
function countLayers(params: Params): number {
  let layers = 0;
  while (params[`model.layers.${layers}.input_layernorm.weight`]) layers++;
  return layers;
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
