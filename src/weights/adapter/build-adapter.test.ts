import { describe, expect, it } from 'vitest';
import { openModel } from '../open-model.ts';
import { writeSafetensors } from '../safetensors/write.ts';
import { createValues, fill } from '../testing/made-up-models.ts';
import { createMemoryRepo, readAll } from '../testing/memory-repo.ts';
import { fromLdmModule, unflattenModule } from './kohya-names.ts';

/** Tensors of these shapes with values that differ. */
function tensorsOf(shapes: Readonly<Record<string, number[]>>) {
  const next = createValues(3);
  return Object.entries(shapes).map(([name, shape]) => ({
    name,
    shape,
    dtype: 'F32' as const,
    data: fill(shape, next),
  }));
}

const asJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('a PEFT adapter', () => {
  const prefix = 'base_model.model.model.layers.4.self_attn';
  const shapes = {
    [`${prefix}.q_proj.lora_A.weight`]: [4, 16],
    [`${prefix}.q_proj.lora_B.weight`]: [16, 4],
    [`${prefix}.v_proj.lora_A.weight`]: [4, 16],
    [`${prefix}.v_proj.lora_B.weight`]: [8, 4],
    'base_model.model.model.layers.4.mlp.down_proj.lora_A.weight': [4, 40],
    'base_model.model.model.layers.4.mlp.down_proj.lora_B.weight': [16, 4],
    'base_model.model.lm_head.weight': [10, 16],
  };
  const config = {
    peft_type: 'LORA',
    base_model_name_or_path: 'some/base',
    r: 4,
    lora_alpha: 8,
    target_modules: ['q_proj', 'v_proj', 'down_proj'],
    bias: 'none',
  };

  it('tells rank, alpha, targets and the shapes of what it changes', async () => {
    const repo = createMemoryRepo({
      'adapter_config.json': asJson(config),
      'adapter_model.safetensors': writeSafetensors(tensorsOf(shapes)),
    });
    const weights = await openModel(repo);
    expect(weights).toMatchObject({
      family: 'llama',
      kind: 'adapter',
      format: 'peft',
      widths: { hidden: 16, intermediate: 40, layers: null },
      adapter: {
        type: 'peft',
        rank: 4,
        alpha: 8,
        targets: ['mlp.down_proj', 'self_attn.q_proj', 'self_attn.v_proj'],
        targetShapes: {
          'model.layers.4.self_attn.q_proj.weight': [16, 16],
          'model.layers.4.self_attn.v_proj.weight': [8, 16],
          'model.layers.4.mlp.down_proj.weight': [16, 40],
        },
      },
      metadata: {
        'adapter.base_model_name_or_path': 'some/base',
        'adapter.target_modules': '["q_proj","v_proj","down_proj"]',
      },
    });
    expect(new Set(weights.tensors.map(({ role }) => role))).toEqual(new Set(['lora']));
    expect(weights.notes.join()).toContain("1 tensors beside the adapter's factors");
    const factor = weights.tensors.find(({ name }) => name === `${prefix}.v_proj.lora_B.weight`);
    expect(factor && (await readAll(repo, factor))).toEqual(tensorsOf(shapes)[3]?.data);
  });

  it.each<[string, Uint8Array]>([
    ['no JSON', new TextEncoder().encode('{')],
    ['no object', asJson([1])],
    ['a huge file', new Uint8Array(2_000_000)],
  ])('does without a config that is %s', async (_what, bytes) => {
    const repo = createMemoryRepo({
      'adapter_config.json': bytes,
      'adapter_model.safetensors': writeSafetensors(tensorsOf(shapes)),
    });
    const weights = await openModel(repo);
    expect(weights.adapter).toMatchObject({ rank: 4, alpha: null });
    expect(weights.notes).toContain('adapter_config.json could not be read');
  });

  it('reads adapters with a name of their own, embeddings and DoRA magnitudes', async () => {
    const repo = createMemoryRepo({
      'adapter_model.safetensors': writeSafetensors(
        tensorsOf({
          [`${prefix}.o_proj.lora_A.chat.weight`]: [2, 16],
          [`${prefix}.o_proj.lora_B.chat.weight`]: [16, 2],
          [`${prefix}.o_proj.lora_magnitude_vector.chat.weight`]: [16],
          'base_model.model.model.embed_tokens.lora_embedding_A': [2, 50],
          'base_model.model.model.embed_tokens.lora_embedding_B': [16, 2],
        }),
      ),
    });
    expect((await openModel(repo)).adapter).toMatchObject({
      rank: 2,
      targets: ['model.embed_tokens', 'self_attn.o_proj'],
      targetShapes: {
        'model.layers.4.self_attn.o_proj.weight': [16, 16],
        'model.embed_tokens.weight': [16, 50],
      },
    });
  });

  it('refuses an adapter of another architecture', async () => {
    const file = writeSafetensors(
      tensorsOf({
        'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight': [2, 16],
        'base_model.model.transformer.h.0.attn.c_attn.lora_B.weight': [48, 2],
      }),
    );
    await expect(openModel(createMemoryRepo({ 'adapter_model.safetensors': file }))).rejects.toMatchObject({
      code: 'ArchitectureUnsupported',
    });
  });
});

