import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashValues } from '../../fingerprint/hash.ts';
import { computeStats } from '../../fingerprint/stats.ts';
import type { TensorSample } from '../../types/fingerprint.ts';
import { toModelSamples } from '../model-samples.ts';
import { roundToGrid } from '../number-grid.ts';
import { createNormal, createRandom } from '../numeric/random.ts';
import { createPairTable } from '../tree/pair-table.ts';
import { fitWithinRounding } from './fit-within-rounding.ts';

const COUNT = 3000;

function model(repo: string, values: Float32Array) {
  const stored = values.map((v) => roundToGrid(v, 'BF16'));
  const tensor: TensorSample = {
    name: 'w',
    role: 'w',
    layer: null,
    shape: [COUNT, 1],
    dtype: 'BF16',
    encoding: 'plain',
    values: stored,
    stats: computeStats(stored),
    hash: hashValues(stored),
  };
  return toModelSamples(repo, [tensor]);
}

/** A base, two fine-tunes by `step`, and whatever `mix` makes of their values. */
function family(
  seed: number,
  step: number,
  mix: (a: number, b: number, base: number, own: number) => number,
) {
  const normal = createNormal(createRandom(seed));
  const draw = (scale: number, on?: Float32Array) =>
    Float32Array.from({ length: COUNT }, (_, i) => (on?.[i] ?? 0) + scale * normal());
  const base = model('base', draw(0.05));
  const of = (m: ReturnType<typeof model>) => m.tensors[0]!.values;
  const a = model('a', draw(0.05 * step, of(base)));
  const b = model('b', draw(0.05 * step, of(base)));
  const child = Float32Array.from({ length: COUNT }, (_, i) =>
    mix(of(a)[i]!, of(b)[i]!, of(base)[i]!, 0.05 * step * normal()),
  );
  return createPairTable([base, a, b, model('child', child)]);
}

describe('fitWithinRounding', () => {
  it('finds the weights of any weighted mean from strips alone, at steps of one unit of the last place', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      first: fc.double({ min: 0.2, max: 0.8, noNaN: true }),
      step: fc.constantFrom(0.005, 0.02, 0.1),
    });
    fc.assert(
      fc.property(cases, ({ seed, first, step }) => {
        const table = family(seed, step, (a, b) => first * a + (1 - first) * b);
        const fit = fitWithinRounding(table, 3, 0, [1, 2], [0.5, 0.5])!;
        expect(fit.share).toBeGreaterThan(0.97);
        expect(fit.weights[0]).toBeCloseTo(first, 1);
        expect(fit.weights[1]).toBeCloseTo(1 - first, 1);
      }),
      { numRuns: 20 },
    );
  });

  it.each([0.003, 0.01, 0.05])('does not bear out a fine-tune of one of them (step %s)', (step) => {
    const table = family(7, step, (a, _b, _base, own) => a + own);
    const fit = fitWithinRounding(table, 3, 0, [1, 2], [0.8, 0.2])!;
    expect(fit.betweenShare).toBeLessThan(0.75);
  });

  it('answers nothing where a tensor is missing', () => {
    const table = family(9, 0.01, (a, b) => (a + b) / 2);
    const other = createPairTable([toModelSamples('empty', []), ...[1, 2, 3].map((i) => table.samples(i))]);
    expect(fitWithinRounding(other, 3, 0, [1, 2], [0.5, 0.5])).toBeNull();
  });
});
