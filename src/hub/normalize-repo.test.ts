import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import listDefault from '../../test/fixtures/hub/list-default.json' with { type: 'json' };
import listBaseModels from '../../test/fixtures/hub/list-expand-baseModels.json' with { type: 'json' };
import blobs from '../../test/fixtures/hub/model-info-blobs-siblings.json' with { type: 'json' };
import infoExpand from '../../test/fixtures/hub/model-info-expand.json' with { type: 'json' };
import infoGguf from '../../test/fixtures/hub/model-info-full-gguf.json' with { type: 'json' };
import infoTransformers from '../../test/fixtures/hub/model-info-full-transformers.json' with {
  type: 'json',
};
import treeSharded from '../../test/fixtures/hub/tree-sharded-safetensors.json' with { type: 'json' };
import { CARD_CAPS, capJson } from './cap-json.ts';
import { fromSibling, fromTreeEntry } from './normalize-files.ts';
import { isRepoId, normalizeRepo } from './normalize-repo.ts';

function read(row: unknown) {
  const result = normalizeRepo(row);
  if (!result.ok) throw new Error(result.why);
  return result;
}
const ROW = { _id: '6a838b56859b6056ecfa5667', id: 'a/b' };

describe('rows captured from the Hub', () => {
  it('a short one has nulls for what was not asked', () => {
    expect(read(listDefault[0]).repo).toEqual({
      hubId: '6909b87b734dd24dd19da3ef',
      repo: 'moonshotai/Kimi-K2-Thinking',
      sha: null,
      createdAt: '2025-11-04T08:25:31.000Z',
      lastModified: null,
      downloads: 5119,
      likes: 578,
      gated: false,
      private: false,
      disabled: false,
      tags: listDefault[0]!.tags,
      pipelineTag: 'text-generation',
      libraryName: 'transformers',
      cardData: null,
      config: null,
      files: [],
      safetensors: null,
      gguf: null,
      baseModels: null,
    });
  });

  it('baseModels is there or absent', () => {
    expect(listBaseModels.map((row) => read(row).repo.baseModels)).toEqual([
      { relation: 'quantized', models: [{ hubId: '6a72f2e302294c7d32dd278e', repo: 'Qwen/Qwen3.8-27B' }] },
      expect.objectContaining({ relation: 'quantized' }),
      null,
      null,
    ]);
  });

  it('full ones keep card, config, files and counts', () => {
    expect(read(infoTransformers).repo).toMatchObject({
      sha: '39d5b65549dbfc88a4c56fc853a8b7242873d583',
      config: { model_type: 'albert' },
      cardData: { license: 'apache-2.0' },
      safetensors: { parameters: { I64: 512, F32: 11683584 }, total: 11684096 },
    });
    expect(read(infoTransformers).repo.files).toContain('openvino/openvino_model.bin');
    expect(read(infoGguf).repo).toMatchObject({
      config: {},
      gguf: { architecture: 'gemma3' },
      libraryName: null,
    });
    expect(read(infoExpand).repo.baseModels?.models[0]?.repo).toBe('Qwen/Qwen3-8B-Base');
  });

  it('siblings with blobs, and tree entries, are files', () => {
    expect(blobs.siblings.map(fromSibling)[2]).toEqual({
      path: 'Qwen_Qwen3-8B-bf16.gguf',
      size: 16388044064,
      oid: 'b730d0478b0bdfce2b5c8de466f9e651515a8774',
      sha256: '3eaf8da180bdfef9b16b22c4a9460872e8dcaaf315ee7e29413c9f8baa5fe6b8',
    });
    expect(fromSibling(infoGguf.siblings[0])).toBeNull();
    const files = (treeSharded as unknown[]).map(fromTreeEntry).filter((file) => file !== null);
    expect(files.length).toBeGreaterThan(1);
    expect(files.every((file) => file.size > 0)).toBe(true);
  });
});

