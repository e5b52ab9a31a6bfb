import type { CanonicalTensor, ModelWidths } from '../types/weights.ts';
import { layerOf } from './canonical/index.ts';
import { type KnownFacts, readCount } from './facts.ts';

export const NO_WIDTHS: ModelWidths = {
  hidden: null,
  intermediate: null,
  heads: null,
  kvHeads: null,
  headDim: null,
  layers: null,
  vocab: null,
  crossAttention: null,
};

/** The value that occurs most often; the smallest of equals. Null for none. */
export function mostCommon(values: Iterable<number>): number | null {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return ranked[0]?.[0] ?? null;
}

/**
 * Widths of a Llama, read off the shapes. Shapes do not tell how q's rows divide into heads, so head counts come from the config
 * where one is known, fit the shapes, and are null otherwise.
 */
export function summariseLlamaWidths(
  tensors: readonly CanonicalTensor[],
  config: KnownFacts['config'],
  absentNames: readonly string[] = [],
): ModelWidths {
  const shapesOf = (role: string) =>
    tensors.filter((tensor) => tensor.role === role).map((tensor) => tensor.shape);
  const rowsOf = (role: string) => mostCommon(shapesOf(role).map((shape) => shape[0] ?? 0));
  const embedding = shapesOf('model.embed_tokens.weight')[0] ?? shapesOf('lm_head.weight')[0];
  const hidden = embedding?.[1] ?? rowsOf('input_layernorm.weight') ?? rowsOf('model.norm.weight');
  const qRows = rowsOf('self_attn.q_proj.weight');
  const kRows = rowsOf('self_attn.k_proj.weight');
  const heads = readCount(config, 'num_attention_heads', 'n_heads');
  const headDim = heads !== null && qRows !== null && qRows % heads === 0 ? qRows / heads : null;
  const kvHeads = headDim !== null && kRows !== null && kRows % headDim === 0 ? kRows / headDim : null;
  // Layers of missing shards count: a model with a hole in it is not a pruned model.
  const layers = new Set(
    [...tensors.map((tensor) => tensor.layer), ...absentNames.map(layerOf)].filter((layer) => layer !== null),
  );
  return {
    ...NO_WIDTHS,
    hidden,
    intermediate: rowsOf('mlp.gate_proj.weight') ?? rowsOf('mlp.up_proj.weight'),
    heads: headDim === null ? null : heads,
    kvHeads,
    headDim,
    layers: layers.size || null,
    vocab: embedding?.[0] ?? null,
  };
}

/** Widths of a UNet: channels of its outermost level, and the width of the text it attends to. */
export function summariseUnetWidths(tensors: readonly CanonicalTensor[]): ModelWidths {
  const convIn = tensors.find((tensor) => tensor.name === 'conv_in.weight');
  const cross = tensors
    .filter((tensor) => tensor.name.endsWith('.attn2.to_k.weight'))
    .map((tensor) => tensor.cols);
  return { ...NO_WIDTHS, hidden: convIn?.rows ?? null, crossAttention: mostCommon(cross) };
}

/** Number of values, and the number format most of them are in (a scheme's name where there is one). */
export function summariseValues(tensors: readonly CanonicalTensor[]): {
  params: number;
  dtype: string;
  quantized: boolean;
} {
  const byFormat = new Map<string, number>();
  let params = 0;
  let quantized = false;
  for (const tensor of tensors) {
    const count = tensor.rows * tensor.cols;
    const format = tensor.encoding === 'plain' ? tensor.dtype : tensor.encoding;
    byFormat.set(format, (byFormat.get(format) ?? 0) + count);
    params += count;
    if (tensor.encoding !== 'plain') quantized = true;
  }
  const ranked = [...byFormat].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return { params, dtype: ranked[0]?.[0] ?? 'F32', quantized };
}

/** sha256 of the components beside the UNet, as facts: `file.vae.sha256`, `file.text_encoder.sha256`, ... */
export function describeComponents(
  listing: readonly { path: string; sha256: string | null }[],
): Record<string, string> {
  const found: Record<string, string> = {};
  const sorted = [...listing].sort((a, b) => rankOf(a.path) - rankOf(b.path) || (a.path < b.path ? -1 : 1));
  for (const { path, sha256 } of sorted) {
    const match = /^(vae|text_encoder(?:_\d)?|safety_checker)\/[^/]+\.(?:safetensors|bin)$/.exec(path);
    if (match === null || sha256 === null) continue;
    found[`file.${match[1]}.sha256`] ??= sha256;
  }
  return found;
}

/** Plain safetensors name the component before variants and pickles do. */
function rankOf(path: string): number {
  return (path.endsWith('.safetensors') ? 0 : 2) + (/\.\w+\.(?:safetensors|bin)$/.test(path) ? 1 : 0);
}
