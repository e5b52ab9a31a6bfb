/** Path components that wrappers (DDP, torch.compile, FSDP, activation checkpointing) put into names. */
const WRAPPERS = new Set([
  'module',
  '_orig_mod',
  '_fsdp_wrapped_module',
  '_checkpoint_wrapped_module',
  '_forward_module',
]);

/** Prefixes before the language model itself: repeated `model.`, vision-language containers, PEFT's own. */
const PREFIX = /^(?:(?:base_model|language_model|model)\.)+/;

const IN_BLOCK = /^layers\.(0|[1-9]\d{0,3})\.(.+)$/;

/**
 * Canonical (HF Llama) name of a tensor named the transformers way, or null when it is not part of the language model proper
 * (rotary tables, vision towers, value heads). Parameters of packed schemes keep their suffix (`….q_proj.qweight`).
 */
export function fromHfLlamaName(name: string): string | null {
  const unwrapped = name
    .split('.')
    .filter((part) => !WRAPPERS.has(part))
    .join('.');
  const bare = unwrapped.replace(PREFIX, '');
  if (/^lm_head\./.test(bare)) return bare;
  if (/^(?:embed_tokens|norm)\./.test(bare)) return `model.${bare}`;
  const block = IN_BLOCK.exec(bare);
  if (block === null) return null;
  const [, layer, rest] = block as unknown as [string, string, string];
  if (/rotary_emb|(?:^|\.)(?:lora_|masked_bias)/.test(rest)) return null;
  if (
    !/^(?:self_attn|mlp|block_sparse_moe|input_layernorm|post_attention_layernorm|pre_feedforward_layernorm|post_feedforward_layernorm)\./.test(
      rest,
    )
  ) {
    return null;
  }
  return `model.layers.${layer}.${rest}`;
}

/** GGUF's block names and Meta's, each with its HF counterpart; `.weight`, `.bias` follow. */
const GGUF_BLOCK: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_gate: 'mlp.gate_proj',
  ffn_down: 'mlp.down_proj',
  ffn_up: 'mlp.up_proj',
};
const META_BLOCK: Readonly<Record<string, string>> = {
  attention_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  'attention.wq': 'self_attn.q_proj',
  'attention.wk': 'self_attn.k_proj',
  'attention.wv': 'self_attn.v_proj',
  'attention.wo': 'self_attn.o_proj',
  'feed_forward.w1': 'mlp.gate_proj',
  'feed_forward.w2': 'mlp.down_proj',
  'feed_forward.w3': 'mlp.up_proj',
};
const GGUF_TOP: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
};
const META_TOP: Readonly<Record<string, string>> = {
  tok_embeddings: 'model.embed_tokens',
  norm: 'model.norm',
  output: 'lm_head',
};

function translate(
  name: string,
  blockPattern: RegExp,
  blocks: Readonly<Record<string, string>>,
  tops: Readonly<Record<string, string>>,
): string | null {
  const parts = /^(.+)\.(weight|bias)$/.exec(name);
  if (parts === null) return null;
  const [, stem, leaf] = parts as unknown as [string, string, string];
  const block = blockPattern.exec(stem);
  if (block !== null) {
    const [, layer, inner] = block as unknown as [string, string, string];
    return Object.hasOwn(blocks, inner) ? `model.layers.${layer}.${blocks[inner]}.${leaf}` : null;
  }
  return Object.hasOwn(tops, stem) ? `${tops[stem]}.${leaf}` : null;
}

/** Canonical name of a GGUF tensor of a Llama model, or null. Rows of q_proj and k_proj are interleaved: see `rotaryProjectionOf`. */
export function fromGgufLlamaName(name: string): string | null {
  return translate(name, /^blk\.(0|[1-9]\d{0,3})\.(.+)$/, GGUF_BLOCK, GGUF_TOP);
}

/** Canonical name of a tensor of Meta's own checkpoints (`consolidated.*`), or null. q/k rows are interleaved as in GGUF. */
export function fromMetaLlamaName(name: string): string | null {
  return translate(name, /^layers\.(0|[1-9]\d{0,3})\.(.+)$/, META_BLOCK, META_TOP);
}

/** `q` or `k` for the two projections whose rows GGUF and Meta interleave (biases too), else null. */
export function rotaryProjectionOf(canonicalName: string): 'q' | 'k' | null {
  const match = /\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(canonicalName);
  return match === null ? null : (match[1] as 'q' | 'k');
}
