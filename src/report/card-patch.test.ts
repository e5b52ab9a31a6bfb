import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { licenceChain, suggestCardPatch } from './index.ts';

const suggestion = {
  verdict: 'contradicted',
  declared: ['x/Wrong'],
  inferred: ['a/Right'],
  edges: [{ rank: 1, probability: 0.9 }],
  relationInferred: 'finetune',
} as const;

/** The card after `git apply`, as an author would do it. */
function applied(readme: string, patch: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'card-'));
  try {
    writeFileSync(join(folder, 'README.md'), readme);
    execFileSync('git', ['apply', '--unidiff-zero', '-'], { cwd: folder, input: patch });
    return readFileSync(join(folder, 'README.md'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('suggestCardPatch', () => {
  it('suggests nothing where nothing is to be changed', () => {
    expect(suggestCardPatch({ ...suggestion, verdict: 'confirmed' })).toBeNull();
    expect(suggestCardPatch({ ...suggestion, verdict: 'ancestor' })).toBeNull();
    expect(suggestCardPatch({ ...suggestion, inferred: ['virtual/llama-1'] })).toBeNull();
    expect(suggestCardPatch({ ...suggestion, edges: [{ rank: 1, probability: 0.6 }] })).toBeNull();
  });

  it('shows the lines when the card itself is not at hand', () => {
    expect(suggestCardPatch(suggestion)).toBe(
      '--- a/README.md\n+++ b/README.md\n@@ front matter @@\n-base_model: x/Wrong\n+base_model: a/Right\n+base_model_relation: finetune\n',
    );
  });

  it('types only relations the Hub knows', () => {
    expect(suggestCardPatch({ ...suggestion, relationInferred: 'duplicate' })).not.toContain(
      'base_model_relation',
    );
  });

  it('quotes what is no id, so that a name cannot add lines of its own', () => {
    const patch = suggestCardPatch({ ...suggestion, declared: ['x\nlicense: evil'] });
    expect(patch).toContain('-base_model: "x\\nlicense: evil"');
  });

  it.each([
    [
      'replaces a scalar',
      '---\nlicense: mit\nbase_model: x/Wrong\ntags:\n- a\n---\n\n# T\n',
      { license: 'mit', tags: ['a'] },
    ],
    [
      'replaces a list and a relation elsewhere',
      '---\nbase_model:\n- x/Wrong\n- y/Wrong\nlicense: mit\nbase_model_relation: merge\n---\n# T\n',
      { license: 'mit' },
    ],
    ['adds to a card that declares nothing', '---\nlicense: mit\n---\n# T\n', { license: 'mit' }],
    ['adds to empty front matter', '---\n---\n# T\n', {}],
    ['adds front matter to a card without', '# T\n', {}],
  ])('applies cleanly: %s', (_, readme, rest) => {
    const patch =
      suggestCardPatch({
        ...suggestion,
        inferred: ['a/Right', 'b/Right'],
        relationInferred: 'merge',
        readme,
      }) ?? '';
    const card = applied(readme, patch);
    const [, yaml = '', body] = card.split(/^---$/m);
    expect(parse(yaml)).toEqual({
      ...rest,
      base_model: ['a/Right', 'b/Right'],
      base_model_relation: 'merge',
    });
    expect(body).toContain('# T');
  });
});

describe('licenceChain', () => {
  it('walks up to the root, and ends on a circle', () => {
    const parents: Record<string, string> = { c: 'b', b: 'a', x: 'y', y: 'x' };
    const chain = (repo: string) =>
      licenceChain(
        repo,
        (name) => parents[name] ?? null,
        (name) => (name === 'b' ? null : `L-${name}`),
      );
    expect(chain('c')).toEqual([
      { repo: 'c', licence: 'L-c' },
      { repo: 'b', licence: null },
      { repo: 'a', licence: 'L-a' },
    ]);
    expect(chain('x')).toHaveLength(2);
  });
});
