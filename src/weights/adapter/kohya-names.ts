/** Words of module paths that contain underscores themselves, longest first where one begins another. */
const WORDS = [
  'down_blocks',
  'up_blocks',
  'mid_block',
  'input_blocks',
  'output_blocks',
  'middle_block',
  'transformer_blocks',
  'time_emb_proj',
  'time_embedding',
  'add_embedding',
  'time_embed',
  'label_emb',
  'conv_norm_out',
  'conv_shortcut',
  'conv_in',
  'conv_out',
  'skip_connection',
  'in_layers',
  'out_layers',
  'emb_layers',
  'linear_1',
  'linear_2',
  'proj_in',
  'proj_out',
  'to_out',
  'to_q',
  'to_k',
  'to_v',
];

const TOKEN = new RegExp(`(?:${WORDS.join('|')})(?=_|$)|[^_]*`, 'y');
/** The longest module of a real UNet flattens to about 80 characters. */
const MAX_FLAT_CHARS = 256;

/**
 * `down_blocks_0_attentions_0_proj_in` -> `down_blocks.0.attentions.0.proj_in`: the dots kohya's scripts turned into underscores.
 * Null for what is far longer than any module's name.
 */
export function unflattenModule(flat: string): string | null {
  if (flat.length > MAX_FLAT_CHARS) return null;
  const parts: string[] = [];
  for (let at = 0; at <= flat.length; ) {
    TOKEN.lastIndex = at;
    const part = TOKEN.exec(flat)?.[0] ?? '';
    parts.push(part);
    at += part.length + 1;
  }
  return parts.join('.');
}

const RESNET_PARTS: Readonly<Record<string, string>> = {
  'in_layers.2': 'conv1',
  'out_layers.3': 'conv2',
  'emb_layers.1': 'time_emb_proj',
  skip_connection: 'conv_shortcut',
};
const TOP: Readonly<Record<string, string>> = {
  'input_blocks.0.0': 'conv_in',
  'out.2': 'conv_out',
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
};

/**
 * LDM module of an adapter -> diffusers module, or the module itself when it is named the diffusers way. An adapter touches some
 * blocks only, so the numbering cannot be read off its keys as a checkpoint's can; kohya uses LDM names for SDXL alone, whose levels
 * have two residual blocks going down and three going up.
 */
export function fromLdmModule(module: string): string | null {
  if (Object.hasOwn(TOP, module)) return TOP[module] ?? null;
  const middle = /^middle_block\.([012])\.(.+)$/.exec(module);
  if (middle !== null) {
    const [, slot, inner] = middle as unknown as [string, string, string];
    if (slot === '1') return `mid_block.attentions.0.${inner}`;
    return Object.hasOwn(RESNET_PARTS, inner)
      ? `mid_block.resnets.${Number(slot) / 2}.${RESNET_PARTS[inner]}`
      : null;
  }
  const block = /^(input|output)_blocks\.(\d{1,2})\.([012])\.(.+)$/.exec(module);
  if (block === null)
    return /^(?:down_blocks|up_blocks|mid_block|conv_in|conv_out|time_embedding|add_embedding)(?:\.|$)/.test(
      module,
    )
      ? module
      : null;
  const [, group, number, slot, inner] = block as unknown as [string, string, string, string, string];
  const place = group === 'input' ? Number(number) - 1 : Number(number);
  const stem = `${group === 'input' ? 'down_blocks' : 'up_blocks'}.${Math.floor(place / 3)}`;
  if (inner === 'op') return `${stem}.downsamplers.0.conv`;
  if (inner === 'conv') return `${stem}.upsamplers.0.conv`;
  if (slot === '0')
    return Object.hasOwn(RESNET_PARTS, inner) ? `${stem}.resnets.${place % 3}.${RESNET_PARTS[inner]}` : null;
  return `${stem}.attentions.${place % 3}.${inner}`;
}