describe('Stable Diffusion adapters', () => {
  const attention = 'down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k';

  it('reads kohya files: alpha from the metadata, the base by its hash', async () => {
    const tensors = tensorsOf({
      [`lora_unet_${attention}.lora_down.weight`]: [8, 24],
      [`lora_unet_${attention}.lora_up.weight`]: [16, 8],
      [`lora_unet_${attention}.alpha`]: [],
      'lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight': [8, 12],
      'lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight': [12, 8],
    });
    const repo = createMemoryRepo({
      'style.safetensors': writeSafetensors(tensors, {
        ss_network_alpha: '4.0',
        ss_new_sd_model_hash: 'ab'.repeat(32),
      }),
    });
    const weights = await openModel(repo);
    expect(weights).toMatchObject({
      family: 'stable-diffusion',
      kind: 'adapter',
      format: 'kohya',
      widths: { crossAttention: 24 },
      metadata: { ss_new_sd_model_hash: 'ab'.repeat(32) },
      adapter: {
        type: 'kohya',
        rank: 8,
        alpha: 4,
        targets: ['down_blocks.attentions.transformer_blocks.attn2.to_k'],
        targetShapes: { 'down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight': [16, 24] },
      },
    });
    expect(weights.notes.join()).toContain('1 modules of the text encoder');
    expect(repo.asked.ranges).toHaveLength(1);
  });

  it('reads one alpha from the file when the metadata does not tell', async () => {
    const tensors = tensorsOf({
      [`lora_unet_${attention}.lora_down.weight`]: [8, 24],
      [`lora_unet_${attention}.lora_up.weight`]: [16, 8],
    });
    const alpha = {
      name: `lora_unet_${attention}.alpha`,
      dtype: 'F16' as const,
      shape: [],
      data: Float32Array.of(2.5),
    };
    const repo = createMemoryRepo({ 'a.safetensors': writeSafetensors([...tensors, alpha]) });
    expect((await openModel(repo)).adapter?.alpha).toBe(2.5);
    expect(repo.asked.ranges.at(-1)).toMatchObject({ length: 2 });
  });

  it.each<[string, Record<string, number[]>, string, [number, number]]>([
    [
      'kohya for SDXL, LDM names',
      {
        'lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_out_0.lora_down.weight': [2, 6],
        'lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_out_0.lora_up.weight': [5, 2],
      },
      'down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_out.0.weight',
      [5, 6],
    ],
    [
      'a kohya convolution',
      {
        'lora_unet_up_blocks_0_resnets_1_conv1.lora_down.weight': [2, 6, 3, 3],
        'lora_unet_up_blocks_0_resnets_1_conv1.lora_up.weight': [5, 2, 1, 1],
      },
      'up_blocks.0.resnets.1.conv1.weight',
      [5, 6],
    ],
    [
      'diffusers, PEFT style',
      {
        'unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight': [2, 6],
        'unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.weight': [5, 2],
      },
      'mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight',
      [5, 6],
    ],
    [
      'diffusers, old processors',
      {
        'unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.down.weight': [2, 6],
        'unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.up.weight': [5, 2],
      },
      'mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.weight',
      [5, 6],
    ],
    [
      'LoHa',
      Object.fromEntries(
        [
          ['hada_w1_a', [5, 2]],
          ['hada_w1_b', [2, 6]],
          ['hada_w2_a', [5, 2]],
          ['hada_w2_b', [2, 6]],
        ].map(([part, shape]) => [`lora_unet_mid_block_attentions_0_proj_in.${part}`, shape as number[]]),
      ),
      'mid_block.attentions.0.proj_in.weight',
      [5, 6],
    ],
    [
      'LoKr',
      {
        'lora_unet_mid_block_attentions_0_proj_in.lokr_w1': [5, 3],
        'lora_unet_mid_block_attentions_0_proj_in.lokr_w2_a': [4, 2],
        'lora_unet_mid_block_attentions_0_proj_in.lokr_w2_b': [2, 7],
      },
      'mid_block.attentions.0.proj_in.weight',
      [20, 21],
    ],
  ])('reads %s', async (_what, shapes, target, shape) => {
    const weights = await openModel(
      createMemoryRepo({ 'x.safetensors': writeSafetensors(tensorsOf(shapes)) }),
    );
    expect(weights.kind).toBe('adapter');
    expect(weights.family).toBe('stable-diffusion');
    expect(weights.adapter).toMatchObject({ rank: 2, targetShapes: { [target]: shape } });
  });
});

describe('names kohya flattened', () => {
  it('gives up on names no module has, instead of taking long over them', () => {
    expect(unflattenModule('to_'.repeat(100))).toBeNull();
  });

  it.each([
    [
      'down_blocks_0_attentions_1_transformer_blocks_0_ff_net_0_proj',
      'down_blocks.0.attentions.1.transformer_blocks.0.ff.net.0.proj',
    ],
    ['mid_block_attentions_0_proj_in', 'mid_block.attentions.0.proj_in'],
    ['up_blocks_1_upsamplers_0_conv', 'up_blocks.1.upsamplers.0.conv'],
    ['down_blocks_0_resnets_0_time_emb_proj', 'down_blocks.0.resnets.0.time_emb_proj'],
    ['conv_in', 'conv_in'],
    ['time_embedding_linear_2', 'time_embedding.linear_2'],
    ['', ''],
  ])('%s', (flat, dotted) => {
    expect(unflattenModule(flat)).toBe(dotted);
  });

  it.each([
    ['input_blocks.8.1.proj_in', 'down_blocks.2.attentions.1.proj_in'],
    ['output_blocks.5.1.proj_out', 'up_blocks.1.attentions.2.proj_out'],
    ['output_blocks.2.2.conv', 'up_blocks.0.upsamplers.0.conv'],
    ['input_blocks.3.0.op', 'down_blocks.0.downsamplers.0.conv'],
    ['middle_block.2.in_layers.2', 'mid_block.resnets.1.conv1'],
    ['label_emb.0.2', 'add_embedding.linear_2'],
    ['text_model.x', null],
    ['input_blocks.4.0.in_layers.9', null],
  ])('%s -> %s', (ldm, diffusers) => {
    expect(fromLdmModule(ldm)).toBe(diffusers);
  });
});
