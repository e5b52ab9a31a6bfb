import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseFiles } from './choose-files.ts';

const listing = (paths: readonly string[], size = 1000) =>
  paths.map((path, i) => ({ path, size: size + i, oid: null, sha256: null }));

/** What is read first: the index, or the files. */
const first = (paths: readonly string[], repoName = 'name') => {
  const choice = chooseFiles(listing(paths), repoName)[0];
  return choice === undefined
    ? null
    : `${choice.reader} ${choice.format} ${choice.index ?? choice.files.join(' ')}`;
};

describe('chooseFiles', () => {
  it.each<[string, string[], string | null]>([
    ['a single file', ['config.json', 'model.safetensors'], 'safetensors safetensors model.safetensors'],
    [
      'shards by their index',
      [
        'model-00001-of-00002.safetensors',
        'model-00002-of-00002.safetensors',
        'model.safetensors.index.json',
      ],
      'safetensors safetensors model.safetensors.index.json',
    ],
    [
      'shards without an index',
      ['model-00002-of-00002.safetensors', 'model-00001-of-00002.safetensors'],
      'safetensors safetensors model-00001-of-00002.safetensors model-00002-of-00002.safetensors',
    ],
    [
      'safetensors before bin before GGUF',
      ['pytorch_model.bin', 'model.safetensors', 'model.Q8_0.gguf'],
      'safetensors safetensors model.safetensors',
    ],
    ['bin before GGUF', ['pytorch_model.bin', 'model.Q8_0.gguf'], 'torch bin pytorch_model.bin'],
    [
      'bin shards by their index',
      [
        'pytorch_model-00001-of-00002.bin',
        'pytorch_model-00002-of-00002.bin',
        'pytorch_model.bin.index.json',
      ],
      'torch bin pytorch_model.bin.index.json',
    ],
    ['no trainer state', ['optimizer.pt', 'scheduler.pt', 'training_args.bin', 'rng_state_0.pth'], null],
    [
      'the UNet of a diffusers repo, not the checkpoint beside it',
      [
        'model_index.json',
        'sd.safetensors',
        'unet/diffusion_pytorch_model.safetensors',
        'vae/diffusion_pytorch_model.safetensors',
      ],
      'safetensors diffusers unet/diffusion_pytorch_model.safetensors',
    ],
    [
      'the plain UNet before its variants',
      [
        'unet/diffusion_pytorch_model.fp16.safetensors',
        'unet/diffusion_pytorch_model.non_ema.safetensors',
        'unet/diffusion_pytorch_model.safetensors',
      ],
      'safetensors diffusers unet/diffusion_pytorch_model.safetensors',
    ],
    [
      'the fp16 variant in safetensors before a pickle',
      ['unet/diffusion_pytorch_model.bin', 'unet/diffusion_pytorch_model.fp16.safetensors'],
      'safetensors diffusers unet/diffusion_pytorch_model.fp16.safetensors',
    ],
    [
      'a sharded UNet',
      [
        'unet/diffusion_pytorch_model-00001-of-00002.safetensors',
        'unet/diffusion_pytorch_model.safetensors.index.json',
      ],
      'safetensors diffusers unet/diffusion_pytorch_model.safetensors.index.json',
    ],
    [
      'the variant index of a sharded UNet',
      [
        'unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors',
        'unet/diffusion_pytorch_model.safetensors.index.fp16.json',
      ],
      'safetensors diffusers unet/diffusion_pytorch_model.safetensors.index.fp16.json',
    ],
    [
      'an adapter',
      ['adapter_config.json', 'adapter_model.safetensors'],
      'safetensors peft adapter_model.safetensors',
    ],
    [
      'a named pickle before a file called anything',
      ['pytorch_model.bin', 'style.safetensors'],
      'torch bin pytorch_model.bin',
    ],
    [
      'a merged pickle beside an adapter',
      ['adapter_model.bin', 'pytorch_model.bin'],
      'torch bin pytorch_model.bin',
    ],
    ['GGUF before a stray pickle', ['embedding.pt', 'm-Q8_0.gguf'], 'gguf gguf m-Q8_0.gguf'],
    [
      'the merged model beside an adapter',
      ['adapter_config.json', 'adapter_model.safetensors', 'model.safetensors'],
      'safetensors safetensors model.safetensors',
    ],
    [
      'the adapter above a checkpoint',
      ['adapter_config.json', 'adapter_model.safetensors', 'checkpoint-10/model.safetensors'],
      'safetensors peft adapter_model.safetensors',
    ],
    [
      'the last checkpoint where there is nothing else',
      [
        'checkpoint-900/model.safetensors',
        'checkpoint-1000/model.safetensors',
        'checkpoint-50/model.safetensors',
      ],
      'safetensors safetensors checkpoint-1000/model.safetensors',
    ],
    ['safetensors before ckpt', ['sd.ckpt', 'sd.safetensors'], 'safetensors single-file sd.safetensors'],
    [
      'a checkpoint named like the repo',
      ['aaa.safetensors', 'zzz.safetensors', 'Name.safetensors'],
      'safetensors single-file Name.safetensors',
    ],
    [
      'the checkpoint before its VAE',
      ['my.vae.pt', 'vae-ft.safetensors', 'a.safetensors'],
      'safetensors single-file a.safetensors',
    ],
    [
      'a name with VAE in it when there is nothing else',
      ['mix-vae-included.safetensors'],
      'safetensors single-file mix-vae-included.safetensors',
    ],
    ["Meta's files", ['consolidated.00.pth', 'params.json'], 'torch meta consolidated.00.pth'],
    [
      "the transformers layout before Meta's",
      ['consolidated.safetensors', 'model.safetensors.index.json', 'model-00001-of-00001.safetensors'],
      'safetensors safetensors model.safetensors.index.json',
    ],
    [
      'the finest GGUF',
      ['m.Q4_K_M.gguf', 'm.Q2_K.gguf', 'm-Q8_0.gguf', 'mmproj-m-F16.gguf', 'm.imatrix.gguf'],
      'gguf gguf m-Q8_0.gguf',
    ],
    [
      'all parts of a split GGUF',
      ['BF16/m-BF16-00002-of-00002.gguf', 'BF16/m-BF16-00001-of-00002.gguf', 'm-Q8_0.gguf'],
      'gguf gguf BF16/m-BF16-00001-of-00002.gguf BF16/m-BF16-00002-of-00002.gguf',
    ],
    [
      'a GGUF called an adapter only when there is nothing else',
      ['my-lora-F16.gguf', 'm-Q4_0.gguf'],
      'gguf gguf m-Q4_0.gguf',
    ],
    ['a GGUF with a merged LoRA', ['llama-lora-merged.Q8_0.gguf'], 'gguf gguf llama-lora-merged.Q8_0.gguf'],
    ['nothing in a repo of text', ['README.md', 'tokenizer.json'], null],
    ['no ONNX export', ['onnx/model.onnx', 'model.onnx'], null],
  ])('takes %s', (_what, paths, expected) => {
    expect(first(paths)).toBe(expected);
  });

  it.each([
    [['m.F16.gguf', 'm.Q4_0.gguf'], true],
    [['m.F16.gguf', 'm.BF16.gguf'], undefined],
    [['m.F16.gguf', 'mmproj-m-Q8_0.gguf'], undefined],
    [['m.Q8_0.gguf', 'm.Q4_0.gguf'], undefined],
  ])('says of %s whether quantised files lie beside what is read', (paths, expected) => {
    expect(chooseFiles(listing(paths), 'name')[0]?.quantizedBeside).toBe(expected);
  });

  it('chooses the same whatever the order of the listing', () => {
    const paths = [
      'a.safetensors',
      'b.safetensors',
      'c.ckpt',
      'm.Q4_0.gguf',
      'm.Q8_0.gguf',
      'checkpoint-1/model.safetensors',
      'checkpoint-2/model.safetensors',
      'adapter_model.safetensors',
      'pytorch_model.bin',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ];
    const files = listing(paths);
    const expected = chooseFiles(files, 'x');
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        expect(chooseFiles(shuffled, 'x')).toEqual(expected);
      }),
    );
  });
});
