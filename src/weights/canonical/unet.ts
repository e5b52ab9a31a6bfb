import { HublineageError } from '../../types/errors.ts';

/** LDM name of a residual block's part -> diffusers name. */
const RESNET_PARTS: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  'emb_layers.1': 'time_emb_proj',
  skip_connection: 'conv_shortcut',
};
const TOP_PARTS: Readonly<Record<string, string>> = {
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'input_blocks.0.0': 'conv_in',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
};

type Part = 'resnet' | 'attention' | 'downsample' | 'upsample';

/** What stands at `<group>.<block>.<slot>`, read off the keys below it. */
function partOf(keys: ReadonlySet<string>): Part | null {
  if (keys.has('in_layers')) return 'resnet';
  if (keys.has('transformer_blocks') || keys.has('proj_in')) return 'attention';
  if (keys.has('op')) return 'downsample';
  if (keys.has('conv')) return 'upsample';
  return null;
}

/** group -> block -> slot -> first key components below it */
function collectSlots(names: Iterable<string>, group: string): Map<number, Map<number, Set<string>>> {
  const blocks = new Map<number, Map<number, Set<string>>>();
  const pattern = new RegExp(`^${group}\\.(\\d{1,3})\\.(\\d{1,2})\\.([^.]+)`);
  for (const name of names) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const block = Number(match[1]);
    const slot = Number(match[2]);
    const slots = blocks.get(block) ?? new Map<number, Set<string>>();
    blocks.set(block, slots);
    slots.set(slot, (slots.get(slot) ?? new Set()).add(match[3] as string));
  }
  return blocks;
}

/**
 * Stems of an LDM UNet (`input_blocks.4.1`) -> diffusers stems (`down_blocks.1.attentions.0`), for any number of levels, layers a
 * level and transformer depths: a level of the encoder ends with its downsampler, one of the decoder with its upsampler, so the
 * structure is read off the keys (diffusers' `convert_diffusers_to_original_*` scripts hold the same map as constants).
 */
function mapStems(names: readonly string[]): Map<string, { stem: string; part: Part }> {
  const stems = new Map<string, { stem: string; part: Part }>();
  const walk = (group: 'input_blocks' | 'output_blocks', target: string, first: number) => {
    const blocks = collectSlots(names, group);
    let level = 0;
    let resnets = 0;
    let attentions = 0;
    for (const block of [...blocks.keys()].sort((a, b) => a - b)) {
      if (block < first) continue;
      let ends = false;
      const slots = blocks.get(block) as Map<number, Set<string>>;
      for (const slot of [...slots.keys()].sort((a, b) => a - b)) {
        const part = partOf(slots.get(slot) as Set<string>);
        const from = `${group}.${block}.${slot}`;
        const prefix = `${target}.${level}`;
        if (part === 'resnet') stems.set(from, { stem: `${prefix}.resnets.${resnets++}`, part });
        else if (part === 'attention')
          stems.set(from, { stem: `${prefix}.attentions.${attentions++}`, part });
        else if (part !== null) {
          const name = part === 'downsample' ? 'downsamplers' : 'upsamplers';
          stems.set(from, { stem: `${prefix}.${name}.0`, part });
          ends = true;
        }
      }
      if (ends) {
        level++;
        resnets = 0;
        attentions = 0;
      }
    }
  };
  walk('input_blocks', 'down_blocks', 1);
  walk('output_blocks', 'up_blocks', 0);
  let resnets = 0;
  let attentions = 0;
  const middle = collectSlots(
    names
      .filter((name) => name.startsWith('middle_block.'))
      .map((name) => `middle_block.0.${name.slice(13)}`),
    'middle_block',
  ).get(0);
  for (const slot of [...(middle?.keys() ?? [])].sort((a, b) => a - b)) {
    const part = partOf(middle?.get(slot) as Set<string>);
    if (part === 'resnet')
      stems.set(`middle_block.${slot}`, { stem: `mid_block.resnets.${resnets++}`, part });
    if (part === 'attention')
      stems.set(`middle_block.${slot}`, { stem: `mid_block.attentions.${attentions++}`, part });
  }
  return stems;
}

/**
 * LDM UNet names (without `model.diffusion_model.`) -> diffusers names; names it does not know are missing from the answer.
 * Needs all names at once, because the numbering depends on them.
 */
export function fromLdmUnetNames(names: readonly string[]): Map<string, string> {
  const stems = mapStems(names);
  const mapped = new Map<string, string>();
  for (const name of names) {
    const canonical = mapName(name, stems);
    if (canonical !== null) mapped.set(name, canonical);
  }
  if (new Set(mapped.values()).size !== mapped.size) {
    throw new HublineageError('ArchitectureUnsupported', 'two tensors of the UNet have the same place');
  }
  return mapped;
}

function mapName(name: string, stems: ReadonlyMap<string, { stem: string; part: Part }>): string | null {
  const leafAt = name.lastIndexOf('.');
  const leaf = name.slice(leafAt + 1);
  const body = name.slice(0, leafAt);
  if (Object.hasOwn(TOP_PARTS, body)) return `${TOP_PARTS[body]}.${leaf}`;
  const match = /^((?:input_blocks|output_blocks)\.\d+\.\d+|middle_block\.\d+)\.(.+)$/.exec(body);
  const target = match === null ? undefined : stems.get(match[1] as string);
  if (match === null || target === undefined) return null;
  const inner = match[2] as string;
  if (target.part === 'resnet') {
    return Object.hasOwn(RESNET_PARTS, inner) ? `${target.stem}.${RESNET_PARTS[inner]}.${leaf}` : null;
  }
  if (target.part === 'attention') return `${target.stem}.${inner}.${leaf}`;
  return inner === 'op' || inner === 'conv' ? `${target.stem}.conv.${leaf}` : null;
}

/** Names of attention parts before diffusers 0.18 -> now. */
const OLD_ATTENTION: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/** Canonical name of a diffusers UNet tensor (old attention names renewed), or null when it is not a part of the UNet. */
export function fromDiffusersUnetName(name: string): string | null {
  const bare = name.replace(/^(?:module|_orig_mod)\./, '').replace(/^unet\./, '');
  if (
    !/^(?:conv_in|conv_out|conv_norm_out|time_embedding|add_embedding|class_embedding|time_proj|encoder_hid_proj|down_blocks|mid_block|up_blocks)\./.test(
      bare,
    )
  ) {
    return null;
  }
  if (/\.(?:processor|lora|lora_[A-Za-z]+)\./.test(bare)) return null;
  return bare.replace(
    /(\.attentions\.\d+\.)(query|key|value|proj_attn)(?=\.)/,
    (_, before: string, part: string) => before + OLD_ATTENTION[part],
  );
}
