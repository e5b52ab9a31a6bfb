import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResolvedClaim } from '../types/claims.ts';
import { type Edge, RELATIONS, type Relatedness, type Relation } from '../types/lineage.ts';
import { MODEL_STATUSES, VERDICTS, type VerdictKind } from '../types/verdict.ts';
import { auditAll, auditModel } from './audit.ts';
import type { AuditModelFacts, AuditWorld } from './types.ts';
import { buildAuditInputs, pairKey, pairsToCompare, pairsToFit } from './world.ts';

const options = { contradictionPValue: 1e-6 };

const edge = (child: string, parent: string, fields: Partial<Edge> = {}): Edge => ({
  child,
  parent,
  relation: 'finetune',
  probability: 0.95,
  rank: 1,
  weight: null,
  method: 'tree',
  parentKind: parent.startsWith('virtual/') ? 'virtual' : 'repo',
  ...fields,
});

const claim = (resolvedRepo: string | null, fields: Partial<ResolvedClaim> = {}): ResolvedClaim => ({
  source: 'card',
  raw: resolvedRepo ?? 'gone/model',
  normalized: resolvedRepo ?? 'gone/model',
  relation: null,
  sha256: null,
  hint: false,
  resolvedRepo,
  ...fields,
});

const unrelated: Relatedness = {
  outcome: 'unrelated',
  cosine: 0.01,
  nullSd: 0.01,
  relativeDistance: 1.41,
  equalShare: 0,
  commonTensors: 412,
  commonValues: 10_000,
};
const related: Relatedness = { ...unrelated, outcome: 'related', cosine: 0.99, relativeDistance: 0.008 };
const incomparable: Relatedness = {
  ...unrelated,
  outcome: 'incomparable',
  cosine: null,
  nullSd: null,
  relativeDistance: null,
  equalShare: null,
  commonTensors: 0,
  commonValues: 0,
};

/** 64 wide unless told otherwise; X is 80 wide where a test needs other widths. */
const shape = (hidden: number) => ({
  family: 'llama' as const,
  widths: {
    hidden,
    intermediate: null,
    heads: null,
    kvHeads: null,
    headDim: null,
    layers: 4,
    vocab: 256,
    crossAttention: null,
  },
});
const wide = { models: { X: { shape: shape(80) } } };

interface Setup {
  claims?: Record<string, ResolvedClaim[]>;
  edges?: Edge[];
  models?: Record<string, Partial<AuditModelFacts>>;
  pairs?: Record<string, Relatedness>;
  extra?: Partial<AuditWorld>;
}

/** A small index: A is a root with child B and grandchild C; X is a root of its own. `me` is on trial. */
function world(setup: Setup): AuditWorld {
  const edges = [edge('B', 'A'), edge('C', 'B'), ...(setup.edges ?? [])];
  const names = ['A', 'B', 'C', 'X', 'me', ...Object.keys(setup.models ?? {})];
  const parentOf = (name: string) => edges.find((row) => row.child === name && row.rank === 1)?.parent;
  const rootOf = (name: string) => {
    let at = name;
    for (let i = 0; i < 9; i += 1) at = parentOf(at) ?? at;
    return at;
  };
  return {
    models: [...new Set(names)].map((repo) => ({
      repo,
      status: 'fingerprinted',
      kind: 'full',
      shape: shape(64),
      ...setup.models?.[repo],
    })),
    claims: new Map(Object.entries(setup.claims ?? {})),
    edges,
    families: [...new Set(names)].map((repo) => ({ repo, root: rootOf(repo), depth: 0 })),
    virtualParents: [],
    relatedness: new Map(
      Object.entries(setup.pairs ?? {}).map(([other, value]) => [pairKey('me', other), value]),
    ),
    ...setup.extra,
  };
}

function judge(setup: Setup) {
  const verdict = auditAll(world(setup), options).find((row) => row.repo === 'me');
  if (!verdict) throw new Error('no verdict');
  return verdict;
}

