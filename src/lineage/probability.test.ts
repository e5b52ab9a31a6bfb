import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CALIBRATION } from './calibration.ts';
import { fadeBeyond, logit, weighCandidates } from './probability.ts';

const rival = fc.record({
  a: fc.double({ min: -20, max: 20, noNaN: true }),
  b: fc.double({ min: -6, max: 6, noNaN: true }),
});

describe('weighCandidates', () => {
  it('credits terms that add up to the probability shown', () => {
    fc.assert(
      fc.property(
        fc.array(rival, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (rivals, rightWay) => {
          const candidates = rivals.map((terms) => ({ terms, score: terms.a + terms.b }));
          const weigh = weighCandidates(candidates, rightWay, DEFAULT_CALIBRATION);
          for (const { probability, logOdds } of candidates.map((_, i) => weigh(i))) {
            const sum = Object.values(logOdds).reduce((x, y) => x + y, 0);
            expect(sum).toBeCloseTo(logit(probability), 6);
            expect(probability).toBeGreaterThan(0);
            expect(probability).toBeLessThan(1);
          }
        },
      ),
    );
  });
});

describe('fadeBeyond', () => {
  it('is even where told, surer by the sharpness for each factor e below, and finite at nothing', () => {
    expect(fadeBeyond(0.01, 0.01, 3)).toBeCloseTo(0.5, 12);
    expect(logit(fadeBeyond(0.01, 0.01 / Math.E, 3))).toBeCloseTo(3, 9);
    expect(logit(fadeBeyond(0.01, 0.01 * Math.E ** 2, 3))).toBeCloseTo(-6, 9);
    expect(fadeBeyond(0.01, 0, 2)).toBeLessThan(1);
  });
});
