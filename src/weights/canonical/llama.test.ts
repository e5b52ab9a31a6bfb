import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlainTensor } from '../plain-tensor.ts';
import { fromGgufLlamaName, fromHfLlamaName, fromMetaLlamaName, rotaryProjectionOf } from './llama.ts';
import { layerOf, roleOf } from './roles.ts';
import { createInterleavedRowMap } from './rows.ts';
import { createCanonicalTensor, toCanonicalShape } from './tensor.ts';

describe('fromHfLlamaName', () => {
  it.each([
    ['model.layers.3.self_attn.q_proj.weight', 'model.layers.3.self_attn.q_proj.weight'],
    ['module.model.layers.3.mlp.up_proj.weight', 'model.layers.3.mlp.up_proj.weight'],
    ['_orig_mod.model.layers.3.mlp.up_proj.weight', 'model.layers.3.mlp.up_proj.weight'],
    ['model.layers.3._orig_mod.mlp.up_proj.weight', 'model.layers.3.mlp.up_proj.weight'],
    [
      '_fsdp_wrapped_module.model.layers.0._checkpoint_wrapped_module.input_layernorm.weight',
      'model.layers.0.input_layernorm.weight',
    ],
    ['layers.0.self_attn.k_proj.bias', 'model.layers.0.self_attn.k_proj.bias'],
    ['embed_tokens.weight', 'model.embed_tokens.weight'],
    ['language_model.model.layers.11.self_attn.o_proj.weight', 'model.layers.11.self_attn.o_proj.weight'],
    ['model.language_model.embed_tokens.weight', 'model.embed_tokens.weight'],
    ['language_model.lm_head.weight', 'lm_head.weight'],
    ['base_model.model.model.norm.weight', 'model.norm.weight'],
    ['model.layers.0.self_attn.rotary_emb.inv_freq', null],
    ['model.rotary_emb.inv_freq', null],
    ['vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight', null],
    ['model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight', null],
    ['v_head.summary.weight', null],
    ['score.weight', null],
    ['model.layers.007.mlp.up_proj.weight', null],
    ['model.layers.99999.mlp.up_proj.weight', null],
  ])('%s -> %s', (name, canonical) => {
    expect(fromHfLlamaName(name)).toBe(canonical);
  });
});

describe('names of other containers', () => {
  it.each([
    ['blk.7.attn_q.weight', 'layers.7.attention.wq.weight', 'model.layers.7.self_attn.q_proj.weight'],
    ['blk.7.attn_k.weight', 'layers.7.attention.wk.weight', 'model.layers.7.self_attn.k_proj.weight'],
    ['blk.7.attn_v.weight', 'layers.7.attention.wv.weight', 'model.layers.7.self_attn.v_proj.weight'],
    ['blk.7.attn_output.weight', 'layers.7.attention.wo.weight', 'model.layers.7.self_attn.o_proj.weight'],
    ['blk.7.ffn_gate.weight', 'layers.7.feed_forward.w1.weight', 'model.layers.7.mlp.gate_proj.weight'],
    ['blk.7.ffn_down.weight', 'layers.7.feed_forward.w2.weight', 'model.layers.7.mlp.down_proj.weight'],
    ['blk.7.ffn_up.weight', 'layers.7.feed_forward.w3.weight', 'model.layers.7.mlp.up_proj.weight'],
    ['blk.7.attn_norm.weight', 'layers.7.attention_norm.weight', 'model.layers.7.input_layernorm.weight'],
    ['blk.7.ffn_norm.weight', 'layers.7.ffn_norm.weight', 'model.layers.7.post_attention_layernorm.weight'],
    ['token_embd.weight', 'tok_embeddings.weight', 'model.embed_tokens.weight'],
    ['output_norm.weight', 'norm.weight', 'model.norm.weight'],
    ['output.weight', 'output.weight', 'lm_head.weight'],
  ])('%s and %s are %s', (gguf, meta, canonical) => {
    expect(fromGgufLlamaName(gguf)).toBe(canonical);
    expect(fromMetaLlamaName(meta)).toBe(canonical);
  });

  it.each([
    'rope_freqs.weight',
    'rope.freqs',
    'blk.0.ffn_gate_exps.weight',
    'blk.0.constructor.weight',
    'toString.weight',
  ])('%s is no part of a dense Llama', (name) => {
    expect(fromGgufLlamaName(name)).toBeNull();
    expect(fromMetaLlamaName(name)).toBeNull();
  });
});