const cases: { name: string; verdict: VerdictKind; setup: Setup; says?: RegExp }[] = [
  {
    name: 'declares the inferred parent',
    verdict: 'confirmed',
    setup: { claims: { me: [claim('B')] }, edges: [edge('me', 'B')] },
    says: /^Declares B\. The weights agree: finetune of B \(probability 0\.95\)\.$/,
  },
  {
    name: 'declares a copy of the inferred parent',
    verdict: 'confirmed',
    setup: {
      claims: { me: [claim('Bcopy')] },
      models: { Bcopy: {} },
      edges: [edge('me', 'B'), edge('Bcopy', 'B', { relation: 'duplicate', method: 'hash' })],
    },
    says: /Bcopy holds the same values as B/,
  },
  {
    name: 'declares what the inferred parent is a cast of',
    verdict: 'confirmed',
    setup: {
      claims: { me: [claim('B')] },
      models: { Bcast: {} },
      edges: [edge('me', 'Bcast'), edge('Bcast', 'B', { relation: 'cast', method: 'rounding' })],
    },
  },
  {
    name: 'declares all parents of a merge',
    verdict: 'confirmed',
    setup: {
      claims: { me: [claim('B'), claim('C')] },
      edges: [
        edge('me', 'B', { relation: 'merge', weight: 0.6 }),
        edge('me', 'C', { relation: 'merge', weight: 0.4 }),
      ],
    },
    says: /A merge of these 2 fits the weights/,
  },
  {
    name: 'declares the parent and an ancestor besides',
    verdict: 'confirmed',
    setup: { claims: { me: [claim('A'), claim('B')] }, edges: [edge('me', 'B')] },
  },
  {
    name: 'is a copy of what it declares, without a typed relation',
    verdict: 'confirmed',
    setup: {
      claims: { me: [claim('B')] },
      edges: [edge('me', 'B', { relation: 'duplicate', method: 'values' })],
    },
  },
  {
    name: 'the Hub shows finetune for a copy',
    verdict: 'confirmed',
    setup: {
      claims: { me: [claim('B'), claim('B', { source: 'tags', relation: 'finetune' })] },
      edges: [edge('me', 'B', { relation: 'duplicate', method: 'values' })],
    },
  },
  {
    name: 'typed finetune, is a copy',
    verdict: 'relation_mismatch',
    setup: {
      claims: { me: [claim('B', { relation: 'finetune' })] },
      edges: [edge('me', 'B', { relation: 'duplicate', method: 'hash' })],
    },
    says: /as finetune\. The parent agrees, the relation does not: its files are those of B, byte for byte/,
  },
  {
    name: 'typed finetune, is a quantised copy',
    verdict: 'relation_mismatch',
    setup: {
      claims: { me: [claim('B', { relation: 'finetune' })] },
      edges: [edge('me', 'B', { relation: 'quantized', method: 'requantise' })],
    },
  },
  {
    name: 'typed quantized, holds the same values in another format',
    verdict: 'confirmed',
    setup: {
      claims: { me: [claim('B', { relation: 'quantized' })] },
      edges: [edge('me', 'B', { relation: 'cast', method: 'rounding' })],
    },
  },
  {
    name: 'typed merge, looks like a fine-tune',
    verdict: 'confirmed',
    setup: { claims: { me: [claim('B', { relation: 'merge' })] }, edges: [edge('me', 'B')] },
  },
  {
    name: 'declares a candidate of the tie set',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('C')] },
      edges: [edge('me', 'B', { probability: 0.6 }), edge('me', 'C', { probability: 0.3, rank: 2 })],
    },
    says: /does not exclude C: it is in the tie set/,
  },
  {
    name: 'declares one parent of a merge',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('B')] },
      edges: [
        edge('me', 'B', { relation: 'merge', weight: 0.6 }),
        edge('me', 'X', { relation: 'merge', weight: 0.4 }),
      ],
    },
    says: /They also point to X/,
  },
  {
    name: 'declares the parent and a model that is not in the weights',
    verdict: 'consistent',
    setup: { claims: { me: [claim('B'), claim('X')] }, edges: [edge('me', 'B')], pairs: { X: unrelated } },
    says: /X was not found in the weights \(cosine 0\.01 where 0\.00 ± 0\.01 is chance\)/,
  },
  {
    name: 'an adapter whose declared base fits by shape',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('B')] },
      models: { me: { kind: 'adapter', status: 'adapter' } },
      edges: [edge('me', 'B', { relation: 'adapter', method: 'shape', probability: 0.3 })],
    },
  },
  {
    name: 'an adapter put by shape beside its declared base, which fits too',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('X')] },
      models: { me: { kind: 'adapter', status: 'adapter' } },
      edges: [edge('me', 'B', { relation: 'adapter', method: 'shape', probability: 0.3 })],
      extra: { adapterFits: new Map([[pairKey('me', 'X'), true]]) },
    },
  },
  {
    name: 'declares a relative, where nothing tells its own place',
    verdict: 'consistent',
    setup: { claims: { me: [claim('X')] }, pairs: { X: related } },
    says: /which came first is not settled/,
  },
  {
    name: 'declares a quantised copy of its parent',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('Q')] },
      models: { Q: {} },
      edges: [edge('me', 'B'), edge('Q', 'B', { relation: 'quantized', method: 'requantise' })],
    },
    says: /quantised copy of B/,
  },
  {
    name: 'declares what was taken for its copy',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('Twin')] },
      models: { Twin: {} },
      edges: [edge('me', 'A'), edge('Twin', 'me', { relation: 'duplicate', method: 'values' })],
    },
    says: /nothing tells which came first/,
  },
  {
    name: 'declares its grandparent',
    verdict: 'ancestor',
    setup: { claims: { me: [claim('A')] }, edges: [edge('me', 'B')] },
    says: /^Declares A, an ancestor\. The direct parent is B/,
  },
  {
    name: 'a merge declares the base of both its parents',
    verdict: 'ancestor',
    setup: {
      claims: { me: [claim('A', { relation: 'merge' })] },
      edges: [
        edge('me', 'B', { relation: 'merge', weight: 0.5 }),
        edge('me', 'C', { relation: 'merge', weight: 0.5 }),
      ],
    },
  },
  {
    name: 'declares a sibling',
    verdict: 'relative',
    setup: { claims: { me: [claim('B')] }, edges: [edge('me', 'A')], pairs: { B: related } },
    says: /B is related \(cosine 0\.99 where/,
  },
  {
    name: 'declares a descendant',
    verdict: 'relative',
    setup: {
      claims: { me: [claim('D')] },
      models: { me: { createdAt: 1 }, D: { createdAt: 2 } },
      edges: [edge('me', 'A'), edge('D', 'me')],
    },
    says: /D appears to descend from this model instead/,
  },
  {
    name: 'a root declares its quantised child',
    verdict: 'relative',
    setup: {
      claims: { me: [claim('D')] },
      models: { D: {} },
      edges: [edge('D', 'me', { relation: 'quantized', method: 'requantise' })],
    },
  },
  {
    name: 'declares an older model that was taken for its child',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('D')] },
      models: { me: { createdAt: 2 }, D: { createdAt: 1 } },
      edges: [edge('D', 'me')],
    },
    says: /which came first is not settled/,
  },
  {
    name: 'declares a listed candidate that the evidence tells apart',
    verdict: 'ancestor',
    setup: {
      claims: { me: [claim('A')] },
      edges: [edge('me', 'B', { probability: 0.99 }), edge('me', 'A', { probability: 0.006, rank: 2 })],
    },
  },
  {
    name: 'an adapter whose declared base has the widths of one that fits',
    verdict: 'consistent',
    setup: {
      claims: { me: [claim('X')] },
      models: { me: { kind: 'adapter', status: 'adapter' } },
      edges: [edge('me', 'B', { relation: 'adapter', method: 'shape', probability: 0.3 })],
    },
  },
  {
    name: 'a copy of an adapter that shapes put into another family',
    verdict: 'unknown',
    setup: {
      claims: { me: [claim('C')] },
      models: {
        me: { kind: 'adapter', status: 'adapter' },
        L: { kind: 'adapter', status: 'adapter' },
      },
      edges: [
        edge('me', 'L', { relation: 'duplicate', method: 'hash' }),
        edge('L', 'A', { relation: 'adapter', method: 'shape', probability: 0.3 }),
      ],
    },
  },
  {
    name: 'declares an adapter, which shapes put into its family',
    verdict: 'unknown',
    setup: {
      claims: { me: [claim('L')] },
      models: { L: { kind: 'adapter', status: 'adapter' } },
      edges: [edge('me', 'B'), edge('L', 'A', { relation: 'adapter', method: 'shape', probability: 0.3 })],
    },
    says: /it is an adapter/,
  },
  {
    name: 'declares an unrelated model of the same shape',
    verdict: 'contradicted',
    setup: { claims: { me: [claim('X')] }, edges: [edge('me', 'B')], pairs: { X: unrelated, B: related } },
    says: /^Declares X\. Its weights are not consistent with X \(cosine 0\.01 where 0\.00 ± 0\.01 is chance\); they match B \(relative distance 0\.8 %, 412 tensors\)\.$/,
  },
  {
    name: 'declares an unrelated model, and no parent was found',
    verdict: 'contradicted',
    setup: { claims: { me: [claim('X')] }, pairs: { X: unrelated } },
  },
  {
    name: 'declares a model of other widths and certainly matches another',
    verdict: 'contradicted',
    setup: {
      ...wide,
      claims: { me: [claim('X')] },
      edges: [edge('me', 'B')],
      pairs: { X: incomparable, B: related },
    },
    says: /other widths than those of X; they match B/,
  },
  {
    name: 'an adapter whose factors cannot fit what it declares',
    verdict: 'contradicted',
    setup: {
      claims: { me: [claim('X')] },
      models: { me: { kind: 'adapter', status: 'adapter' } },
      extra: { adapterFits: new Map([[pairKey('me', 'X'), false]]) },
    },
    says: /shapes that cannot fit X/,
  },
  {
    name: 'declares nothing, a parent was found',
    verdict: 'undeclared',
    setup: { edges: [edge('me', 'B')] },
  },
  {
    name: 'declares only itself, a parent was found',
    verdict: 'undeclared',
    setup: { claims: { me: [claim('me')] }, edges: [edge('me', 'B')] },
    says: /names itself/,
  },
  {
    name: 'hints alone declare nothing',
    verdict: 'undeclared',
    setup: {
      claims: { me: [claim('X', { source: 'prose', hint: true })] },
      edges: [edge('me', 'B')],
      pairs: { X: unrelated },
    },
  },
  {
    name: 'declares what is no repo',
    verdict: 'unresolved',
    setup: { claims: { me: [claim(null)] }, edges: [edge('me', 'B')] },
    says: /gone\/model, which names no repo in the index\. The weights point to B/,
  },
  {
    name: 'declares what is no repo, and its weights are out of reach',
    verdict: 'unresolved',
    setup: { claims: { me: [claim(null)] }, models: { me: { status: 'gated' } } },
  },
  {
    name: 'declares a repo the Hub knows and the index does not',
    verdict: 'unknown',
    setup: { claims: { me: [claim(null), claim(null, { source: 'hub' })] }, edges: [edge('me', 'B')] },
  },
  {
    name: 'declares a gated base without weights',
    verdict: 'unknown',
    setup: {
      claims: { me: [claim('G')] },
      models: { G: { status: 'gated' } },
      edges: [edge('me', 'virtual/llama-1')],
      extra: {
        virtualParents: [{ id: 'virtual/llama-1', declaredLabel: 'G', children: ['me', 'you'] }],
      },
    },
    says: /Declares G, which could not be checked: it is gated .* 1 other that seem/,
  },
  {
    name: 'is itself gated',
    verdict: 'unknown',
    setup: { claims: { me: [claim('A')] }, models: { me: { status: 'gated' } } },
  },
  {
    name: 'was not compared',
    verdict: 'unknown',
    setup: { claims: { me: [claim('X')] }, edges: [edge('me', 'B')] },
  },
  {
    name: 'too few values in common to exclude a base',
    verdict: 'unknown',
    setup: { claims: { me: [claim('X')] }, pairs: { X: { ...unrelated, nullSd: 0.1 } } },
  },
  {
    name: 'an alarm says units may be permuted',
    verdict: 'unknown',
    setup: {
      claims: { me: [claim('X')] },
      edges: [edge('me', 'B', { relation: 'transformed', method: 'transformed' })],
      pairs: { X: unrelated },
    },
    says: /reordered, .*Order-free statistics match B with its units reordered/,
  },
  {
    name: 'somebody reordered a copy of it, and it matches its own parent in place',
    verdict: 'contradicted',
    setup: {
      claims: { me: [claim('X')] },
      edges: [edge('me', 'B')],
      pairs: { X: unrelated, B: related },
      extra: { transformedAlarms: new Set(['me']) },
    },
  },
  {
    name: 'declares an unrelated model and a name that leads nowhere',
    verdict: 'unknown',
    setup: { claims: { me: [claim('X'), claim(null)] }, pairs: { X: unrelated } },
    says: /X was not found in the weights .*gone\/model could not be matched/,
  },
  {
    name: 'an alarm without an edge',
    verdict: 'unknown',
    setup: {
      claims: { me: [claim('X')] },
      pairs: { X: unrelated },
      extra: { transformedAlarms: new Set(['me']) },
    },
  },
  {
    name: 'nothing in common although the widths are the same',
    verdict: 'unknown',
    setup: {
      claims: { me: [claim('X')] },
      edges: [edge('me', 'B')],
      pairs: { X: incomparable, B: related },
    },
    says: /no values that could be compared/,
  },
  {
    name: 'other widths, but its inferred parent declares the same base',
    verdict: 'unknown',
    setup: {
      ...wide,
      claims: { me: [claim('X')], B: [claim('X', { source: 'prose', hint: true })] },
      edges: [edge('me', 'B')],
      pairs: { X: incomparable, B: related },
    },
  },
  {
    name: 'other widths and no parent found',
    verdict: 'unknown',
    setup: { ...wide, claims: { me: [claim('X')] }, pairs: { X: incomparable } },
  },
  {
    name: 'other widths and a parent that is only likely',
    verdict: 'unknown',
    setup: { ...wide, claims: { me: [claim('X')] }, edges: [edge('me', 'B')], pairs: { X: incomparable } },
  },
  {
    name: 'nothing declared, nothing read',
    verdict: 'unknown',
    setup: { models: { me: { status: 'failed' } } },
    says: /reading it failed/,
  },
  {
    name: 'an adapter that declares nothing and matches nothing',
    verdict: 'unknown',
    setup: { models: { me: { kind: 'adapter', status: 'adapter' } } },
  },
  { name: 'nothing declared, nothing found', verdict: 'original', setup: {} },
];

