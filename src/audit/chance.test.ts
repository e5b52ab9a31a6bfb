import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Relatedness } from '../types/lineage.ts';
import { chanceIfRelated, chanceIfUnrelated, normalCdf } from './chance.ts';

const compared = (cosine: number | null, nullSd: number | null): Relatedness => ({
  outcome: 'unrelated',
  cosine,
  nullSd,
  relativeDistance: null,
  equalShare: null,
  commonTensors: 10,
  commonValues: 1000,
});

describe('normalCdf', () => {
  // from tables of the normal distribution (NIST DLMF 7.17, R's pnorm)
  it.each([
    [0, 0.5],
    [1, 0.841344746],
    [-1.959963985, 0.025],
    [-4.753424, 1e-6],
    [-8, 6.22096e-16],
    [-20, 2.753624e-89],
  ])('of %d is %d', (z, p) => {
    expect(normalCdf(z) / p).toBeCloseTo(1, 5);
  });

  it('grows and is symmetric', () => {
    fc.assert(
      fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (z) => {
        expect(normalCdf(z) + normalCdf(-z)).toBeCloseTo(1, 6);
        expect(normalCdf(z)).toBeLessThanOrEqual(normalCdf(z + 0.01) + 1e-15);
      }),
    );
  });
});

describe('chance', () => {
  it('is tiny for a zero cosine over many values, and large over few', () => {
    expect(chanceIfRelated(compared(0.01, 0.005))).toBeLessThan(1e-100);
    expect(chanceIfRelated(compared(0.01, 0.1))).toBeGreaterThan(0.01);
  });

  it('does not speak against heavy continued pretraining', () => {
    expect(chanceIfRelated(compared(0.35, 0.005))).toBeGreaterThan(0.999);
  });

  it('is 1 where nothing was compared', () => {
    for (const nothing of [compared(null, null), compared(0, 0), compared(0, null)]) {
      expect(chanceIfRelated(nothing)).toBe(1);
      expect(chanceIfUnrelated(nothing)).toBe(1);
    }
  });

  it('of an accidental match falls with the cosine', () => {
    expect(chanceIfUnrelated(compared(0.9, 0.01))).toBeLessThan(1e-100);
    expect(chanceIfUnrelated(compared(0, 0.01))).toBeCloseTo(0.5, 6);
  });
});
