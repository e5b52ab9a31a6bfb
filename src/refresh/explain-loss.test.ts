import { describe, expect, it } from 'vitest';
import type { Edge, Evidence, Relatedness } from '../types/lineage.ts';
import type { PairStory } from './explain-edge.ts';
import { explainLoss } from './explain-loss.ts';

const edge = (overrides: Partial<Edge> = {}): Edge => ({
  child: 'x/child',
  parent: 'x/chosen',
  relation: 'finetune',
  probability: 0.8,
  rank: 1,
  weight: null,
  method: 'tree',
  parentKind: 'repo',
  ...overrides,
});
const finding = (logOdds: number, detail: string): Evidence => ({
  child: 'x/child',
  parent: 'x/other',
  probe: 'created-before',
  outcome: 'neutral',
  value: null,
  logOdds,
  detail,
});
const related = (relativeDistance: number, outcome: Relatedness['outcome'] = 'related'): Relatedness => ({
  outcome,
  cosine: 0.9,
  nullSd: 0.01,
  relativeDistance,
  equalShare: 0,
  commonTensors: 10,
  commonValues: 5000,
});
const story = (overrides: Partial<PairStory> = {}): PairStory => ({
  parent: 'x/other',
  edge: null,
  terms: [],
  probes: [finding(0, 'Nothing.')],
  behaviour: null,
  relatedness: related(0.02),
  ...overrides,
});
const chosen = story({ parent: 'x/chosen', edge: edge(), relatedness: related(0.01) });
const lose = (kind: string, overrides: Partial<PairStory>, winner: PairStory | null = chosen) =>
  explainLoss({ ...story(overrides), kind }, winner);

describe('explainLoss', () => {
  it('gives the strongest reason first', () => {
    expect(lose('sibling', { probes: [] })).toContain('not been read');
    expect(lose('declared', { relatedness: related(1.4, 'unrelated') })).toContain('not related');
    expect(lose('child', {})).toContain('points the other way');
    expect(lose('sibling', { probes: [finding(-5.9, 'Created 9 days after.')] })).toBe(
      'Created 9 days after.',
    );
    expect(lose('sibling', {})).toBe(
      'It is further away: relative distance 2.0 %, against 1.0 % of x/chosen.',
    );
  });

  it('tells a tie by its probability and what spoke against it', () => {
    const tie = edge({ parent: 'x/other', probability: 0.2, rank: 2 });
    const terms = [finding(2, 'For.'), finding(-3, 'Rivals have more children.')];
    expect(lose('tie', { edge: tie, terms })).toContain('0.200');
    expect(lose('tie', { edge: tie, terms })).toContain('Rivals have more children.');
    expect(lose('tie', { edge: tie, terms: [finding(2, 'For.')] })).not.toContain('What speaks');
  });

  it('claims nothing about distances where there are none', () => {
    const adapter = story({ parent: 'x/chosen', edge: edge({ method: 'shape', relation: 'adapter' }) });
    const nothing = related(0, 'incomparable');
    expect(lose('sibling', { relatedness: { ...nothing, relativeDistance: null } }, adapter)).toContain(
      'no matrices',
    );
    const near = { relatedness: related(0.001) };
    expect(lose('sibling', near)).toContain('whole family');
    expect(lose('sibling', near, adapter)).not.toContain('distance');
    expect(lose('sibling', near, null)).toContain('Nothing marks it');
  });
});
