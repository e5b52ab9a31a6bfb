import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HubRepo } from '../types/hub.ts';
import { extractClaims } from './extract-claims.ts';

const hubRepo = (fields: Partial<HubRepo> = {}): HubRepo => ({
  hubId: '0123456789abcdef01234567',
  repo: 'me/Child',
  sha: null,
  createdAt: '2024-01-01T00:00:00.000Z',
  lastModified: null,
  downloads: 0,
  likes: 0,
  gated: false,
  private: false,
  disabled: false,
  tags: [],
  pipelineTag: null,
  libraryName: null,
  cardData: null,
  config: null,
  files: [],
  safetensors: null,
  gguf: null,
  baseModels: null,
  ...fields,
});

const fromCard = (base_model: unknown, more: Record<string, unknown> = {}) =>
  extractClaims({ repo: hubRepo({ cardData: { base_model, ...more } }) });

describe('the card', () => {
  it('takes a string, whatever stands around the name', () => {
    expect(fromCard(' https://huggingface.co/A/B/ ').claims).toEqual([
      {
        source: 'card',
        raw: ' https://huggingface.co/A/B/ ',
        normalized: 'A/B',
        relation: null,
        sha256: null,
        hint: false,
      },
    ]);
  });

  it('takes a list, drops repeats whatever their case, and keeps what names no repo', () => {
    const { claims } = fromCard(['a/b', 'A/B', './local', 42, { model: 'x' }, ['c/d'], null, '', 'e/f']);
    expect(claims.map((claim) => claim.normalized)).toEqual(['a/b', null, null, null, null, 'e/f']);
    expect(claims.map((claim) => claim.raw)).toEqual([
      'a/b',
      './local',
      '42',
      '{"model":"x"}',
      '["c/d"]',
      'e/f',
    ]);
  });

  it.each([[null], [undefined], [''], ['  '], [[]]])('declares nothing with %s', (value) => {
    expect(fromCard(value).claims).toEqual([]);
  });

  it('reads the first 200 of a longer list and says so', () => {
    const { claims, notes } = fromCard(Array.from({ length: 250 }, (_, i) => `a/model-${i}`));
    expect(claims).toHaveLength(200);
    expect(notes.join()).toContain('250');
  });

  it('keeps at most 500 characters of what was typed', () => {
    expect(fromCard('z'.repeat(10_000)).claims[0]).toMatchObject({ raw: 'z'.repeat(500), normalized: null });
  });

  it('carries a typed relation, and tells of one that is none', () => {
    expect(fromCard('a/b', { base_model_relation: 'Merge ' }).claims[0]?.relation).toBe('merge');
    const odd = fromCard('a/b', { base_model_relation: 'cousin' });
    expect(odd.claims[0]?.relation).toBeNull();
    expect(odd.notes.join()).toContain('cousin');
  });

  it('keeps a self-declaration for the audit to judge', () => {
    expect(fromCard('me/child').claims[0]?.normalized).toBe('me/child');
  });

  it('falls back on README front matter, and says when that is broken', () => {
    const readme = '---\nbase_model: a/b\n---\n';
    expect(extractClaims({ repo: hubRepo(), readme }).claims[0]).toMatchObject({
      source: 'card',
      normalized: 'a/b',
    });
    const broken = extractClaims({ repo: hubRepo(), readme: '---\nbase_model: [a/b\n---\n' });
    expect(broken.claims).toEqual([]);
    expect(broken.notes.join()).toContain('could not be read');
  });
});

describe('tags and the Hub', () => {
  it('reads both forms of the tag as one claim with the relation', () => {
    const { claims } = extractClaims({
      repo: hubRepo({ tags: ['llama', 'base_model:A/B', 'base_model:quantized:A/B', 'base_model:'] }),
    });
    expect(claims).toEqual([
      expect.objectContaining({ source: 'tags', normalized: 'A/B', relation: 'quantized' }),
    ]);
  });

  it('reads the parents the Hub resolved', () => {
    const baseModels = {
      relation: 'merge',
      models: [
        { hubId: '1', repo: 'a/b' },
        { hubId: '2', repo: 'c/d' },
      ],
    };
    const { claims } = extractClaims({ repo: hubRepo({ baseModels }) });
    expect(claims.map((claim) => [claim.source, claim.normalized, claim.relation])).toEqual([
      ['hub', 'a/b', 'merge'],
      ['hub', 'c/d', 'merge'],
    ]);
  });
});