describe('auditModel', () => {
  it.each(cases)('$verdict: $name', ({ verdict, setup, says }) => {
    const result = judge(setup);
    expect(result.verdict).toBe(verdict);
    if (says) expect(result.reason).toMatch(says);
    expect(result.reason.length).toBeGreaterThan(10);
  });

  it('reaches every verdict', () => {
    expect(new Set(cases.map((entry) => entry.verdict))).toEqual(new Set(VERDICTS));
  });

  it('promises no more than the bound for contradicted', () => {
    const { probability } = judge({ claims: { me: [claim('X')] }, pairs: { X: unrelated } });
    expect(probability).toBe(1 - 1e-6);
  });

  it('adds the probabilities of ties for consistent', () => {
    const { probability } = judge({
      claims: { me: [claim('C')] },
      edges: [edge('me', 'B', { probability: 0.6 }), edge('me', 'C', { probability: 0.3, rank: 2 })],
    });
    expect(probability).toBeCloseTo(0.9);
  });

  it('prefers a source that leads somewhere over a card that does not', () => {
    const result = judge({
      claims: { me: [claim(null), claim('B', { source: 'adapter_config', relation: 'adapter' })] },
      edges: [edge('me', 'B')],
    });
    expect(result).toMatchObject({ verdict: 'confirmed', declared: ['B'], relationDeclared: 'adapter' });
  });

  it('lists what it could not resolve beside what it could', () => {
    const result = judge({ claims: { me: [claim('B'), claim(null)] }, edges: [edge('me', 'B')] });
    expect(result.verdict).toBe('confirmed');
    expect(result.reason).toContain('gone/model could not be matched');
  });
});

