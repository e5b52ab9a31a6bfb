import { describe, expect, it } from 'vitest';
import { type ChildFinding, type FoundParent, toEdges } from './findings.ts';

const found = (repo: string, probability: number): FoundParent => ({
  repo,
  probability,
  weight: null,
  parentKind: 'repo',
  logOdds: {},
});
const finding = (chosen: FoundParent[], ties: FoundParent[] = []): ChildFinding => ({
  child: 'me/child',
  relation: chosen.length > 1 ? 'merge' : 'finetune',
  method: 'tree',
  chosen,
  ties,
});
const ranks = (f: ChildFinding, minProbability = 0.25) =>
  toEdges(f, minProbability).map(({ parent, rank }) => `${rank} ${parent}`);

describe('toEdges', () => {
  it('names the likeliest of several though it be less likely than all others together', () => {
    expect(ranks(finding([found('a', 0.45)], [found('b', 0.4), found('c', 0.1)]))).toEqual([
      '1 a',
      '2 b',
      '3 c',
    ]);
  });

  it('names no parent where it is likelier that none of the candidates is it', () => {
    expect(ranks(finding([found('a', 0.4)], [found('b', 0.05)]))).toEqual(['2 a', '3 b']);
  });

  it('names none below the asked probability', () => {
    expect(ranks(finding([found('a', 0.45)], [found('b', 0.4)]), 0.5)).toEqual(['2 a', '3 b']);
  });

  it('holds each parent of a merge against its own absence', () => {
    expect(ranks(finding([found('a', 0.9), found('b', 0.45)]))).toEqual(['1 a', '2 b']);
  });
});
