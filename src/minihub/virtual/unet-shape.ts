import type { VirtualShape } from './model.ts';
import type { TensorSpec } from './tensor-spec.ts';

export interface UnetShape {
  channels: readonly number[];
  /** transformer layers by resolution; 0 = no attention there */
  depths: readonly number[];
  crossAttention: number;
  /** proj_in and proj_out as 1x1 convolutions (SD 1) or linear (SD 2, XL) */
  convProjection: boolean;
  /** width of the added time and size embedding; null without (SD 1, 2) */
  addEmbedding: number | null;
  pipeline: string;
}

export const UNET_SHAPES: Partial<Record<VirtualShape, UnetShape>> = {
  'sd-tiny': {
    channels: [32, 64],
    depths: [1, 1],
    crossAttention: 32,
    convProjection: true,
    addEmbedding: null,
    pipeline: 'StableDiffusionPipeline',
  },
  'sd-1.5': {
    channels: [320, 640, 1280, 1280],
    depths: [1, 1, 1, 0],
    crossAttention: 768,
    convProjection: true,
    addEmbedding: null,
    pipeline: 'StableDiffusionPipeline',
  },
  sdxl: {
    channels: [320, 640, 1280],
    depths: [0, 2, 10],
    crossAttention: 2048,
    convProjection: false,
    addEmbedding: 2816,
    pipeline: 'StableDiffusionXLPipeline',
  },
};

const RESNETS_DOWN = 2;
const RESNETS_UP = 3;

/** Every UNet tensor under both of its names: diffusers' and LDM's (diffusers' conversion scripts hold the same table). */
export function unetTensors(shape: UnetShape): TensorSpec[] {
  const { channels, depths } = shape;
  const first = channels[0]!;
  const time = 4 * first;
  const levels = channels.length;
  const out: TensorSpec[] = [];
  const weight = (name: string, ldm: string, dims: readonly number[], bias = true) => {
    out.push({ name: `${name}.weight`, ldmName: `${ldm}.weight`, shape: dims, kind: 'matrix' });
    if (bias) out.push({ name: `${name}.bias`, ldmName: `${ldm}.bias`, shape: [dims[0]!], kind: 'bias' });
  };
  const norm = (name: string, ldm: string, width: number) => {
    out.push({ name: `${name}.weight`, ldmName: `${ldm}.weight`, shape: [width], kind: 'norm' });
    out.push({ name: `${name}.bias`, ldmName: `${ldm}.bias`, shape: [width], kind: 'bias' });
  };
  const resnet = (name: string, ldm: string, from: number, to: number) => {
    norm(`${name}.norm1`, `${ldm}.in_layers.0`, from);
    weight(`${name}.conv1`, `${ldm}.in_layers.2`, [to, from, 3, 3]);
    weight(`${name}.time_emb_proj`, `${ldm}.emb_layers.1`, [to, time]);
    norm(`${name}.norm2`, `${ldm}.out_layers.0`, to);
    weight(`${name}.conv2`, `${ldm}.out_layers.3`, [to, to, 3, 3]);
    if (from !== to) weight(`${name}.conv_shortcut`, `${ldm}.skip_connection`, [to, from, 1, 1]);
  };
  const attention = (name: string, ldm: string, width: number, depth: number) => {
    const projection = shape.convProjection ? [width, width, 1, 1] : [width, width];
    norm(`${name}.norm`, `${ldm}.norm`, width);
    weight(`${name}.proj_in`, `${ldm}.proj_in`, projection);
    for (let k = 0; k < depth; k++) {
      const both = (rest: string): [string, string] => [
        `${name}.transformer_blocks.${k}.${rest}`,
        `${ldm}.transformer_blocks.${k}.${rest}`,
      ];
      for (const [block, context] of [
        ['attn1', width],
        ['attn2', shape.crossAttention],
      ] as const) {
        weight(...both(`${block}.to_q`), [width, width], false);
        weight(...both(`${block}.to_k`), [width, context], false);
        weight(...both(`${block}.to_v`), [width, context], false);
        weight(...both(`${block}.to_out.0`), [width, width]);
      }
      weight(...both('ff.net.0.proj'), [8 * width, width]);
      weight(...both('ff.net.2'), [width, 4 * width]);
      for (const index of [1, 2, 3]) norm(...both(`norm${index}`), width);
    }
    weight(`${name}.proj_out`, `${ldm}.proj_out`, projection);
  };

  weight('time_embedding.linear_1', 'time_embed.0', [time, first]);
  weight('time_embedding.linear_2', 'time_embed.2', [time, time]);
  if (shape.addEmbedding !== null) {
    weight('add_embedding.linear_1', 'label_emb.0.0', [time, shape.addEmbedding]);
    weight('add_embedding.linear_2', 'label_emb.0.2', [time, time]);
  }
  weight('conv_in', 'input_blocks.0.0', [first, 4, 3, 3]);
  const skips = [first];
  let width = first;
  for (let i = 0; i < levels; i++) {
    const to = channels[i]!;
    for (let j = 0; j < RESNETS_DOWN; j++) {
      const ldm = `input_blocks.${(RESNETS_DOWN + 1) * i + j + 1}`;
      resnet(`down_blocks.${i}.resnets.${j}`, `${ldm}.0`, width, to);
      if (depths[i]! > 0) attention(`down_blocks.${i}.attentions.${j}`, `${ldm}.1`, to, depths[i]!);
      width = to;
      skips.push(to);
    }
    if (i < levels - 1) {
      weight(`down_blocks.${i}.downsamplers.0.conv`, `input_blocks.${3 * (i + 1)}.0.op`, [to, to, 3, 3]);
      skips.push(to);
    }
  }
  resnet('mid_block.resnets.0', 'middle_block.0', width, width);
  // SD 1's last level has no attention of its own, its middle block has one layer all the same
  attention('mid_block.attentions.0', 'middle_block.1', width, depths[levels - 1] || 1);
  resnet('mid_block.resnets.1', 'middle_block.2', width, width);
  for (let i = 0; i < levels; i++) {
    const level = levels - 1 - i;
    const to = channels[level]!;
    for (let j = 0; j < RESNETS_UP; j++) {
      const ldm = `output_blocks.${RESNETS_UP * i + j}`;
      resnet(`up_blocks.${i}.resnets.${j}`, `${ldm}.0`, width + skips.pop()!, to);
      if (depths[level]! > 0) attention(`up_blocks.${i}.attentions.${j}`, `${ldm}.1`, to, depths[level]!);
      width = to;
    }
    if (i < levels - 1) {
      const position = depths[level]! > 0 ? 2 : 1;
      weight(`up_blocks.${i}.upsamplers.0.conv`, `output_blocks.${RESNETS_UP * i + 2}.${position}.conv`, [
        to,
        to,
        3,
        3,
      ]);
    }
  }
  norm('conv_norm_out', 'out.0', first);
  weight('conv_out', 'out.2', [4, first, 3, 3]);
  return out;
}

