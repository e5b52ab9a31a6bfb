import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateHeaderBytes, parseShardIndex } from './shard-index.ts';
import { layoutSafetensors } from './write.ts';

const encode = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const parse = (value: unknown, folder = '') =>
  parseShardIndex(encode(value), folder, 'model.safetensors.index.json');

describe('parseShardIndex', () => {
  it('groups tensors by file, below the folder of the index, with or without metadata', () => {
    const index = parse(
      { weight_map: { a: 'x-1.safetensors', b: 'x-2.safetensors', c: 'x-1.safetensors' } },
      'unet/',
    );
    expect([...index]).toEqual([
      ['unet/x-1.safetensors', ['a', 'c']],
      ['unet/x-2.safetensors', ['b']],
    ]);
  });

  it.each([
    '../other/model.safetensors',
    'a/../../b.safetensors',
    '/etc/passwd',
    'https://example.org/model.safetensors',
    'a\\b.safetensors',
    'a//b.safetensors',
    './a.safetensors',
    'C:model.safetensors',
    'a\u0000b',
    'a?x=1',
    '%2e%2e/x',
    '',
    'x'.repeat(300),
    7,
    null,
    ['a'],
  ])('refuses the shard name %j', (file) => {
    expect(() => parse({ weight_map: { a: file } })).toThrow(
      expect.objectContaining({ code: 'IndexInvalid' }),
    );
  });

  it.each(['', '{', '[]', 'null', '{}', '{"weight_map":[]}', '{"weight_map":"x"}', '\u{1F600}'])(
    'refuses %j',
    (body) => {
      expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'IndexInvalid' }));
    },
  );

  it('refuses 10,001 shards and deep nesting', () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`t${i}`, `s${i}.safetensors`]));
    expect(() => parse({ weight_map: many })).toThrow(expect.objectContaining({ code: 'IndexInvalid' }));
    expect(() => parse(`{"weight_map":${'['.repeat(1_000_000)}`)).toThrow(
      expect.objectContaining({ code: 'IndexInvalid' }),
    );
  });

  it('never leads out of the folder', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (file) => {
        try {
          const [path] = [...parse({ weight_map: { a: file } }, 'unet/').keys()];
          expect(
            new URL(path as string, 'https://host.test/repo/').href.startsWith(
              'https://host.test/repo/unet/',
            ),
          ).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'IndexInvalid' });
        }
      }),
    );
  });
});

describe('estimateHeaderBytes', () => {
  it('covers the header of a real shard and asks for little more', () => {
    const names = Array.from({ length: 11 }, (_, layer) =>
      ['self_attn.q_proj', 'self_attn.k_proj', 'mlp.down_proj', 'input_layernorm'].map(
        (part) => `model.layers.${layer}.${part}.weight`,
      ),
    ).flat();
    const layout = layoutSafetensors(
      names.map((name) => ({ name, dtype: 'BF16', shape: [14336, 4096] })),
      { format: 'pt' },
    );
    const estimate = 8 + estimateHeaderBytes(names);
    expect(estimate).toBeGreaterThanOrEqual(layout.header.length);
    expect(estimate).toBeLessThan(layout.header.length * 1.3);
  });
});
