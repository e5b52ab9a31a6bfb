import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundToFormat } from '../../bench/lib/formats.ts';
import type { TensorSample } from '../types/fingerprint.ts';
import { type Grid, readGrid, roundToGrid, ulpOf } from './number-grid.ts';

const tensor = (values: Float32Array): TensorSample => ({
  name: 't',
  role: 't',
  layer: null,
  shape: [1, values.length],
  dtype: 'F32',
  encoding: 'plain',
  values,
  stats: { count: values.length, mean: 0, std: 1, l2: 1, kurtosis: 0 },
  hash: '',
});

const weights = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 64, maxLength: 64 });

describe('number grids', () => {
  it('are read from values whatever container holds them', () => {
    fc.assert(
      fc.property(weights, fc.constantFrom<Grid>('BF16', 'F16'), (raw, grid) => {
        const values = Float32Array.from(raw, (v) => Math.sign(v || 1) * (0.01 + Math.abs(v)));
        roundToFormat(values, grid);
        const found = readGrid([tensor(values)]);
        // multiples of a coarse grid may by accident lie on a coarser one, never the other way round
        expect(grid === 'BF16' ? ['BF16'] : ['BF16', 'F16']).toContain(found);
      }),
    );
    const native = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i + 1) / 3);
    expect(readGrid([tensor(native)])).toBe('F32');
  });

  it('round to the nearest representable number', () => {
    fc.assert(
      fc.property(
        fc.float({ min: -8, max: 8, noNaN: true }),
        fc.constantFrom<Grid>('BF16', 'F16'),
        (value, grid) => {
          const rounded = roundToGrid(value, grid);
          expect(Math.abs(rounded - value)).toBeLessThanOrEqual(ulpOf(value, grid) / 2 + 1e-45);
          expect(roundToGrid(rounded, grid)).toBe(rounded);
        },
      ),
    );
  });
});
