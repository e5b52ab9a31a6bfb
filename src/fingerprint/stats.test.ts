import { describe, expect, it } from 'vitest';
import { computeStats } from './stats.ts';

describe('computeStats', () => {
  it('follows the definitions', () => {
    const { count, mean, std, l2, kurtosis } = computeStats(Float32Array.of(1, 2, 3, 4));
    expect([count, mean]).toEqual([4, 2.5]);
    expect(std).toBeCloseTo(Math.sqrt(1.25), 12);
    expect(l2).toBeCloseTo(Math.sqrt(30), 12);
    // fourth moment 2.5625 over variance squared 1.5625
    expect(kurtosis).toBeCloseTo(2.5625 / 1.5625 - 3, 12);
  });

  it('leaves out what is absent or infinite', () => {
    expect(computeStats(Float32Array.of(Number.NaN, 1, 2, Infinity))).toEqual(
      computeStats(Float32Array.of(1, 2)),
    );
    expect(computeStats(new Float32Array())).toEqual({ count: 0, mean: 0, std: 0, l2: 0, kurtosis: 0 });
    expect(computeStats(Float32Array.of(Number.NaN)).count).toBe(0);
  });

  it('gives a constant no spread and no kurtosis', () => {
    expect(computeStats(Float32Array.of(1, 1, 1))).toMatchObject({ std: 0, kurtosis: 0 });
  });

  it('keeps the spread of values far from zero', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => 1 + (i % 2) * 2 ** -20);
    expect(computeStats(values).std).toBeCloseTo(2 ** -21, 12);
  });
});
