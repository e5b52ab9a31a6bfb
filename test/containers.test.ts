import { describe, expect, it } from 'vitest';
import { DEFAULT_SAMPLING, fingerprintModel, meterFiles } from '../src/fingerprint/index.ts';
import { HublineageError } from '../src/types/errors.ts';
import type { Fingerprint } from '../src/types/fingerprint.ts';
import type { RepoFiles } from '../src/types/hub.ts';
import type { DType } from '../src/types/weights.ts';
import { quantise, toBlockBytes } from '../src/weights/gguf/quantize.ts';
import { encodeValues, openModel, ROUND_TRIP, writeSafetensors } from '../src/weights/index.ts';
import { exactValue } from './lib/formula-model.ts';
import { createMemorySource } from './lib/memory-source.ts';
import { llamaTensors, type NamedShape, unetTensors } from './lib/real-shapes.ts';
import { GGUF, text, u32, writeGguf } from './lib/write-gguf.ts';
import { pickleStateDict, writeTorchLegacy, writeTorchZip } from './lib/write-torch.ts';

/** One model in every container must give one fingerprint: this is what lets a GGUF be compared with the .bin it was made from. */

type Files = Record<string, Uint8Array>;

const utf8 = (value: string) => new TextEncoder().encode(value);

function toRepo(files: Files): RepoFiles {
  const find = (path: string) => {
    const data = files[path];
    if (data === undefined) throw new HublineageError('FileMissing', `no ${path}`);
    return data;
  };
  return {
    label: 'test/model',
    list: async () =>
      Object.entries(files).map(([path, { length }]) => ({ path, size: length, oid: null, sha256: null })),
    open: async (path) => createMemorySource(find(path), path),
    readSmall: async (path) => find(path),
  };
}

async function fingerprintOf(files: Files): Promise<Fingerprint> {
  const metered = meterFiles(toRepo(files));
  return fingerprintModel(await openModel(metered), metered, DEFAULT_SAMPLING);
}

const LLAMA = { hidden: 64, intermediate: 160, layers: 2, heads: 4, kvHeads: 2, vocab: 280 };
const LLAMA_TENSORS = llamaTensors(LLAMA);
const LLAMA_CONFIG = utf8(
  JSON.stringify({
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: LLAMA.hidden,
    intermediate_size: LLAMA.intermediate,
    num_hidden_layers: LLAMA.layers,
    num_attention_heads: LLAMA.heads,
    num_key_value_heads: LLAMA.kvHeads,
    vocab_size: LLAMA.vocab,
  }),
);

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function valuesOf(name: string, shape: readonly number[]): Float32Array {
  const cols = shape.length < 2 ? product(shape) : product(shape.slice(1));
  return Float32Array.from({ length: product(shape) }, (_, i) =>
    exactValue(name, Math.floor(i / cols), i % cols),
  );
}

const toSafetensors = (tensors: readonly NamedShape[], dtype: DType, rename = (name: string) => name) =>
  writeSafetensors(
    tensors.map(([name, shape]) => ({ name: rename(name), shape, dtype, data: valuesOf(name, shape) })),
  );

const STORAGES = { F32: 'FloatStorage', F16: 'HalfStorage', BF16: 'BFloat16Storage' } as const;

function toTorch(
  tensors: readonly NamedShape[],
  dtype: keyof typeof STORAGES,
  options: { legacy?: boolean; wrapper?: string; rename?: (name: string) => string } = {},
): Uint8Array {
  const { legacy = false, rename = (name: string) => name, ...rest } = options;
  const specs = tensors.map(([name, shape], i) => ({
    name: rename(name),
    storage: STORAGES[dtype],
    key: String(i),
    count: product(shape),
    shape: [...shape],
  }));
  const storages = tensors.map(([name, shape], i) => ({
    key: String(i),
    count: product(shape),
    data: encodeValues(dtype, valuesOf(name, shape)),
  }));
  const pickle = pickleStateDict(specs, { legacy, ...rest });
  if (legacy) return writeTorchLegacy(pickle, storages);
  return writeTorchZip({
    entries: [
      { name: 'archive/data.pkl', data: pickle },
      ...storages.map(({ key, data }) => ({ name: `archive/data/${key}`, data })),
    ],
  });
}

