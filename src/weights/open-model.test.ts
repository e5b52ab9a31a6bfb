import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HublineageError } from '../types/errors.ts';
import type { DType, ModelWeights } from '../types/weights.ts';
import { createInterleavedRowMap } from './canonical/index.ts';
import { openModel } from './open-model.ts';
import { layoutSafetensors, type TensorToWrite, writeSafetensors } from './safetensors/write.ts';
import { createLlama, listLlama, TINY_LLAMA } from './testing/made-up-models.ts';
import { createUnet } from './testing/made-up-unets.ts';
import { createMemoryRepo, type MemoryRepo, readAll, type SparseFile } from './testing/memory-repo.ts';

const asJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Shards `parts` ways in the order given, with an index. */
function shard(tensors: readonly TensorToWrite[], parts: number, stem = 'model'): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const map: Record<string, string> = {};
  const size = Math.ceil(tensors.length / parts);
  for (let part = 0; part < parts; part++) {
    const name = `${stem}-${String(part + 1).padStart(5, '0')}-of-${String(parts).padStart(5, '0')}.safetensors`;
    const inside = tensors.slice(part * size, (part + 1) * size);
    files[name] = writeSafetensors(inside);
    for (const tensor of inside) map[tensor.name] = name;
  }
  return { ...files, [`${stem}.safetensors.index.json`]: asJson({ metadata: {}, weight_map: map }) };
}

async function readModel(repo: MemoryRepo, weights: ModelWeights): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const tensor of weights.tensors) values.set(tensor.name, await readAll(repo, tensor));
  return values;
}

