import type { VirtualShape } from './model.ts';
import type { TensorSpec } from './tensor-spec.ts';

export interface LlamaShape {
  hidden: number;
  intermediate: number;
  heads: number;
  kvHeads: number;
  layers: number;
  vocab: number;
  tied: boolean;
  ropeTheta: number;
  context: number;
}

/** Published shapes: Llama 3.2 1B, Llama 2 7B, Llama 3.1 8B and 70B; `tiny` is small enough to read whole in tests. */
export const LLAMA_SHAPES: Partial<Record<VirtualShape, LlamaShape>> = {
  'llama-tiny': {
    hidden: 64,
    intermediate: 192,
    heads: 4,
    kvHeads: 2,
    layers: 3,
    vocab: 320,
    tied: false,
    ropeTheta: 1e4,
    context: 2048,
  },
  'llama-1b': {
    hidden: 2048,
    intermediate: 8192,
    heads: 32,
    kvHeads: 8,
    layers: 16,
    vocab: 128256,
    tied: true,
    ropeTheta: 5e5,
    context: 131072,
  },
  'llama-7b': {
    hidden: 4096,
    intermediate: 11008,
    heads: 32,
    kvHeads: 32,
    layers: 32,
    vocab: 32000,
    tied: false,
    ropeTheta: 1e4,
    context: 4096,
  },
  'llama-8b': {
    hidden: 4096,
    intermediate: 14336,
    heads: 32,
    kvHeads: 8,
    layers: 32,
    vocab: 128256,
    tied: false,
    ropeTheta: 5e5,
    context: 131072,
  },
  'llama-70b': {
    hidden: 8192,
    intermediate: 28672,
    heads: 64,
    kvHeads: 8,
    layers: 80,
    vocab: 128256,
    tied: false,
    ropeTheta: 5e5,
    context: 131072,
  },
};

/** Tensors in the order a checkpoint lists them. */
export function llamaTensors(shape: LlamaShape): TensorSpec[] {
  const { hidden, intermediate, heads, kvHeads, vocab } = shape;
  const headDim = hidden / heads;
  const matrix = (
    name: string,
    rows: number,
    cols: number,
    ggufName: string,
    permutedHeads?: number,
  ): TensorSpec => ({
    name,
    shape: [rows, cols],
    kind: 'matrix',
    ggufName,
    ...(permutedHeads === undefined ? {} : { permutedHeads }),
  });
  const norm = (name: string, ggufName: string): TensorSpec => ({
    name,
    shape: [hidden],
    kind: 'norm',
    ggufName,
  });
  const tensors = [matrix('model.embed_tokens.weight', vocab, hidden, 'token_embd.weight')];
  for (let n = 0; n < shape.layers; n++) {
    const hf = `model.layers.${n}.`;
    const gguf = `blk.${n}.`;
    tensors.push(
      matrix(`${hf}self_attn.q_proj.weight`, hidden, hidden, `${gguf}attn_q.weight`, heads),
      matrix(`${hf}self_attn.k_proj.weight`, kvHeads * headDim, hidden, `${gguf}attn_k.weight`, kvHeads),
      matrix(`${hf}self_attn.v_proj.weight`, kvHeads * headDim, hidden, `${gguf}attn_v.weight`),
      matrix(`${hf}self_attn.o_proj.weight`, hidden, hidden, `${gguf}attn_output.weight`),
      matrix(`${hf}mlp.gate_proj.weight`, intermediate, hidden, `${gguf}ffn_gate.weight`),
      matrix(`${hf}mlp.up_proj.weight`, intermediate, hidden, `${gguf}ffn_up.weight`),
      matrix(`${hf}mlp.down_proj.weight`, hidden, intermediate, `${gguf}ffn_down.weight`),
      norm(`${hf}input_layernorm.weight`, `${gguf}attn_norm.weight`),
      norm(`${hf}post_attention_layernorm.weight`, `${gguf}ffn_norm.weight`),
    );
  }
  tensors.push(norm('model.norm.weight', 'output_norm.weight'));
  if (!shape.tied) tensors.push(matrix('lm_head.weight', vocab, hidden, 'output.weight'));
  return tensors;
}

export function llamaConfig(shape: LlamaShape, torchDtype: string): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    hidden_act: 'silu',
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    max_position_embeddings: shape.context,
    model_type: 'llama',
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    num_key_value_heads: shape.kvHeads,
    rms_norm_eps: 1e-5,
    rope_theta: shape.ropeTheta,
    tie_word_embeddings: shape.tied,
    torch_dtype: torchDtype,
    vocab_size: shape.vocab,
  };
}