/** Rows of q and k as llama.cpp's converter orders them: per head, halves interleaved. */
function interleave(values: Float32Array, rows: number, heads: number): Float32Array {
  const cols = values.length / rows;
  const headDim = rows / heads;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const inHead = row % headDim;
    const to = row - inHead + 2 * (inHead % (headDim / 2)) + Math.floor(inHead / (headDim / 2));
    out.set(values.subarray(row * cols, (row + 1) * cols), to * cols);
  }
  return out;
}

const rotaryHeads = (name: string) =>
  name.includes('q_proj') ? LLAMA.heads : name.includes('k_proj') ? LLAMA.kvHeads : null;

const GGUF_NAMES: readonly (readonly [string, string])[] = [
  ['model.embed_tokens', 'token_embd'],
  ['model.norm', 'output_norm'],
  ['lm_head', 'output'],
  ['model.layers', 'blk'],
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.o_proj', 'attn_output'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
  ['input_layernorm', 'attn_norm'],
  ['post_attention_layernorm', 'ffn_norm'],
];
const rename = (pairs: readonly (readonly [string, string])[]) => (name: string) =>
  pairs.reduce((result, [from, to]) => result.replace(from, to), name);

/** ggml's ids of tensor types. */
const TYPE_IDS = { F32: 0, F16: 1, BF16: 30, Q4_0: 2, Q4_1: 3, Q5_0: 6, Q5_1: 7, Q8_0: 8 } as const;
type GgufType = keyof typeof TYPE_IDS;

const encodeGguf = (type: GgufType, values: Float32Array): Uint8Array =>
  type === 'F32' || type === 'F16' || type === 'BF16'
    ? encodeValues(type, values)
    : toBlockBytes(quantise(values, type));

function toGguf(type: GgufType): Uint8Array {
  return writeGguf({
    keys: [
      text('general.architecture', 'llama'),
      u32('llama.block_count', LLAMA.layers),
      u32('llama.embedding_length', LLAMA.hidden),
      u32('llama.feed_forward_length', LLAMA.intermediate),
      u32('llama.attention.head_count', LLAMA.heads),
      u32('llama.attention.head_count_kv', LLAMA.kvHeads),
      {
        key: 'tokenizer.ggml.tokens',
        type: GGUF.array,
        value: { type: GGUF.string, items: Array.from({ length: LLAMA.vocab }, (_, i) => `t${i}`) },
      },
    ],
    tensors: LLAMA_TENSORS.map(([name, shape]) => {
      const heads = rotaryHeads(name);
      const plain = valuesOf(name, shape);
      const values = heads === null ? plain : interleave(plain, shape[0] as number, heads);
      // norms are always 32-bit in a GGUF
      const stored = shape.length === 1 ? 'F32' : type;
      return {
        name: rename(GGUF_NAMES)(name),
        shape: [...shape],
        typeId: TYPE_IDS[stored],
        data: encodeGguf(stored, values),
      };
    }),
  });
}

function toShards(tensors: readonly NamedShape[], dtype: DType): Files {
  const half = Math.ceil(tensors.length / 2);
  const shards = [tensors.slice(0, half), tensors.slice(half)];
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const weightMap = Object.fromEntries(shards.flatMap((part, i) => part.map(([name]) => [name, names[i]])));
  return {
    'model.safetensors.index.json': utf8(JSON.stringify({ metadata: {}, weight_map: weightMap })),
    ...Object.fromEntries(shards.map((part, i) => [names[i] as string, toSafetensors(part, dtype)])),
  };
}