describe('files', () => {
  it('reads an adapter config as an adapter claim, also from the Hub subset of config', () => {
    const adapterConfig = { base_model_name_or_path: 'unsloth/llama-3-8b-bnb-4bit', peft_type: 'LORA' };
    for (const input of [
      { repo: hubRepo(), adapterConfig },
      { repo: hubRepo({ config: { peft: adapterConfig } }) },
    ]) {
      expect(extractClaims(input).claims[0]).toMatchObject({
        source: 'adapter_config',
        normalized: 'unsloth/llama-3-8b-bnb-4bit',
        relation: 'adapter',
        hint: false,
      });
    }
  });

  it('takes _name_or_path for a hint, and not at all when it is the repo itself', () => {
    const read = (path: string) =>
      extractClaims({ repo: hubRepo(), configJson: { _name_or_path: path } }).claims;
    expect(read('a/b')[0]).toMatchObject({ source: 'config', hint: true });
    expect(read('Me/Child')).toEqual([]);
  });

  it('reads GGUF sources as claims and GGUF base models as hints', () => {
    const { claims } = extractClaims({
      repo: hubRepo(),
      metadata: {
        'general.source.huggingface.repository': 'a/b',
        'general.base_model.count': '1',
        'general.base_model.0.repo_url': 'https://huggingface.co/c/d',
        'general.base_model.0.name': 'D for people',
      },
    });
    expect(claims.map((claim) => [claim.normalized, claim.hint])).toEqual([
      ['a/b', false],
      ['c/d', true],
    ]);
  });

  it('survives a GGUF that counts a billion base models', () => {
    const { claims } = extractClaims({
      repo: hubRepo(),
      metadata: { 'general.base_model.count': '1000000000' },
    });
    expect(claims).toEqual([]);
  });

  it('reads what a LoRA was trained on, by name and by hash', () => {
    const hash = '67ab2fd8ec439a89b3fedb15cc65f54336af163c7eb5e4f2acc98f090a29b0b3';
    const { claims } = extractClaims({
      repo: hubRepo(),
      metadata: {
        ss_network_module: 'networks.lora',
        ss_sd_model_name: 'sd_xl_base_1.0.safetensors',
        ss_new_sd_model_hash: hash.toUpperCase(),
      },
    });
    expect(claims).toEqual([
      {
        source: 'kohya',
        raw: 'sd_xl_base_1.0.safetensors',
        normalized: null,
        relation: 'adapter',
        sha256: hash,
        hint: false,
      },
    ]);
    expect(extractClaims({ repo: hubRepo(), metadata: { ss_sd_model_name: 'None' } }).claims).toEqual([]);
  });
});

describe('the text of the card', () => {
  const merge = `# Merge
\`\`\`yaml
models:
  - model: a/one
    parameters: {weight: 0.5}
  - model: b/two+c/lora
merge_method: ties
base_model: d/base
\`\`\`
\`\`\`yaml
slices:
- sources:
  - model: {model: {path: e/three}}
    layer_range: [0, 16]
\`\`\`
`;

  it('reads merge configurations; the base of the recipe is a hint', () => {
    const { claims } = extractClaims({ repo: hubRepo(), readme: merge });
    const found = claims.filter((claim) => claim.source === 'mergekit');
    expect(found.map((claim) => [claim.normalized, claim.relation, claim.hint])).toEqual([
      ['a/one', 'merge', false],
      ['b/two', 'merge', false],
      ['d/base', 'merge', true],
      ['e/three', 'merge', false],
    ]);
  });

  it('leaves other YAML and alias bombs alone', () => {
    const bomb = `\`\`\`yaml\nmodels: &a [&b [1,1,1,1], *b, *b, *b]\nx: [${Array(40).fill('*a').join(',')}]\n\`\`\`\n`;
    const readme = `\`\`\`yaml\nmodel: a/b\n\`\`\`\n${bomb}`;
    expect(
      extractClaims({ repo: hubRepo(), readme }).claims.filter((claim) => claim.source === 'mergekit'),
    ).toEqual([]);
  });

  it('takes mentions for hints, and data sets and phrases for neither', () => {
    const readme = [
      '---\nlicense: mit\n---',
      'This model is a fine-tuned version of [x](https://huggingface.co/meta/Llama-2-7b).',
      'Trained on https://huggingface.co/datasets/some/data-set and/or more.',
      'It is based on input/output pairs.',
    ].join('\n');
    const { claims } = extractClaims({ repo: hubRepo(), readme });
    expect(claims.map((claim) => [claim.source, claim.normalized, claim.hint])).toEqual([
      ['prose', 'meta/Llama-2-7b', true],
    ]);
  });
});

describe('sources together', () => {
  it('keeps each source', () => {
    const { claims } = extractClaims({
      repo: hubRepo({ cardData: { base_model: 'a/b' }, tags: ['base_model:a/b'] }),
      adapterConfig: { base_model_name_or_path: 'c/d' },
    });
    expect(claims.map((claim) => claim.source)).toEqual(['card', 'tags', 'adapter_config']);
  });

  it('says when files look like another relation than the typed one', () => {
    const { notes } = extractClaims({
      repo: hubRepo({
        cardData: { base_model: 'a/b', base_model_relation: 'finetune' },
        files: ['x.Q4_0.gguf'],
      }),
    });
    expect(notes.join()).toContain('quantized');
  });

  it('takes anything at all without throwing, and keeps claims within bounds', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.string(),
        (card, adapter, config, readme) => {
          const { claims } = extractClaims({
            repo: hubRepo({ cardData: { base_model: card, base_model_relation: adapter } }),
            adapterConfig: adapter,
            configJson: config,
            readme,
          });
          for (const claim of claims) expect(claim.raw.length).toBeLessThanOrEqual(500);
        },
      ),
    );
  });
});
