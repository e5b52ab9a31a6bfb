import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestPath } from './align-layers.ts';

function scoreOf(path: number[], score: number[], cols: number, penalty: number): number {
  return path.reduce(
    (sum, b, a) => sum + score[a * cols + b]! - (a > 0 && b !== path[a - 1]! + 1 ? penalty : 0),
    0,
  );
}

describe('bestPath', () => {
  it('scores what trying all paths scores', () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 4 }),
      cols: fc.integer({ min: 1, max: 4 }),
      seed: fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 16, maxLength: 16 }),
      penalty: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(cases, ({ rows, cols, seed, penalty }) => {
        const score = seed.slice(0, rows * cols);
        let best = Number.NEGATIVE_INFINITY;
        for (let code = 0; code < cols ** rows; code++) {
          const path = Array.from({ length: rows }, (_, a) => Math.floor(code / cols ** a) % cols);
          best = Math.max(best, scoreOf(path, score, cols, penalty));
        }
        const found = bestPath(Float64Array.from(score), rows, cols, penalty);
        expect(scoreOf(found, score, cols, penalty)).toBeCloseTo(best, 9);
      }),
    );
  });

  it('reads a stack with repeated layers', () => {
    const wanted = [0, 1, 2, 1, 2, 3];
    const score = Float64Array.from({ length: 24 }, (_, i) => (i % 4 === wanted[Math.floor(i / 4)] ? 1 : 0));
    expect(bestPath(score, 6, 4, 0.05)).toEqual(wanted);
  });
});
