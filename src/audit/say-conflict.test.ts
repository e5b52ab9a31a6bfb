import { describe, expect, it } from 'vitest';
import type { ClaimSource, ResolvedClaim } from '../types/claims.ts';
import type { Edge, Relation } from '../types/lineage.ts';
import { auditAll } from './audit.ts';

const claim = (source: ClaimSource, name: string, rest: Partial<ResolvedClaim> = {}): ResolvedClaim => ({
  source,
  raw: name,
  normalized: name,
  relation: null,
  sha256: null,
  hint: false,
  resolvedRepo: name,
  ...rest,
});

const edge = (child: string, parent: string, relation: Relation): Edge => ({
  ...{ child, parent, relation, probability: 0.95, rank: 1 },
  ...{ weight: null, method: 'tree', parentKind: 'repo' },
});

/** `o/q` is a quantised form of `o/base`, `o/copy` a copy of it; `o/me` was made from it. */
function reasonFor(...claims: ResolvedClaim[]): string {
  const repos = ['o/base', 'o/other', 'o/q', 'o/copy', 'o/me'];
  const edges = [
    edge('o/q', 'o/base', 'quantized'),
    edge('o/copy', 'o/base', 'duplicate'),
    edge('o/me', 'o/base', 'finetune'),
  ];
  const verdicts = auditAll(
    {
      models: repos.map((repo) => ({ repo, status: 'fingerprinted', kind: 'full' })),
      claims: new Map([['o/me', claims]]),
      edges,
      families: repos.map((repo) => ({ repo, root: repo === 'o/other' ? repo : 'o/base', depth: 0 })),
      virtualParents: [],
      relatedness: new Map(),
    },
    { contradictionPValue: 1e-6 },
  );
  return verdicts.find((verdict) => verdict.repo === 'o/me')!.reason;
}

describe('sources that differ', () => {
  it('are named in the reason, whichever the verdict is about', () => {
    expect(reasonFor(claim('card', 'o/base'), claim('adapter_config', 'o/other'))).toMatch(
      /^Declares o\/base\. .* Its own sources differ: the card names o\/base, adapter_config\.json o\/other\.$/,
    );
    // the card leads nowhere, so the verdict is about the file; what the card says is still told
    const gone = claim('card', 'gone/model', { resolvedRepo: null });
    expect(reasonFor(gone, claim('adapter_config', 'o/base'))).toMatch(
      /adapter_config\.json names o\/base, the card gone\/model\.$/,
    );
  });

  it.each([
    ['the same repo', [claim('card', 'o/base'), claim('gguf', 'o/base')]],
    ['another spelling of it', [claim('card', 'o/base'), claim('gguf', 'O/Base', { resolvedRepo: null })]],
    ['a copy of it', [claim('card', 'o/base'), claim('gguf', 'o/copy')]],
    ['what it was quantised from', [claim('card', 'o/base'), claim('adapter_config', 'o/q')]],
    ['a hint at another', [claim('card', 'o/base'), claim('config', 'o/other', { hint: true })]],
    [
      'a path',
      [claim('card', 'o/base'), claim('config', '/tmp/x', { normalized: null, resolvedRepo: null })],
    ],
    ['one of several', [claim('card', 'o/base'), claim('card', 'o/other'), claim('gguf', 'o/base')]],
    [
      'fewer in what the Hub derives',
      [claim('card', 'o/base'), claim('card', 'o/other'), claim('hub', 'o/base')],
    ],
    ['the repo itself', [claim('card', 'o/base'), claim('gguf', 'o/me')]],
  ])('are none where both name %s', (_, claims) => {
    expect(reasonFor(...claims)).not.toContain('differ');
  });

  it('may be about the relation alone', () => {
    expect(
      reasonFor(
        claim('card', 'o/base', { relation: 'finetune' }),
        claim('adapter_config', 'o/base', { relation: 'adapter' }),
      ),
    ).toMatch(/The card says finetune, adapter_config\.json adapter\.$/);
  });
});

describe('a hint', () => {
  it('is told where it names the parent found and the declaration another', () => {
    const hint = claim('config', 'o/base', { hint: true });
    expect(reasonFor(claim('card', 'o/other'), hint)).toMatch(/Config\.json names o\/base\.$/i);
    expect(reasonFor(claim('card', 'o/base'), hint)).not.toContain('config.json');
    expect(reasonFor(hint)).not.toContain('config.json');
  });
});