function expectEqual(one: Fingerprint, other: Fingerprint): void {
  const rows = ({ tensors }: Fingerprint) =>
    tensors.map(({ name, role, shape, hash }) => ({ name, role, shape, hash }));
  expect(rows(other)).toEqual(rows(one));
  expect(other.tensors.map(({ values }) => [...values])).toEqual(
    one.tensors.map(({ values }) => [...values]),
  );
  expect(other.coreKey).toBe(one.coreKey);
  expect(other.core).toEqual(one.core);
  expect(other.params).toBe(one.params);
}

describe('one Llama in many containers', () => {
  const config = { 'config.json': LLAMA_CONFIG };
  const containers: Record<string, () => Files> = {
    'safetensors F32': () => ({ ...config, 'model.safetensors': toSafetensors(LLAMA_TENSORS, 'F32') }),
    'safetensors F16': () => ({ ...config, 'model.safetensors': toSafetensors(LLAMA_TENSORS, 'F16') }),
    'safetensors F64': () => ({ ...config, 'model.safetensors': toSafetensors(LLAMA_TENSORS, 'F64') }),
    'safetensors in two shards': () => ({ ...config, ...toShards(LLAMA_TENSORS, 'BF16') }),
    'safetensors with module. prefixes': () => ({
      ...config,
      'model.safetensors': toSafetensors(LLAMA_TENSORS, 'BF16', (name) => `module.${name}`),
    }),
    'torch zip F32': () => ({ ...config, 'pytorch_model.bin': toTorch(LLAMA_TENSORS, 'F32') }),
    'torch zip BF16 in a wrapper': () => ({
      ...config,
      'pytorch_model.bin': toTorch(LLAMA_TENSORS, 'BF16', { wrapper: 'state_dict' }),
    }),
    'torch legacy F16': () => ({
      ...config,
      'pytorch_model.bin': toTorch(LLAMA_TENSORS, 'F16', { legacy: true }),
    }),
    'GGUF F32': () => ({ 'model.f32.gguf': toGguf('F32') }),
    'GGUF F16': () => ({ 'model.f16.gguf': toGguf('F16') }),
    'GGUF BF16': () => ({ 'model.bf16.gguf': toGguf('BF16') }),
  };
  const reference = fingerprintOf({ ...config, 'model.safetensors': toSafetensors(LLAMA_TENSORS, 'BF16') });

  for (const [label, make] of Object.entries(containers))
    it(`${label} gives the fingerprint of the BF16 safetensors`, async () => {
      expectEqual(await reference, await fingerprintOf(make()));
    });

  for (const type of ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'] as const)
    it(`GGUF ${type} gives the values rounded to it, at the same positions`, async () => {
      const rounded = LLAMA_TENSORS.map(([name, shape]) => {
        const data = valuesOf(name, shape);
        return {
          name,
          shape,
          dtype: 'F32' as const,
          data: shape.length === 1 ? data : ROUND_TRIP[type](data),
        };
      });
      const expected = await fingerprintOf({ ...config, 'model.safetensors': writeSafetensors(rounded) });
      const found = await fingerprintOf({ 'model.gguf': toGguf(type) });
      expectEqual(expected, found);
      expect(found.quantized).toBe(true);
    });

  it('would notice rows in another order', async () => {
    const [name, shape] = LLAMA_TENSORS.find(([tensor]) => tensor.includes('q_proj')) as NamedShape;
    const shuffled = LLAMA_TENSORS.map(([tensor, dims]) => ({
      name: tensor,
      shape: dims,
      dtype: 'BF16' as const,
      data:
        tensor === name
          ? interleave(valuesOf(name, shape), shape[0] as number, LLAMA.heads)
          : valuesOf(tensor, dims),
    }));
    const other = await fingerprintOf({ ...config, 'model.safetensors': writeSafetensors(shuffled) });
    const hashOf = ({ tensors }: Fingerprint) => tensors.find((tensor) => tensor.name === name)?.hash;
    expect(hashOf(other)).not.toBe(hashOf(await reference));
  });
});

const UNET = {
  channels: [32, 64],
  layersPerBlock: 1,
  depths: [1, 1],
  crossAttention: 48,
  inChannels: 4,
  addition: null,
};
const UNET_TENSORS = unetTensors(UNET);

/** diffusers' names in the original (LDM) layout, for a UNet of two levels with one layer each. */
function toLdmName(name: string): string {
  const stems: readonly (readonly [string, string])[] = [
    ['time_embedding.linear_1', 'time_embed.0'],
    ['time_embedding.linear_2', 'time_embed.2'],
    ['conv_in', 'input_blocks.0.0'],
    ['conv_norm_out', 'out.0'],
    ['conv_out', 'out.2'],
    ['down_blocks.0.resnets.0', 'input_blocks.1.0'],
    ['down_blocks.0.attentions.0', 'input_blocks.1.1'],
    ['down_blocks.0.downsamplers.0.conv', 'input_blocks.2.0.op'],
    ['down_blocks.1.resnets.0', 'input_blocks.3.0'],
    ['down_blocks.1.attentions.0', 'input_blocks.3.1'],
    ['mid_block.resnets.0', 'middle_block.0'],
    ['mid_block.attentions.0', 'middle_block.1'],
    ['mid_block.resnets.1', 'middle_block.2'],
    ['up_blocks.0.resnets.0', 'output_blocks.0.0'],
    ['up_blocks.0.attentions.0', 'output_blocks.0.1'],
    ['up_blocks.0.resnets.1', 'output_blocks.1.0'],
    ['up_blocks.0.attentions.1', 'output_blocks.1.1'],
    ['up_blocks.0.upsamplers.0.conv', 'output_blocks.1.2.conv'],
    ['up_blocks.1.resnets.0', 'output_blocks.2.0'],
    ['up_blocks.1.attentions.0', 'output_blocks.2.1'],
    ['up_blocks.1.resnets.1', 'output_blocks.3.0'],
    ['up_blocks.1.attentions.1', 'output_blocks.3.1'],
  ];
  const resnet: readonly (readonly [string, string])[] = [
    ['norm1', 'in_layers.0'],
    ['conv1', 'in_layers.2'],
    ['norm2', 'out_layers.0'],
    ['conv2', 'out_layers.3'],
    ['time_emb_proj', 'emb_layers.1'],
    ['conv_shortcut', 'skip_connection'],
  ];
  const parts = name.includes('.resnets.') ? resnet : [];
  return `model.diffusion_model.${rename([...stems, ...parts])(name)}`;
}

describe('one UNet in many containers', () => {
  const containers: Record<string, () => Files> = {
    'diffusers F32': () => ({
      'unet/diffusion_pytorch_model.safetensors': toSafetensors(UNET_TENSORS, 'F32'),
    }),
    'diffusers fp16 variant': () => ({
      'unet/diffusion_pytorch_model.fp16.safetensors': toSafetensors(UNET_TENSORS, 'F16'),
    }),
    'diffusers .bin': () => ({ 'unet/diffusion_pytorch_model.bin': toTorch(UNET_TENSORS, 'F32') }),
    'single file': () => ({ 'model.safetensors': toSafetensors(UNET_TENSORS, 'F16', toLdmName) }),
    'single .ckpt': () => ({
      'model.ckpt': toTorch(UNET_TENSORS, 'F32', { wrapper: 'state_dict', rename: toLdmName }),
    }),
  };
  const index = utf8(
    JSON.stringify({ _class_name: 'StableDiffusionPipeline', unet: ['diffusers', 'UNet2DConditionModel'] }),
  );
  const reference = fingerprintOf({
    'model_index.json': index,
    'unet/diffusion_pytorch_model.safetensors': toSafetensors(UNET_TENSORS, 'F16'),
  });

  for (const [label, make] of Object.entries(containers))
    it(`${label} gives the fingerprint of the F16 diffusers folder`, async () => {
      const files = make();
      const isFolder = Object.keys(files).some((path) => path.startsWith('unet/'));
      expectEqual(
        await reference,
        await fingerprintOf(isFolder ? { 'model_index.json': index, ...files } : files),
      );
    });
});
