import { fromDiffusersUnetName, fromHfLlamaName, fromMetaLlamaName } from './canonical/index.ts';

/** How a set of tensor names is laid out; `unknown` carries what it looks like. */
export type Naming =
  | { kind: 'llama-hf' }
  | { kind: 'llama-meta' }
  | { kind: 'unet-diffusers' }
  | { kind: 'unet-ldm'; prefix: string }
  | { kind: 'lora' }
  | { kind: 'unknown'; looksLike: string };

const LORA =
  /(?:^|\.)lora_(?:A|B|down|up|mid|embedding_A|embedding_B)(?:\.|$)|\.(?:hada_w\d_[ab]|lokr_w\d(?:_[ab])?|oft_blocks|to_[qkv]_lora\.|processor\.[a-z_]*lora)|\.lora\.(?:up|down)\./;

/** Tells a model from its tensor names alone: cards and tags are often wrong. */
export function recogniseNaming(names: readonly string[]): Naming {
  const some = (test: (name: string) => boolean) => names.some(test);
  if (some((name) => name.startsWith('model.diffusion_model.input_blocks.'))) {
    return { kind: 'unet-ldm', prefix: 'model.diffusion_model.' };
  }
  if (some((name) => name.startsWith('model.diffusion_model.'))) {
    return { kind: 'unknown', looksLike: 'a diffusion model without a UNet (SD 3, Flux, ...)' };
  }
  if (some((name) => /^control_model\.|controlnet_/.test(name)))
    return { kind: 'unknown', looksLike: 'a ControlNet' };
  if (
    some((name) => name === 'input_blocks.0.0.weight') &&
    some((name) => name.startsWith('output_blocks.'))
  ) {
    return { kind: 'unet-ldm', prefix: '' };
  }
  if (isDiffusersUnet(names)) return { kind: 'unet-diffusers' };
  const attention = (name: string | null) =>
    name !== null && /^model\.layers\.\d+\.self_attn\.[qkvo]_proj\./.test(name);
  const loraShare = names.filter((name) => LORA.test(name)).length / Math.max(names.length, 1);
  if (loraShare > 0.3) return { kind: 'lora' };
  if (some((name) => attention(fromHfLlamaName(name)))) return { kind: 'llama-hf' };
  if (some((name) => attention(fromMetaLlamaName(name)))) return { kind: 'llama-meta' };
  return { kind: 'unknown', looksLike: lookAlike(names) };
}

function isDiffusersUnet(names: readonly string[]): boolean {
  const canonical = names.map(fromDiffusersUnetName).filter((name) => name !== null);
  return ['conv_in.', 'down_blocks.', 'mid_block.', 'up_blocks.'].every((start) =>
    canonical.some((name) => name.startsWith(start)),
  );
}

const LOOKS: readonly [RegExp, string][] = [
  [
    /^(?:transformer\.)?(?:joint_blocks|double_blocks|transformer_blocks|single_blocks)\./,
    'a diffusion transformer (SD 3, Flux, ...)',
  ],
  [/^(?:encoder|decoder)\.(?:conv_in|down|mid_block|up)/, 'a VAE'],
  [/^(?:text_model|cond_stage_model)\./, 'a text encoder'],
  [/^(?:transformer\.)?h\.\d+\./, 'a GPT-2 or Falcon style model'],
  [/^gpt_neox\./, 'a GPT-NeoX model'],
  [/\.query_key_value\.|qkv_proj|Wqkv/, 'a model with fused attention weights'],
  [/^(?:bert|roberta|deberta|distilbert)\./, 'a BERT-like encoder'],
];

function lookAlike(names: readonly string[]): string {
  for (const [pattern, what] of LOOKS) if (names.some((name) => pattern.test(name))) return what;
  return names.length === 0
    ? 'nothing'
    : `something else (${names
        .slice(0, 2)
        .map((name) => name.slice(0, 80))
        .join(', ')}, ...)`;
}
