import { describe, expect, it } from 'vitest';
import type { TensorSample } from '../../types/fingerprint.ts';
import { toModelSamples } from '../model-samples.ts';
import { roundToGrid } from '../number-grid.ts';
import { createRandom } from '../numeric/random.ts';
import { keptLogOdds } from './kept-values.ts';
import { createPairTable } from './pair-table.ts';

const COUNT = 4096;

function toSample(values: Float32Array): TensorSample {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  return {
    name: 'model.embed_tokens.weight',
    role: 'embed',
    layer: null,
    shape: [64, values.length / 64],
    dtype: 'F32',
    encoding: 'plain',
    values,
    stats: { count: values.length, mean, std, l2: 0, kurtosis: 0 },
    hash: '',
  };
}

const ROW = 32;

/** A parent, its child Q, and two that were made from either, each changing a share of the rows. */
function makeFamily(seed: number, share: number, grid: 'BF16' | 'F32' = 'BF16', decay = 0) {
  const random = createRandom(seed);
  const step = (from: Float32Array) => {
    const moves = Array.from({ length: COUNT / ROW }, () => random() < share);
    return from.map((x, i) => {
      const shrunk = x * (1 - decay);
      return roundToGrid(moves[Math.floor(i / ROW)] ? shrunk + 0.02 * (random() - 0.5) : shrunk, grid);
    });
  };
  const p = Float32Array.from({ length: COUNT }, () => roundToGrid(random() - 0.5, 'BF16'));
  const q = step(p);
  return { p, q, ofP: step(p), ofQ: step(q) };
}

const measure = (p: Float32Array, q: Float32Array, c: Float32Array) =>
  keptLogOdds(createPairTable([p, q, c].map((v, i) => toModelSamples(`m${i}`, [toSample(v)]))), 0, 1, 2);

describe('keptLogOdds', () => {
  it.each([0.2, 0.5, 0.8])('tells whose rows were kept when a step moves a share of %s', (share) => {
    const { p, q, ofP, ofQ } = makeFamily(1, share);
    expect(measure(p, q, ofQ)).toBeGreaterThan(1);
    expect(measure(p, q, ofP)).toBeLessThan(-1);
  });

  it('changes its sign when parent and child are swapped', () => {
    const { p, q, ofQ } = makeFamily(2, 0.5);
    expect(measure(q, p, ofQ)).toBeCloseTo(-measure(p, q, ofQ), 12);
  });

  it('sees through weight decay in single precision', () => {
    const { p, q, ofP, ofQ } = makeFamily(6, 0.5, 'F32', 1e-3);
    expect(measure(p, q, ofQ)).toBeGreaterThan(1);
    expect(measure(p, q, ofP)).toBeLessThan(-1);
  });

  it('takes equal values here and there for chance', () => {
    const { p, q } = makeFamily(7, 1);
    const random = createRandom(8);
    // the same step as Q's in a quarter of all values
    const sibling = p.map((x, i) =>
      random() < 0.25 ? q[i]! : roundToGrid(x + 0.02 * (random() - 0.5), 'BF16'),
    );
    expect(Math.abs(measure(p, q, sibling))).toBeLessThan(0.5);
  });

  it('says nothing where every value was moved, or too few differ', () => {
    const all = makeFamily(3, 1, 'F32');
    expect(Math.abs(measure(all.p, all.q, all.ofQ))).toBeLessThan(0.5);
    const { p, ofP } = makeFamily(4, 0.5);
    const nearly = Float32Array.from(p);
    nearly[7] = 0.25;
    expect(Math.abs(measure(p, nearly, ofP))).toBeLessThan(0.2);
  });

  it('sees finer models through the format of the one that is placed', () => {
    const random = createRandom(5);
    const p = Float32Array.from({ length: COUNT }, () => Math.fround(random() - 0.5));
    const q = p.map((x) => Math.fround(x + 0.02 * (random() - 0.5)));
    const rounded = q.map((x) => roundToGrid(x, 'BF16'));
    expect(measure(p, q, rounded)).toBeGreaterThan(1);
  });
});