const valuesOf = (tensors: readonly TensorToWrite[]) =>
  new Map(
    tensors
      .map(({ name, data }) => [name, data as Float32Array] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** The tiny Llama as Meta would name it, rows of q and k interleaved. */
function toMeta(tensors: readonly TensorToWrite[]): TensorToWrite[] {
  const inverse: Record<string, string> = {
    'self_attn.q_proj': 'attention.wq',
    'self_attn.k_proj': 'attention.wk',
    'self_attn.v_proj': 'attention.wv',
    'self_attn.o_proj': 'attention.wo',
    'mlp.gate_proj': 'feed_forward.w1',
    'mlp.down_proj': 'feed_forward.w2',
    'mlp.up_proj': 'feed_forward.w3',
    input_layernorm: 'attention_norm',
    post_attention_layernorm: 'ffn_norm',
  };
  return tensors.map((tensor) => {
    const top = {
      'model.embed_tokens.weight': 'tok_embeddings.weight',
      'model.norm.weight': 'norm.weight',
      'lm_head.weight': 'output.weight',
    }[tensor.name];
    if (top !== undefined) return { ...tensor, name: top };
    const [, layer, part] = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(tensor.name) as unknown as [
      string,
      string,
      string,
    ];
    const name = `layers.${layer}.${inverse[part]}.weight`;
    const heads = part.endsWith('q_proj')
      ? TINY_LLAMA.heads
      : part.endsWith('k_proj')
        ? TINY_LLAMA.kvHeads
        : null;
    if (heads === null) return { ...tensor, name };
    const [rows, cols] = tensor.shape as [number, number];
    const toFileRow = createInterleavedRowMap(rows, heads);
    const data = new Float32Array(rows * cols);
    for (let row = 0; row < rows; row++) {
      data.set((tensor.data as Float32Array).subarray(row * cols, (row + 1) * cols), toFileRow(row) * cols);
    }
    return { ...tensor, name, data };
  });
}

describe('openModel on a Llama', () => {
  const llama = createLlama();

  it('tells what it is from names and shapes', async () => {
    const repo = createMemoryRepo({
      'model.safetensors': writeSafetensors(createLlama(TINY_LLAMA, 'BF16'), { format: 'pt' }),
    });
    const weights = await openModel(repo);
    expect(weights).toMatchObject({
      family: 'llama',
      architecture: 'LlamaForCausalLM',
      kind: 'full',
      container: 'safetensors',
      format: 'safetensors',
      dtype: 'BF16',
      quantized: false,
      params: 10 * 8 * 2 + 8 + 2 * (8 * 8 * 2 + 4 * 8 * 2 + 12 * 8 * 3 + 16),
      widths: {
        hidden: 8,
        intermediate: 12,
        heads: null,
        kvHeads: null,
        headDim: null,
        layers: 2,
        vocab: 10,
        crossAttention: null,
      },
      adapter: null,
      files: [{ path: 'model.safetensors', sha256: 'sha-of-model.safetensors' }],
      metadata: { format: 'pt' },
      notes: [],
    });
    const names = weights.tensors.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(repo.asked).toMatchObject({ opens: ['model.safetensors'], smalls: [] });
    expect(repo.asked.ranges).toHaveLength(1);
  });

  it('believes head counts that fit the shapes, and no others', async () => {
    const repo = createMemoryRepo({ 'model.safetensors': writeSafetensors(llama) });
    const told = await openModel(repo, {
      config: { num_attention_heads: 2, architectures: ['LlamaForCausalLM'] },
    });
    expect(told.widths).toMatchObject({ heads: 2, kvHeads: 1, headDim: 4 });
    const lied = await openModel(repo, { config: { num_attention_heads: 3, architectures: ['<script>'] } });
    expect(lied.widths).toMatchObject({ heads: null, kvHeads: null, headDim: null });
    expect(lied.architecture).toBe('LlamaForCausalLM');
  });

  const prefixed = llama.map((tensor) => ({ ...tensor, name: `module.${tensor.name}` }));
  const withExtras: TensorToWrite[] = [
    ...llama,
    {
      name: 'model.layers.0.self_attn.rotary_emb.inv_freq',
      dtype: 'F32',
      shape: [2],
      data: new Float32Array(2),
    },
    { name: 'model.layers.0.mlp.empty.weight', dtype: 'F32', shape: [0, 8], data: new Float32Array(0) },
  ];
  it.each<[string, Record<string, Uint8Array>]>([
    ['one file', { 'model.safetensors': writeSafetensors(llama) }],
    ['three shards', shard(llama, 3)],
    [
      'three shards without their index',
      Object.fromEntries(Object.entries(shard(llama, 3)).filter(([name]) => !name.endsWith('.json'))),
    ],
    ['wrapped names', { 'model.safetensors': writeSafetensors(prefixed) }],
    ['extra tensors', { 'model.safetensors': writeSafetensors(withExtras) }],
    ['F16', { 'model.safetensors': writeSafetensors(createLlama(TINY_LLAMA, 'F16')) }],
    ['BF16', { 'model.safetensors': writeSafetensors(createLlama(TINY_LLAMA, 'BF16')) }],
    ['F64', { 'model.safetensors': writeSafetensors(createLlama(TINY_LLAMA, 'F64')) }],
    [
      "Meta's names and rows",
      {
        'consolidated.safetensors': writeSafetensors(toMeta(llama)),
        'params.json': asJson({ n_heads: 2, n_kv_heads: 1 }),
      },
    ],
    ['a lone file of another name', { 'weights.safetensors': writeSafetensors(llama) }],
  ])('reads the same values from %s', async (_what, files) => {
    const repo = createMemoryRepo(files);
    const weights = await openModel(repo);
    expect(weights.family).toBe('llama');
    expect(await readModel(repo, weights)).toEqual(valuesOf(llama));
  });

  it("leaves Meta's q and k out when nothing tells the head counts", async () => {
    const repo = createMemoryRepo({ 'consolidated.safetensors': writeSafetensors(toMeta(llama)) });
    const weights = await openModel(repo);
    expect(weights.tensors.some(({ name }) => /[qk]_proj/.test(name))).toBe(false);
    expect(weights.tensors).toHaveLength(llama.length - 4);
    expect(weights.notes.join()).toContain('head counts');
  });

  it("refuses Meta's model-parallel slices", async () => {
    const repo = createMemoryRepo({ 'consolidated.00.pth': 'x', 'consolidated.01.pth': 'y' });
    await expect(openModel(repo)).rejects.toMatchObject({
      code: expect.stringMatching(/ContainerUnsupported|HeaderInvalid/),
    });
  });

  it('reads on when a shard is missing, and says so', async () => {
    const { 'model-00002-of-00003.safetensors': _gone, ...files } = shard(llama, 3);
    const repo = createMemoryRepo(files);
    const weights = await openModel(repo);
    expect(weights.tensors.length).toBe(14);
    expect(weights.widths.layers).toBe(2);
    expect(weights.notes.join()).toContain('1 of 3 shards are missing (model-00002-of-00003.safetensors)');
  });

  it('counts the layers of a missing shard: a model with a hole in it is not a pruned one', async () => {
    const { 'model-00003-of-00003.safetensors': _gone, ...files } = shard(
      createLlama({ ...TINY_LLAMA, layers: 6 }),
      3,
    );
    const weights = await openModel(createMemoryRepo(files));
    expect(Math.max(...weights.tensors.map(({ layer }) => layer ?? 0))).toBeLessThan(5);
    expect(weights.widths.layers).toBe(6);
  });

  it('falls back to another file when all shards of an index are missing', async () => {
    const index = shard(llama, 3)['model.safetensors.index.json'] as Uint8Array;
    const alone = createMemoryRepo({ 'model.safetensors.index.json': index });
    await expect(openModel(alone)).rejects.toMatchObject({ code: 'ShardMissing' });
    const repo = createMemoryRepo({
      'model.safetensors.index.json': index,
      'model.safetensors': writeSafetensors(llama),
    });
    expect((await openModel(repo)).tensors).toHaveLength(llama.length);
  });

  it('passes over a broken stray file, with a note, but not over a broken model', async () => {
    const stray = createMemoryRepo({
      'a.safetensors': 'x'.repeat(50_000),
      'b.safetensors': writeSafetensors(llama),
    });
    const weights = await openModel(stray);
    expect(weights.files.map(({ path }) => path)).toEqual(['b.safetensors']);
    expect(weights.notes.join()).toMatch(/a\.safetensors was passed over: header of \d+ bytes/);
    const broken = createMemoryRepo({
      'model.safetensors': 'x'.repeat(5000),
      'checkpoint-1/model.safetensors': writeSafetensors(llama),
    });
    await expect(openModel(broken)).rejects.toMatchObject({
      code: 'HeaderTooLarge',
      where: 'model.safetensors',
    });
  });

  it('does not read a file an index points to outside its folder', async () => {
    const index = asJson({ weight_map: { 'model.norm.weight': '../secret.safetensors' } });
    const repo = createMemoryRepo({ 'model.safetensors.index.json': index });
    await expect(openModel(repo)).rejects.toMatchObject({ code: 'IndexInvalid' });
    expect(repo.asked.opens).toEqual([]);
  });

  it('tells broken files from repos without a model', async () => {
    const open = (files: Record<string, Uint8Array | string>) => openModel(createMemoryRepo(files));
    await expect(open({ 'README.md': 'x' })).rejects.toMatchObject({ code: 'NoWeights' });
    await expect(open({ 'model.onnx': 'x' })).rejects.toMatchObject({ code: 'ContainerUnsupported' });
    await expect(open({ 'model.safetensors': writeSafetensors([]) })).rejects.toMatchObject({
      code: 'NoWeights',
    });
    await expect(open({ 'model.safetensors': 'not weights' })).rejects.toMatchObject({
      code: 'HeaderTooLarge',
    });
    const bert = writeSafetensors([
      { name: 'bert.embeddings.weight', dtype: 'F32', shape: [1], data: new Float32Array(1) },
    ]);
    await expect(open({ 'model.safetensors': bert })).rejects.toMatchObject({
      code: 'ArchitectureUnsupported',
      message: expect.stringContaining('a BERT-like encoder'),
    });
  });
});

describe('openModel on a UNet', () => {
  const { ldm, diffusers } = createUnet();
  const beside: TensorToWrite[] = [
    'first_stage_model.decoder.conv_in.weight',
    'model_ema.decay',
    'cond_stage_model.model.ln_final.weight',
  ].map((name) => ({ name, dtype: 'F32', shape: [1], data: new Float32Array(1) }));
  const canonical = new Map([...valuesOf(diffusers)].map(([name, values]) => [name, values] as const));

  it.each<[string, Record<string, Uint8Array>, string]>([
    [
      'a diffusers folder',
      { 'unet/diffusion_pytorch_model.safetensors': writeSafetensors(diffusers) },
      'diffusers',
    ],
    [
      'a sharded diffusers folder',
      Object.fromEntries(
        Object.entries(shard(diffusers, 2, 'diffusion_pytorch_model')).map(([name, bytes]) => [
          `unet/${name}`,
          bytes,
        ]),
      ),
      'diffusers',
    ],
    [
      'a single file with LDM names',
      { 'model-v1.safetensors': writeSafetensors([...ldm, ...beside]) },
      'single-file',
    ],
    [
      'a UNet at the root',
      { 'diffusion_pytorch_model.safetensors': writeSafetensors(diffusers) },
      'diffusers',
    ],
  ])('reads the same values from %s', async (_what, files, format) => {
    const repo = createMemoryRepo(files);
    const weights = await openModel(repo);
    expect(weights).toMatchObject({
      family: 'stable-diffusion',
      architecture: 'UNet2DConditionModel',
      format,
      dtype: 'F32',
    });
    expect(weights.widths).toMatchObject({ hidden: 4, crossAttention: 6 });
    expect(await readModel(repo, weights)).toEqual(canonical);
  });

  it('gives 1x1 convolutions the shape of the matrix they are', async () => {
    const weights = await openModel(createMemoryRepo({ 'a.safetensors': writeSafetensors(ldm) }));
    const projection = weights.tensors.find(({ name }) => name.endsWith('proj_in.weight'));
    expect(projection?.shape).toEqual([4, 4]);
  });

  it('keeps the hashes of VAE and text encoders as facts', async () => {
    const repo = createMemoryRepo({
      'unet/diffusion_pytorch_model.safetensors': writeSafetensors(diffusers),
      'vae/diffusion_pytorch_model.bin': 'x',
      'vae/diffusion_pytorch_model.fp16.safetensors': 'x',
      'vae/diffusion_pytorch_model.safetensors': 'x',
      'text_encoder/model.safetensors': 'x',
      'text_encoder_2/pytorch_model.bin': 'x',
    });
    expect((await openModel(repo)).metadata).toEqual({
      'file.vae.sha256': 'sha-of-vae/diffusion_pytorch_model.safetensors',
      'file.text_encoder.sha256': 'sha-of-text_encoder/model.safetensors',
      'file.text_encoder_2.sha256': 'sha-of-text_encoder_2/pytorch_model.bin',
    });
  });

  it('looks past a VAE to the checkpoint beside it', async () => {
    const vae = writeSafetensors([
      { name: 'encoder.conv_in.weight', dtype: 'F32', shape: [40_000], data: new Float32Array(40_000) },
    ]);
    const repo = createMemoryRepo({ 'autoencoder.safetensors': vae, 'b.safetensors': writeSafetensors(ldm) });
    const weights = await openModel(repo);
    expect(weights.files.map(({ path }) => path)).toEqual(['b.safetensors']);
  });

  it.each([
    ['joint_blocks.0.x_block.attn.qkv.weight', 'a diffusion model without a UNet'],
    [
      'model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight',
      'a diffusion model without a UNet',
    ],
    ['controlnet_down_blocks.0.weight', 'a ControlNet'],
  ])('refuses %s as %s', async (name, what) => {
    const file = writeSafetensors([{ name, dtype: 'F32', shape: [1], data: new Float32Array(1) }]);
    await expect(openModel(createMemoryRepo({ 'a.safetensors': file }))).rejects.toMatchObject({
      code: 'ArchitectureUnsupported',
      message: expect.stringContaining(what.replace('a diffusion model without a UNet', 'diffusion')),
    });
  });
});

describe('openModel on anything', () => {
  const part = fc.constantFrom(
    'model',
    'module',
    'layers',
    'blk',
    '0',
    '1',
    '31',
    'self_attn',
    'q_proj',
    'mlp',
    'experts',
    'weight',
    'bias',
    'absmax',
    'qweight',
    'scales',
    'weight_scale',
    'SCB',
    'lora_A',
    'lora_B',
    'lora_unet_down_blocks_0_attentions_0_proj_in',
    'lora_down',
    'alpha',
    'hada_w1_a',
    'diffusion_model',
    'input_blocks',
    'output_blocks',
    'middle_block',
    'in_layers',
    'op',
    'conv_in',
    'down_blocks',
    'up_blocks',
    'mid_block',
    '__proto__',
    'constructor',
    '',
  );
  const name = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('.'));
  const tensor = fc.record({
    name: fc.oneof(
      name,
      name.map((stem) => `model.layers.0.self_attn.q_proj.${stem}`),
      fc.constantFrom(...listLlama(TINY_LLAMA).map((entry) => entry.name)),
    ),
    dtype: fc.constantFrom<DType>('F32', 'BF16', 'U8', 'I8', 'F8_E4M3', 'I32', 'U32'),
    shape: fc.array(fc.nat(6), { maxLength: 4 }),
  });
  const file = fc.constantFrom(
    'model.safetensors',
    'adapter_model.safetensors',
    'a.safetensors',
    'unet/diffusion_pytorch_model.safetensors',
    'consolidated.safetensors',
    'model-00001-of-00002.safetensors',
  );

  it('gives weights whose decodable tensors can be read, or a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(
        file,
        fc.uniqueArray(tensor, { selector: (entry) => entry.name, maxLength: 12 }),
        async (path, entries) => {
          const tensors = entries.map((entry) => ({
            ...entry,
            data: new Float32Array(entry.shape.reduce((product, dim) => product * dim, 1)),
          }));
          const repo = createMemoryRepo({ [path]: writeSafetensors(tensors) });
          try {
            const weights = await openModel(repo);
            expect(weights.tensors.length).toBeGreaterThan(0);
            for (const entry of weights.tensors) if (entry.decodable) await readAll(repo, entry);
          } catch (error) {
            expect(error).toBeInstanceOf(HublineageError);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('the cost of opening', () => {
  /** A model of real size whose files have headers and nothing else. */
  function createSparse(
    shape: Parameters<typeof listLlama>[0],
    shards: number,
  ): Record<string, SparseFile | Uint8Array> {
    const layouts = listLlama(shape).map((tensor) => ({ ...tensor, dtype: 'BF16' as const }));
    const start = (part: number) => Math.floor((part * layouts.length) / shards);
    const files: Record<string, SparseFile | Uint8Array> = {};
    const map: Record<string, string> = {};
    for (let part = 0; part < shards; part++) {
      const name =
        shards === 1
          ? 'model.safetensors'
          : `model-${String(part + 1).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}.safetensors`;
      const inside = layouts.slice(start(part), start(part + 1));
      for (const tensor of inside) map[tensor.name] = name;
      const layout = layoutSafetensors(inside, { format: 'pt' });
      files[name] = { head: layout.header, size: layout.fileBytes };
    }
    if (shards > 1)
      files['model.safetensors.index.json'] = asJson({ metadata: { total_size: 1 }, weight_map: map });
    return files;
  }
  const llama7b = { vocab: 32_000, hidden: 4096, intermediate: 11_008, layers: 32, heads: 32, kvHeads: 32 };
  const llama70b = { vocab: 128_256, hidden: 8192, intermediate: 28_672, layers: 80, heads: 64, kvHeads: 8 };

  it.each([
    ['a 7B in one file', llama7b, 1, 3, 60_000, 6_738_415_616],
    ['a 7B in three shards', llama7b, 3, 6, 60_000, 6_738_415_616],
    ['a 70B in thirty shards', llama70b, 30, 45, 200_000, 70_553_706_496],
  ])('%s', async (_what, shape, shards, maxRequests, maxBytes, params) => {
    const repo = createMemoryRepo(createSparse(shape, shards));
    const weights = await openModel(repo);
    expect(weights.params).toBe(params);
    expect(repo.asked.opens).toHaveLength(shards);
    expect(repo.asked.ranges.length).toBeLessThanOrEqual(maxRequests);
    expect(repo.asked.ranges.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(maxBytes);
    expect(repo.asked.smalls).toEqual(shards === 1 ? [] : ['model.safetensors.index.json']);
  });
});
