/** Names and shapes of real models' tensors, as transformers and diffusers store them. */
export type NamedShape = readonly [name: string, shape: readonly number[]];

export interface LlamaShape {
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  kvHeads: number;
  vocab: number;
  tied?: boolean;
}

export const LLAMA_7B: LlamaShape = {
  hidden: 4096,
  intermediate: 11_008,
  layers: 32,
  heads: 32,
  kvHeads: 32,
  vocab: 32_000,
};
export const LLAMA_8B: LlamaShape = {
  hidden: 4096,
  intermediate: 14_336,
  layers: 32,
  heads: 32,
  kvHeads: 8,
  vocab: 128_256,
};
export const LLAMA_70B: LlamaShape = {
  hidden: 8192,
  intermediate: 28_672,
  layers: 80,
  heads: 64,
  kvHeads: 8,
  vocab: 32_000,
};

export function llamaTensors(shape: LlamaShape): NamedShape[] {
  const { hidden, intermediate, vocab } = shape;
  const kv = (hidden / shape.heads) * shape.kvHeads;
  const layer = (i: number): NamedShape[] =>
    (
      [
        ['self_attn.q_proj', [hidden, hidden]],
        ['self_attn.k_proj', [kv, hidden]],
        ['self_attn.v_proj', [kv, hidden]],
        ['self_attn.o_proj', [hidden, hidden]],
        ['mlp.gate_proj', [intermediate, hidden]],
        ['mlp.up_proj', [intermediate, hidden]],
        ['mlp.down_proj', [hidden, intermediate]],
        ['input_layernorm', [hidden]],
        ['post_attention_layernorm', [hidden]],
      ] as const
    ).map(([name, dims]) => [`model.layers.${i}.${name}.weight`, dims]);
  return [
    ['model.embed_tokens.weight', [vocab, hidden]],
    ...Array.from({ length: shape.layers }, (_, i) => layer(i)).flat(),
    ['model.norm.weight', [hidden]],
    ...(shape.tied ? [] : ([['lm_head.weight', [vocab, hidden]]] as const)),
  ];
}

export interface UnetShape {
  channels: readonly number[];
  layersPerBlock: number;
  /** transformer blocks in each attention of a level; 0 = a level without attention */
  depths: readonly number[];
  crossAttention: number;
  inChannels: number;
  /** width of SDXL's added conditioning, or null */
  addition: number | null;
}

export const SD15: UnetShape = {
  channels: [320, 640, 1280, 1280],
  layersPerBlock: 2,
  depths: [1, 1, 1, 0],
  crossAttention: 768,
  inChannels: 4,
  addition: null,
};
export const SDXL: UnetShape = {
  channels: [320, 640, 1280],
  layersPerBlock: 2,
  depths: [0, 2, 10],
  crossAttention: 2048,
  inChannels: 4,
  addition: 2816,
};

/** UNet2DConditionModel's state dict (SD 1 keeps proj_in as 1x1 convolutions; canonically they are matrices). */
export function unetTensors(unet: UnetShape): NamedShape[] {
  const { channels, layersPerBlock, depths, crossAttention } = unet;
  const first = channels[0] as number;
  const last = channels.at(-1) as number;
  const time = 4 * first;
  const out: NamedShape[] = [];
  const linear = (name: string, rows: number, cols: number, bias = true) => {
    out.push([`${name}.weight`, [rows, cols]]);
    if (bias) out.push([`${name}.bias`, [rows]]);
  };
  const conv = (name: string, rows: number, cols: number, size = 3) => {
    out.push(
      [`${name}.weight`, size === 1 ? [rows, cols] : [rows, cols, size, size]],
      [`${name}.bias`, [rows]],
    );
  };
  const norm = (name: string, width: number) => {
    out.push([`${name}.weight`, [width]], [`${name}.bias`, [width]]);
  };
  const resnet = (name: string, from: number, to: number) => {
    norm(`${name}.norm1`, from);
    conv(`${name}.conv1`, to, from);
    linear(`${name}.time_emb_proj`, to, time);
    norm(`${name}.norm2`, to);
    conv(`${name}.conv2`, to, to);
    if (from !== to) conv(`${name}.conv_shortcut`, to, from, 1);
  };
  const attention = (name: string, width: number, depth: number) => {
    norm(`${name}.norm`, width);
    linear(`${name}.proj_in`, width, width);
    for (let i = 0; i < depth; i++) {
      const block = `${name}.transformer_blocks.${i}`;
      for (const n of [1, 2, 3]) norm(`${block}.norm${n}`, width);
      for (const [kind, context] of [
        ['attn1', width],
        ['attn2', crossAttention],
      ] as const) {
        linear(`${block}.${kind}.to_q`, width, width, false);
        linear(`${block}.${kind}.to_k`, width, context, false);
        linear(`${block}.${kind}.to_v`, width, context, false);
        linear(`${block}.${kind}.to_out.0`, width, width);
      }
      linear(`${block}.ff.net.0.proj`, 8 * width, width);
      linear(`${block}.ff.net.2`, width, 4 * width);
    }
    linear(`${name}.proj_out`, width, width);
  };
  conv('conv_in', first, unet.inChannels);
  linear('time_embedding.linear_1', time, first);
  linear('time_embedding.linear_2', time, time);
  if (unet.addition !== null) {
    linear('add_embedding.linear_1', time, unet.addition);
    linear('add_embedding.linear_2', time, time);
  }
  const skips = [first];
  let width = first;
  channels.forEach((to, level) => {
    for (let i = 0; i < layersPerBlock; i++) {
      resnet(`down_blocks.${level}.resnets.${i}`, width, to);
      width = to;
      const depth = depths[level] as number;
      if (depth > 0) attention(`down_blocks.${level}.attentions.${i}`, to, depth);
      skips.push(to);
    }
    if (level < channels.length - 1) {
      conv(`down_blocks.${level}.downsamplers.0.conv`, to, to);
      skips.push(to);
    }
  });
  const middle = depths.at(-1) || 1;
  resnet('mid_block.resnets.0', last, last);
  attention('mid_block.attentions.0', last, middle);
  resnet('mid_block.resnets.1', last, last);
  channels.toReversed().forEach((to, level) => {
    const depth = depths.at(-1 - level) as number;
    for (let i = 0; i <= layersPerBlock; i++) {
      resnet(`up_blocks.${level}.resnets.${i}`, width + (skips.pop() as number), to);
      width = to;
      if (depth > 0) attention(`up_blocks.${level}.attentions.${i}`, to, depth);
    }
    if (level < channels.length - 1) conv(`up_blocks.${level}.upsamplers.0.conv`, to, to);
  });
  norm('conv_norm_out', first);
  conv('conv_out', unet.inChannels, first);
  return out;
}
