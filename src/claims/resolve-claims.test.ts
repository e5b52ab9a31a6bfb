import { describe, expect, it } from 'vitest';
import type { Claim } from '../types/claims.ts';
import { resolveClaims } from './resolve-claims.ts';
import type { ClaimIndex } from './types.ts';

const claim = (fields: Partial<Claim>): Claim => ({
  source: 'card',
  raw: 'x',
  normalized: null,
  relation: null,
  sha256: null,
  hint: false,
  ...fields,
});

const index: ClaimIndex = {
  find: (repo) =>
    ({ 'a/base': 'A/Base', 'a/old': 'A/Base', 'u/base-bnb-4bit': 'u/base-bnb-4bit' })[repo.toLowerCase()] ??
    null,
  findBySha256: (sha256) => (sha256 === 'f'.repeat(64) ? ['sd/first', 'sd/copy'] : []),
  quantSource: (repo) => (repo === 'u/base-bnb-4bit' ? 'A/Base' : null),
};

const resolve = (fields: Partial<Claim>) => resolveClaims([claim(fields)], index)[0]?.resolvedRepo;

describe('resolveClaims', () => {
  it('folds case, follows renames, and answers null for what is not there', () => {
    expect(resolve({ normalized: 'A/BASE' })).toBe('A/Base');
    expect(resolve({ normalized: 'a/Old' })).toBe('A/Base');
    expect(resolve({ normalized: 'gone/model' })).toBeNull();
    expect(resolve({ normalized: null })).toBeNull();
  });

  it('takes a quantised repack for the model it was made from', () => {
    expect(resolve({ normalized: 'u/base-bnb-4bit' })).toBe('A/Base');
  });

  it('trusts a hash over a name, unless the named repo holds the file', () => {
    expect(resolve({ sha256: 'f'.repeat(64) })).toBe('sd/first');
    expect(resolve({ sha256: 'f'.repeat(64), normalized: 'a/base' })).toBe('sd/first');
    expect(resolve({ sha256: '0'.repeat(64), normalized: 'a/base' })).toBe('A/Base');
  });
});
