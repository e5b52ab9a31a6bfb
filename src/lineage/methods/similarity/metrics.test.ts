import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNormal, createRandom } from '../../numeric/random.ts';
import { type Features, finish, METRICS, measure } from './metrics.ts';

const ROWS = 7;
const WIDTH = 5;

function draw(seed: number): { f: Features; g: Features; step: Float64Array } {
  const normal = createNormal(createRandom(seed));
  const values = () => Float64Array.from({ length: ROWS * WIDTH }, normal);
  return {
    f: { rows: ROWS, width: WIDTH, values: values() },
    g: { rows: ROWS, width: WIDTH, values: values() },
    step: values(),
  };
}

const zeros = new Float64Array(ROWS * WIDTH);
const moved = (f: Features, step: Float64Array, by: number): Features => ({
  ...f,
  values: f.values.map((x, i) => x + by * step[i]!),
});

describe.each(METRICS)('%s', (metric) => {
  it('has the slope a numeric derivative has', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { f, g, step } = draw(seed);
        const h = 1e-6;
        const up = measure(metric, moved(f, step, h), g, zeros).value;
        const down = measure(metric, moved(f, step, -h), g, zeros).value;
        // |d| and the largest of |d| have kinks: where one lies within the step, neither side is right
        fc.pre(!f.values.some((x, i) => Math.abs(x - g.values[i]!) < 2 * h * Math.abs(step[i]!)));
        const numeric = (up - down) / (2 * h);
        expect(Math.abs(measure(metric, f, g, step).slope - numeric)).toBeLessThan(
          1e-4 * Math.max(1, Math.abs(numeric)),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('is highest for the same features', () => {
    const { f, g } = draw(3);
    const self = finish(metric, measure(metric, f, f, zeros), 0);
    expect(self).toBeCloseTo(metric === 'cka' || metric === 'dc' ? 1 : 0, 9);
    expect(finish(metric, measure(metric, f, g, zeros), 0)).toBeLessThan(self);
  });
});

it('linear CKA does not see rotations and scale', () => {
  const { f } = draw(5);
  const turned = {
    ...f,
    values: f.values.map((_, i) => -3 * f.values[i - (i % WIDTH) + ((i + 1) % WIDTH)]!),
  };
  expect(measure('cka', f, turned, zeros).value).toBeCloseTo(1, 9);
});

it('distance correlation of a worked example', () => {
  const column = (...values: number[]): Features => ({
    rows: 3,
    width: 1,
    values: Float64Array.from(values),
  });
  // distances of x = 0, 1, 3 have row means 4/3, 1, 5/3 and mean 4/3; those of y = 0, 1, 2 have 1, 2/3, 1 and 8/9.
  // Double-centred, times 9:
  const A = [-12, 0, 12, 0, -6, 6, 12, 6, -18];
  const B = [-10, 2, 8, 2, -4, 2, 8, 2, -10];
  const dot = (x: number[], y: number[]) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  const byHand = Math.sqrt(dot(A, B) / Math.sqrt(dot(A, A) * dot(B, B)));
  expect(measure('dc', column(0, 1, 3), column(0, 1, 2), new Float64Array(3)).value).toBeCloseTo(byHand, 9);
});

it('falls back to the plain value where the approximation is no number', () => {
  expect(finish('l1', { value: -2, slope: Number.NaN }, 1)).toBe(-2);
  expect(finish('l2', { value: -4, slope: 100 }, 1)).toBe(-0);
});
