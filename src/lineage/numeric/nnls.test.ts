import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costsOfDropping, residualOf, residualOfAll, solveNonNegative } from './nnls.ts';

/** Best over all subsets of columns of the unconstrained solution that happens to be non-negative. */
function bruteForce(columns: number[][], y: number[]): number {
  const k = columns.length;
  let best = y.reduce((s, v) => s + v * v, 0);
  for (let mask = 1; mask < 1 << k; mask++) {
    const used = columns.filter((_, i) => mask & (1 << i));
    const weights = leastSquares(used, y);
    if (!weights || weights.some((w) => w < 0)) continue;
    let rss = 0;
    y.forEach((value, r) => {
      const fitted = used.reduce((s, c, i) => s + c[r]! * weights[i]!, 0);
      rss += (value - fitted) ** 2;
    });
    best = Math.min(best, rss);
  }
  return best;
}

/** Gaussian elimination with pivoting on the normal equations; null when singular. */
function leastSquares(columns: number[][], y: number[]): number[] | null {
  const k = columns.length;
  const a = columns.map((c) => [...columns.map((d) => dot(c, d)), dot(c, y)]);
  for (let i = 0; i < k; i++) {
    const pivot = a
      .slice(i)
      .reduce((p, row, at) => (Math.abs(row[i]!) > Math.abs(a[p]![i]!) ? at + i : p), i);
    [a[i], a[pivot]] = [a[pivot]!, a[i]!];
    if (Math.abs(a[i]![i]!) < 1e-6) return null;
    for (let r = 0; r < k; r++) {
      if (r === i) continue;
      const factor = a[r]![i]! / a[i]![i]!;
      for (let c = i; c <= k; c++) a[r]![c]! -= factor * a[i]![c]!;
    }
  }
  return a.map((row, i) => row[k]! / row[i]!);
}

const dot = (a: number[], b: number[]) => a.reduce((s, v, i) => s + v * b[i]!, 0);

const problem = fc.record({
  columns: fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 6, maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  }),
  y: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 6, maxLength: 6 }),
});

describe('solveNonNegative', () => {
  it('leaves the residual that trying all supports leaves', () => {
    fc.assert(
      fc.property(problem, ({ columns, y }) => {
        const k = columns.length;
        const gram = Float64Array.from({ length: k * k }, (_, i) =>
          dot(columns[Math.floor(i / k)]!, columns[i % k]!),
        );
        const target = Float64Array.from(columns, (c) => dot(c, y));
        const weights = solveNonNegative(gram, target);
        for (const w of weights) expect(w).toBeGreaterThanOrEqual(0);
        const rss = residualOf(gram, target, dot(y, y), weights);
        expect(rss).toBeLessThan(bruteForce(columns, y) + 1e-3);
      }),
      { numRuns: 500 },
    );
  });

  it('comes to the same from wherever it starts', () => {
    fc.assert(
      fc.property(
        problem,
        fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 4, maxLength: 4 }),
        ({ columns, y }, near) => {
          const k = columns.length;
          const gram = Float64Array.from({ length: k * k }, (_, i) =>
            dot(columns[Math.floor(i / k)]!, columns[i % k]!),
          );
          const target = Float64Array.from(columns, (c) => dot(c, y));
          const weights = solveNonNegative(gram, target, [], near);
          for (const w of weights) expect(w).toBeGreaterThanOrEqual(0);
          const cold = residualOf(gram, target, dot(y, y), solveNonNegative(gram, target));
          expect(residualOf(gram, target, dot(y, y), weights)).toBeCloseTo(cold, 3);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('knows what leaving a column out costs', () => {
    fc.assert(
      fc.property(problem, ({ columns, y }) => {
        const k = columns.length;
        const power = dot(y, y);
        const solved = leastSquares(columns, y);
        const rssOf = (used: number[][]) => {
          const w = leastSquares(used, y)!;
          return y.reduce((sum, v, r) => sum + (v - used.reduce((s, c, i) => s + c[r]! * w[i]!, 0)) ** 2, 0);
        };
        fc.pre(solved !== null && k > 1);
        const gram = Float64Array.from({ length: k * k }, (_, i) =>
          dot(columns[Math.floor(i / k)]!, columns[i % k]!),
        );
        costsOfDropping(gram, Float64Array.from(solved!)).forEach((cost, i) => {
          const grown = rssOf(columns.filter((_, j) => j !== i)) - rssOf(columns);
          expect(Math.abs(cost - grown)).toBeLessThan(1e-3 * (1 + power));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('knows what weights of any sign leave, and no more than that where columns are equal', () => {
    fc.assert(
      fc.property(problem, fc.boolean(), ({ columns: drawn, y }, twice) => {
        const columns = twice ? [...drawn, drawn[0]!] : drawn;
        const k = columns.length;
        const power = dot(y, y);
        const gram = Float64Array.from({ length: k * k }, (_, i) =>
          dot(columns[Math.floor(i / k)]!, columns[i % k]!),
        );
        const target = Float64Array.from(columns, (c) => dot(c, y));
        const free = columns.map(() => true);
        const weights = solveNonNegative(gram, target, free);
        const known = y.reduce(
          (sum, v, r) => sum + (v - columns.reduce((s, c, i) => s + c[r]! * weights[i]!, 0)) ** 2,
          0,
        );
        const left = residualOfAll(gram.slice(), target.slice(), power);
        expect(left).toBeLessThan(known + 1e-3);
        const solved = leastSquares(drawn, y);
        if (solved === null) return;
        const least = y.reduce(
          (sum, v, r) => sum + (v - drawn.reduce((s, c, i) => s + c[r]! * solved[i]!, 0)) ** 2,
          0,
        );
        expect(Math.abs(left - least)).toBeLessThan(1e-3);
      }),
      { numRuns: 500 },
    );
  });

  it('lets free columns take any sign', () => {
    const weights = solveNonNegative(Float64Array.of(1, 0, 0, 1), Float64Array.of(-2, -3), [true, false]);
    expect(weights[0]).toBeCloseTo(-2);
    expect(weights[1]).toBe(0);
  });
});