describe('accusations', () => {
  const outcome = fc.constantFrom<Relatedness['outcome']>(
    'related',
    'unrelated',
    'undecided',
    'incomparable',
  );
  const relatedness = fc.record({
    outcome,
    cosine: fc.option(fc.double({ min: -1, max: 1, noNaN: true })),
    nullSd: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    relativeDistance: fc.option(fc.double({ min: 0, max: 2, noNaN: true })),
    equalShare: fc.constant(null),
    commonTensors: fc.nat(500),
    commonValues: fc.nat(100_000),
  });
  const repo = fc.constantFrom('A', 'B', 'C', 'X');
  const setup = fc.record({
    status: fc.constantFrom(...MODEL_STATUSES),
    baseStatus: fc.constantFrom(...MODEL_STATUSES),
    baseWidth: fc.constantFrom(64, 80, null),
    kind: fc.constantFrom<'full' | 'adapter'>('full', 'adapter'),
    declared: fc.array(fc.option(repo), { maxLength: 3 }),
    hint: fc.boolean(),
    relation: fc.option(fc.constantFrom<Relation>(...RELATIONS)),
    parents: fc.uniqueArray(repo, { maxLength: 3 }),
    edgeRelation: fc.constantFrom<Relation>(...RELATIONS),
    method: fc.constantFrom('tree', 'hash', 'shape', 'values'),
    alarm: fc.boolean(),
    pairs: fc.dictionary(repo, relatedness),
  });

  it('are only made with evidence, whatever the input', () => {
    fc.assert(
      fc.property(setup, (s) => {
        const index = world({
          claims: { me: s.declared.map((name) => claim(name, { hint: s.hint, relation: s.relation })) },
          models: {
            me: { status: s.status, kind: s.kind },
            X: { status: s.baseStatus, shape: s.baseWidth === null ? null : shape(s.baseWidth) },
          },
          edges: s.parents.map((parent, i) =>
            edge('me', parent, { rank: i === 0 ? 1 : 2, relation: s.edgeRelation, method: s.method }),
          ),
          pairs: s.pairs,
          extra: { transformedAlarms: new Set(s.alarm ? ['me'] : []) },
        });
        const result = auditAll(index, options).find((row) => row.repo === 'me')!;
        if (result.verdict === 'contradicted') {
          expect(s.hint).toBe(false);
          const parent = s.parents[0];
          if (s.alarm) expect(parent && s.pairs[parent]?.outcome).toBe('related');
          if (parent) expect(s.edgeRelation).not.toBe('transformed');
          expect(s.kind).toBe('full');
          expect(s.status).not.toBe('adapter');
          for (const name of result.declared) {
            expect(['unrelated', 'incomparable']).toContain(s.pairs[name]?.outcome);
            if (s.pairs[name]?.outcome === 'incomparable') expect([name, s.baseWidth]).toEqual(['X', 80]);
            if (name === 'X') expect(s.baseStatus).toBe('fingerprinted');
            expect(s.parents).not.toContain(name);
          }
        }
        if (result.verdict === 'relation_mismatch') expect(s.relation).not.toBeNull();
        if (result.probability !== null) {
          expect(result.probability).toBeGreaterThanOrEqual(0);
          expect(result.probability).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the world', () => {
  it('asks only for comparisons a verdict needs', () => {
    const index = world({
      claims: { me: [claim('X')], B: [claim('A')], C: [claim('A')] },
      edges: [edge('me', 'B')],
    });
    expect(pairsToCompare(index)).toEqual([
      { child: 'me', other: 'X' },
      { child: 'me', other: 'B' },
    ]);
  });

  it('asks for none where weights are missing on either side', () => {
    const index = (models: Setup['models']) =>
      world({ claims: { me: [claim('X')] }, ...(models ? { models } : {}) });
    expect(pairsToCompare(index({ X: { status: 'gated' } }))).toEqual([]);
    expect(pairsToCompare(index({ me: { status: 'no_weights' } }))).toEqual([]);
  });

  it('asks for shapes of declared bases an adapter was not tied to', () => {
    const index = world({
      claims: { me: [claim('X'), claim('B')] },
      models: { me: { kind: 'adapter', status: 'adapter' } },
      edges: [edge('me', 'B', { method: 'shape' })],
    });
    expect(pairsToFit(index)).toEqual([{ child: 'me', other: 'X' }]);
    expect(pairsToCompare(index)).toEqual([]);
  });

  it('ends on cycles of broken edges', () => {
    const index = world({
      edges: [edge('me', 'B'), edge('B', 'me'), edge('X', 'X')],
      claims: { me: [claim('X')] },
    });
    expect(auditAll(index, options)).toHaveLength(index.models.length);
  });

  it('gathers copies of ancestors, and joins classes through chains of copies and casts', () => {
    const index = world({
      models: { A2: {}, A3: {} },
      edges: [
        edge('A2', 'A', { relation: 'duplicate' }),
        edge('A3', 'A2', { relation: 'cast' }),
        edge('me', 'B'),
      ],
      claims: { me: [claim('A3')] },
    });
    const input = [...buildAuditInputs(index)].find((row) => row.repo === 'me')!;
    expect([...input.ancestors].sort()).toEqual(['A', 'A2', 'A3', 'B']);
    expect(auditModel(input, options).verdict).toBe('ancestor');
  });
});
