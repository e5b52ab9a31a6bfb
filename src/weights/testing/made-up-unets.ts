import type { TensorToWrite } from '../safetensors/write.ts';
import { createValues, fill } from './made-up-models.ts';

/** A UNet's plan: per level (outermost first) how many transformer blocks its attentions have, 0 for none. */
export interface UnetPlan {
  depths: readonly number[];
  layersPerBlock: number;
  /** transformer blocks of the middle's attention, 0 for none */
  middleDepth: number;
  /** a second conditioning embedding, as SDXL's */
  addEmbedding: boolean;
}

const RESNET: readonly [string, string][] = [
  ['in_layers.0', 'norm1'],
  ['in_layers.2', 'conv1'],
  ['emb_layers.1', 'time_emb_proj'],
  ['out_layers.0', 'norm2'],
  ['out_layers.3', 'conv2'],
  ['skip_connection', 'conv_shortcut'],
];

/**
 * LDM and diffusers names of the same UNet side by side, numbered by the formulas of diffusers' conversion scripts
 * (`input_blocks.{3i+j+1}` and so on, 3 being layers per block + 1): independent of how the reader finds its way.
 */
export function listUnetNames(plan: UnetPlan): { ldm: string; diffusers: string }[] {
  const pairs: [string, string][] = [
    ['time_embed.0', 'time_embedding.linear_1'],
    ['time_embed.2', 'time_embedding.linear_2'],
    ['input_blocks.0.0', 'conv_in'],
    ['out.0', 'conv_norm_out'],
    ['out.2', 'conv_out'],
  ];
  if (plan.addEmbedding) {
    pairs.push(['label_emb.0.0', 'add_embedding.linear_1'], ['label_emb.0.2', 'add_embedding.linear_2']);
  }
  const resnet = (ldm: string, diffusers: string) => {
    for (const [a, b] of RESNET) pairs.push([`${ldm}.${a}`, `${diffusers}.${b}`]);
  };
  const attention = (ldm: string, diffusers: string, depth: number) => {
    const same = ['norm', 'proj_in', 'proj_out'];
    for (let k = 0; k < depth; k++) {
      for (const part of [
        'attn1.to_q',
        'attn1.to_out.0',
        'attn2.to_k',
        'ff.net.0.proj',
        'ff.net.2',
        'norm3',
      ]) {
        same.push(`transformer_blocks.${k}.${part}`);
      }
    }
    for (const part of same) pairs.push([`${ldm}.${part}`, `${diffusers}.${part}`]);
  };
  const { depths, layersPerBlock: layers } = plan;
  const step = layers + 1;
  const last = depths.length - 1;
  for (const [i, depth] of depths.entries()) {
    for (let j = 0; j < layers; j++) {
      resnet(`input_blocks.${step * i + j + 1}.0`, `down_blocks.${i}.resnets.${j}`);
      if (depth > 0)
        attention(`input_blocks.${step * i + j + 1}.1`, `down_blocks.${i}.attentions.${j}`, depth);
    }
    if (i < last) pairs.push([`input_blocks.${step * (i + 1)}.0.op`, `down_blocks.${i}.downsamplers.0.conv`]);
    const depthUp = depths[last - i] ?? 0;
    for (let j = 0; j <= layers; j++) {
      resnet(`output_blocks.${step * i + j}.0`, `up_blocks.${i}.resnets.${j}`);
      if (depthUp > 0)
        attention(`output_blocks.${step * i + j}.1`, `up_blocks.${i}.attentions.${j}`, depthUp);
    }
    const slot = depthUp > 0 ? 2 : 1;
    if (i < last)
      pairs.push([`output_blocks.${step * i + layers}.${slot}.conv`, `up_blocks.${i}.upsamplers.0.conv`]);
  }
  resnet('middle_block.0', 'mid_block.resnets.0');
  if (plan.middleDepth > 0) attention('middle_block.1', 'mid_block.attentions.0', plan.middleDepth);
  resnet(`middle_block.${plan.middleDepth > 0 ? 2 : 1}`, 'mid_block.resnets.1');
  return pairs.flatMap(([ldm, diffusers]) =>
    ['weight', 'bias'].map((leaf) => ({ ldm: `${ldm}.${leaf}`, diffusers: `${diffusers}.${leaf}` })),
  );
}

export const SMALL_UNET: UnetPlan = { depths: [0, 2], layersPerBlock: 1, middleDepth: 2, addEmbedding: true };

/** The same tiny UNet under both names; every tensor's values are its own. */
export function createUnet(plan: UnetPlan = SMALL_UNET): {
  ldm: TensorToWrite[];
  diffusers: TensorToWrite[];
} {
  const next = createValues(7);
  const tensors = listUnetNames(plan).map((names) => {
    const shape = shapeOf(names.diffusers);
    return { names, shape, data: fill(shape, () => Math.round(next() * 127) / 128) };
  });
  const under = (naming: 'ldm' | 'diffusers', prefix: string): TensorToWrite[] =>
    tensors.map(({ names, shape, data }) => ({ name: prefix + names[naming], dtype: 'F32', shape, data }));
  return { ldm: under('ldm', 'model.diffusion_model.'), diffusers: under('diffusers', '') };
}

function shapeOf(name: string): number[] {
  if (name.endsWith('.bias') || /norm\w*\.weight$/.test(name)) return [4];
  if (/proj_(?:in|out)\.weight$|conv_shortcut/.test(name)) return [4, 4, 1, 1];
  if (/conv/.test(name)) return [4, 4, 3, 3];
  return name.includes('attn2.to_k') ? [4, 6] : [4, 4];
}