describe('hostile rows', () => {
  it('are data, cut to their caps, or refused with a reason', () => {
    const { repo, remarks } = read({
      ...ROW,
      tags: Array.from({ length: 12_000 }, (_, i) => `t${i}`).concat(['x'.repeat(5000)]),
      siblings: [{ rfilename: 'a\u0000b\u001b' }, { rfilename: 5 }, null, { rfilename: 'a\u0000b\u001b' }],
      cardData: { a: 'x'.repeat(10_000), deep: JSON.parse('['.repeat(500) + ']'.repeat(500)) },
      config: ['not', 'an object'],
      gated: 'some new kind',
      downloads: -5,
      likes: Number.POSITIVE_INFINITY,
      createdAt: 'yesterday',
      lastModified: 17,
      sha: 'main',
      safetensors: { parameters: { F32: 5, BF16: 'many' } },
      baseModels: {
        relation: 'finetune',
        models: [
          { _id: 'x', id: 'a/b' },
          { ...ROW, id: '../x' },
        ],
      },
    });
    expect(repo).toMatchObject({
      files: ['a\u0000b\u001b'],
      gated: 'manual',
      downloads: 0,
      likes: 0,
      config: null,
      // From the ObjectId.
      createdAt: new Date(0x6a838b56 * 1000).toISOString(),
      lastModified: null,
      sha: null,
      safetensors: { parameters: { F32: 5 }, total: 5 },
      baseModels: null,
    });
    expect(repo.tags).toHaveLength(10_000);
    expect((repo.cardData!.a as string).length).toBe(4096);
    expect(remarks).toEqual(['tags: 12000 cut to 10000', 'cardData: cut to its caps']);
  });

  it('cannot change what an object is', () => {
    const row = JSON.parse(
      '{"_id":"6a838b56859b6056ecfa5667","id":"a/b","cardData":{"__proto__":{"polluted":1},"constructor":{"x":1}}}',
    );
    const { repo } = read(row);
    expect(Object.getPrototypeOf(repo.cardData)).toBe(Object.prototype);
    expect((repo.cardData as Record<string, unknown>).polluted).toBeUndefined();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('never throw, whatever JSON they are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.jsonValue({ maxDepth: 6 }), (a, b) => {
        normalizeRepo(a);
        const keys = [
          'tags',
          'siblings',
          'cardData',
          'config',
          'gguf',
          'safetensors',
          'baseModels',
          'sha',
          'gated',
        ];
        const row = Object.fromEntries(keys.map((key, i) => [key, i % 2 === 0 ? a : b]));
        expect(normalizeRepo({ ...ROW, ...row }).ok).toBe(true);
        fromSibling(a);
        fromTreeEntry(b);
      }),
    );
  });
});

describe('caps on JSON', () => {
  it('hold whatever the value is, and change nothing within them', () => {
    const caps = { depth: 3, nodes: 30, stringLength: 10, totalLength: 100 };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const { value: kept, truncated } = capJson(value, caps);
        const size = measure(kept);
        expect(size.depth).toBeLessThanOrEqual(caps.depth + 1);
        expect(size.nodes).toBeLessThanOrEqual(caps.nodes);
        if (!truncated && !JSON.stringify(value).includes('__proto__')) expect(kept).toEqual(value);
      }),
    );
    expect(capJson({ license: 'mit', base_model: ['a/b', 'c/d'], n: 1.5, z: null }, CARD_CAPS)).toEqual({
      value: { license: 'mit', base_model: ['a/b', 'c/d'], n: 1.5, z: null },
      truncated: false,
    });
  });
});

function measure(value: unknown): { depth: number; nodes: number } {
  if (typeof value !== 'object' || value === null) return { depth: 1, nodes: 1 };
  const parts = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...parts.map((part) => part.depth)),
    nodes: 1 + parts.reduce((sum, part) => sum + part.nodes, 0),
  };
}

describe('repo ids', () => {
  it.each(['gpt2', 'a/b', 'A-1_x.y/Z..z', 'google-bert/bert-base-uncased'])('%s is one', (id) => {
    expect(isRepoId(id)).toBe(true);
  });
  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    '..',
    'a/..',
    './a',
    'a b',
    'a/b?c',
    'ä/b',
    'a\\b',
    'a/b\n',
    'x'.repeat(300),
  ])('%j is none', (id) => {
    expect(isRepoId(id)).toBe(false);
  });
});
