import { describe, expect, it } from 'vitest';
import { expectedWeightFiles } from './expected-weight-files.ts';

const toFiles = (paths: readonly string[]) =>
  paths.map((path, i) => ({ path, size: 1000, oid: null, sha256: `${i}`.padStart(64, '0') }));
const expected = (...paths: string[]) =>
  expectedWeightFiles(toFiles(paths), 'owner/name').map(({ path }) => path);

describe('the weight files told by names', () => {
  it('are the shards of the index chosen, not those of a variant beside it', () => {
    const plain = [
      'unet/diffusion_pytorch_model-00001-of-00002.safetensors',
      'unet/diffusion_pytorch_model-00002-of-00002.safetensors',
    ];
    const variant = plain.map((path) => path.replace('model-', 'model.fp16-'));
    const index = 'unet/diffusion_pytorch_model.safetensors.index.json';
    const variantIndex = 'unet/diffusion_pytorch_model.safetensors.index.fp16.json';
    expect(expected(...plain, ...variant, index, variantIndex)).toEqual(plain);
    expect(expected(...variant, variantIndex)).toEqual(variant);
    expect(expected(...variant, 'unet/diffusion_pytorch_model.fp16.safetensors.index.json')).toEqual(variant);
  });

  it('stay in their folder and their format', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    expect(
      expected(
        ...shards,
        'model.safetensors.index.json',
        'checkpoint-1/model-00001-of-00002.safetensors',
        'pytorch_model-00001-of-00001.bin',
        'model-00001-of-00002.bin',
      ),
    ).toEqual(shards);
  });

  it('are none where there are none', () => {
    expect(expected('README.md')).toEqual([]);
    expect(expected('model.safetensors.index.json')).toEqual([]);
  });
});