/** A CLIP text encoder's real shapes, and enough of a VAE to have a file: nobody fine-tunes them here. */
export function sharedTensors(shape: UnetShape): { textEncoder: TensorSpec[]; vae: TensorSpec[] } {
  const tiny = shape.channels[0]! < 320;
  const width = tiny ? 32 : 768;
  const layers = tiny ? 1 : 12;
  const shared = (
    name: string,
    dims: readonly number[],
    kind: TensorSpec['kind'] = 'matrix',
  ): TensorSpec => ({
    name,
    shape: dims,
    kind,
    shared: true,
  });
  const textEncoder = [
    shared('text_model.embeddings.token_embedding.weight', [tiny ? 128 : 49408, width]),
    shared('text_model.embeddings.position_embedding.weight', [77, width]),
  ];
  for (let n = 0; n < layers; n++) {
    const at = `text_model.encoder.layers.${n}.`;
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) {
      textEncoder.push(
        shared(`${at}self_attn.${part}.weight`, [width, width]),
        shared(`${at}self_attn.${part}.bias`, [width], 'bias'),
      );
    }
    textEncoder.push(
      shared(`${at}mlp.fc1.weight`, [4 * width, width]),
      shared(`${at}mlp.fc2.weight`, [width, 4 * width]),
      shared(`${at}layer_norm1.weight`, [width], 'norm'),
      shared(`${at}layer_norm2.weight`, [width], 'norm'),
    );
  }
  textEncoder.push(shared('text_model.final_layer_norm.weight', [width], 'norm'));
  const inner = tiny ? 8 : 128;
  const vae = [
    shared('encoder.conv_in.weight', [inner, 3, 3, 3]),
    shared('encoder.conv_out.weight', [8, inner, 3, 3]),
    shared('decoder.conv_in.weight', [inner, 4, 3, 3]),
    shared('decoder.conv_out.weight', [3, inner, 3, 3]),
  ];
  return { textEncoder, vae };
}

export function unetConfig(shape: UnetShape): Record<string, unknown> {
  return {
    _class_name: 'UNet2DConditionModel',
    _diffusers_version: '0.30.0',
    block_out_channels: shape.channels,
    cross_attention_dim: shape.crossAttention,
    layers_per_block: RESNETS_DOWN,
    in_channels: 4,
    out_channels: 4,
    transformer_layers_per_block: shape.depths.map((depth) => depth || 1),
    use_linear_projection: !shape.convProjection,
    down_block_types: shape.depths.map((depth) => (depth > 0 ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: [...shape.depths]
      .reverse()
      .map((depth) => (depth > 0 ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
  };
}