describe('roles and layers', () => {
  it.each([
    ['model.layers.12.self_attn.q_proj.weight', 'self_attn.q_proj.weight', 12],
    ['model.embed_tokens.weight', 'model.embed_tokens.weight', null],
    ['lm_head.weight', 'lm_head.weight', null],
    [
      'down_blocks.1.attentions.0.transformer_blocks.3.attn2.to_k.weight',
      'down_blocks.attentions.transformer_blocks.attn2.to_k.weight',
      null,
    ],
    [
      'mid_block.attentions.0.transformer_blocks.0.ff.net.2.bias',
      'mid_block.attentions.transformer_blocks.ff.net.2.bias',
      null,
    ],
    [
      'mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.weight',
      'mid_block.attentions.transformer_blocks.attn1.to_out.0.weight',
      null,
    ],
    ['up_blocks.2.upsamplers.0.conv.weight', 'up_blocks.upsamplers.conv.weight', null],
  ])('%s', (name, role, layer) => {
    expect(roleOf(name)).toBe(role);
    expect(layerOf(name)).toBe(layer);
  });
});

describe('createInterleavedRowMap', () => {
  /** llama.cpp: `w.reshape(heads, 2, rows / heads / 2).swapaxes(1, 2).reshape(rows)`, as canonical row of each file row. */
  const permute = (rows: number, heads: number): number[] => {
    const half = rows / heads / 2;
    const order: number[] = [];
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < half; i++) for (let j = 0; j < 2; j++) order.push(head * 2 * half + j * half + i);
    }
    return order;
  };

  it('is the inverse view of llama.cpp permute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 8 }), (heads, half) => {
        const rows = heads * half * 2;
        const toFileRow = createInterleavedRowMap(rows, heads);
        const canonicalAt = permute(rows, heads);
        for (let row = 0; row < rows; row++) expect(canonicalAt[toFileRow(row)]).toBe(row);
      }),
    );
  });

  it.each([
    [10, 3],
    [6, 2],
    [8, 0],
  ])('refuses %i rows in %i heads', (rows, heads) => {
    expect(() => createInterleavedRowMap(rows, heads)).toThrow(
      expect.objectContaining({ code: 'ShapeInvalid' }),
    );
  });

  it('concerns the weights and biases of q and k alone', () => {
    expect(rotaryProjectionOf('model.layers.0.self_attn.q_proj.bias')).toBe('q');
    expect(rotaryProjectionOf('model.layers.0.self_attn.k_proj.weight')).toBe('k');
    expect(rotaryProjectionOf('model.layers.0.self_attn.v_proj.weight')).toBeNull();
    expect(rotaryProjectionOf('model.layers.0.self_attn.q_norm.weight')).toBeNull();
  });
});

describe('createCanonicalTensor', () => {
  const raw = (shape: number[]) =>
    createPlainTensor({ name: 'x', shape, dtype: 'U8', file: 'f', offset: 100 });

  it('drops the trailing ones of a 1x1 convolution only', () => {
    expect(toCanonicalShape([4, 6, 1, 1])).toEqual([4, 6]);
    expect(toCanonicalShape([4, 6, 3, 3])).toEqual([4, 6, 3, 3]);
    expect(createCanonicalTensor(raw([4, 6, 3, 3]), 'conv_in.weight')).toMatchObject({ rows: 4, cols: 54 });
  });

  it('finds a row where the map says it lies', () => {
    const tensor = createCanonicalTensor(raw([4, 3]), 'q', { rowMap: createInterleavedRowMap(4, 1) });
    expect(tensor.segmentRanges(1, 1, 2)).toEqual([{ file: 'f', offset: 100 + 2 * 3 + 1, length: 2 }]);
  });

  it('permutes the elements of a bias', () => {
    const tensor = createCanonicalTensor(raw([4]), 'q', { rowMap: createInterleavedRowMap(4, 1) });
    expect(tensor.segmentRanges(0, 1, 2)).toEqual([{ file: 'f', offset: 100, length: 4 }]);
    expect([...tensor.decodeSegment([Uint8Array.of(10, 11, 12, 13)], 0, 1, 2)]).toEqual([12, 11]);
  });

  it.each([
    [-1, 0, 1],
    [4, 0, 1],
    [0, 0, 0],
    [0, 2, 2],
    [0, -1, 1],
    [0, 0.5, 1],
    [Number.NaN, 0, 1],
  ])('refuses the segment %d, %d, %d', (row, col, count) => {
    const tensor = createCanonicalTensor(raw([4, 3]), 'x');
    expect(() => tensor.segmentRanges(row, col, count)).toThrow(
      expect.objectContaining({ code: 'OffsetInvalid' }),
    );
  });
});
