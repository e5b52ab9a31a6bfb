import type { DType } from '../../types/weights.ts';
import type { TensorToWrite } from '../safetensors/write.ts';

/** A fixed stream of numbers in (-1, 1) that differ from each other: mulberry32. */
export function createValues(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

export function fill(shape: readonly number[], next: () => number): Float32Array {
  return Float32Array.from({ length: shape.reduce((product, dim) => product * dim, 1) }, next);
}

export interface LlamaShape {
  vocab: number;
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  kvHeads: number;
}

export const TINY_LLAMA: LlamaShape = {
  vocab: 10,
  hidden: 8,
  intermediate: 12,
  layers: 2,
  heads: 2,
  kvHeads: 1,
};

/** Names and shapes of an HF Llama, in the order of the layers. */
export function listLlama(shape: LlamaShape): { name: string; shape: number[] }[] {
  const { vocab, hidden, intermediate, layers, heads, kvHeads } = shape;
  const kv = (hidden / heads) * kvHeads;
  const blocks = Array.from({ length: layers }, (_, layer) =>
    Object.entries({
      'self_attn.q_proj': [hidden, hidden],
      'self_attn.k_proj': [kv, hidden],
      'self_attn.v_proj': [kv, hidden],
      'self_attn.o_proj': [hidden, hidden],
      'mlp.gate_proj': [intermediate, hidden],
      'mlp.up_proj': [intermediate, hidden],
      'mlp.down_proj': [hidden, intermediate],
      input_layernorm: [hidden],
      post_attention_layernorm: [hidden],
    }).map(([part, dims]) => ({ name: `model.layers.${layer}.${part}.weight`, shape: dims })),
  );
  return [
    { name: 'model.embed_tokens.weight', shape: [vocab, hidden] },
    ...blocks.flat(),
    { name: 'model.norm.weight', shape: [hidden] },
    { name: 'lm_head.weight', shape: [vocab, hidden] },
  ];
}

/** A tiny Llama with values that F16 and BF16 both hold exactly (multiples of 1/128). */
export function createLlama(shape: LlamaShape = TINY_LLAMA, dtype: DType = 'F32', seed = 1): TensorToWrite[] {
  const next = createValues(seed);
  const coarse = () => Math.round(next() * 127) / 128;
  return listLlama(shape).map((tensor) => ({ ...tensor, dtype, data: fill(tensor.shape, coarse) }));
}
