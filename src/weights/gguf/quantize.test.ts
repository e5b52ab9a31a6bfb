import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromF16 } from '../dtypes.ts';
import { decodeBlocks } from './decode-blocks.ts';
import { toGgmlType } from './ggml-types.ts';
import {
  type BlockType,
  dequantise,
  quantise,
  ROUND_TO_NEAREST_TYPES,
  ROUND_TRIP,
  toBlockBytes,
} from './quantize.ts';

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../test/fixtures/ggml-blocks.json'), 'utf8'),
);
const floats = (base64: string) => new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
const TYPE_IDS: Record<BlockType, number> = { Q4_0: 2, Q4_1: 3, Q5_0: 6, Q5_1: 7, Q8_0: 8 };
const BLOCK_TYPES = Object.keys(TYPE_IDS) as BlockType[];
const values = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
    minLength: 32,
    maxLength: 32,
  })
  .map((list) => Float32Array.from(list));

describe('quantise', () => {
  it.each(BLOCK_TYPES)('%s writes the bytes ggml writes', (type) => {
    const written = toBlockBytes(quantise(floats(fixture.encode.values), type));
    expect(Buffer.from(written).toString('base64')).toBe(fixture.encode[type]);
  });

  it('rounds Q8_0 halves away from zero, as C does', () => {
    const block = new Float32Array(32);
    block.set([127, 2.5, -2.5, 3.5, -3.5]);
    expect([...quantise(block, 'Q8_0').codes.subarray(0, 5)]).toEqual([127, 3, 256 - 3, 4, 256 - 4]);
  });

  it('keeps a block of zeros', () => {
    // a scale of -0 is what ggml makes of it, so the zeros may be negative
    for (const type of BLOCK_TYPES) {
      expect(ROUND_TRIP[type](new Float32Array(32)).every((value) => value === 0)).toBe(true);
    }
  });

  it('refuses half a block', () => {
    expect(() => quantise(new Float32Array(33), 'Q8_0')).toThrow(RangeError);
  });

  it('agrees with the decoder of the file format', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(...BLOCK_TYPES), (block, type) => {
        const blocks = quantise(block, type);
        const decoded = decodeBlocks(toGgmlType(TYPE_IDS[type])!, toBlockBytes(blocks), 1);
        expect(dequantise(blocks)).toEqual(decoded);
      }),
    );
  });
});

describe('ROUND_TRIP', () => {
  it.each(ROUND_TO_NEAREST_TYPES)('%s stays within half a step', (type) => {
    // a step of the coarsest code relative to the widest value of the block, plus float16's own rounding of scale and minimum
    const halfStep = {
      Q4_0: 1 / 8,
      Q4_1: 1 / 15,
      Q5_0: 1 / 16,
      Q5_1: 1 / 31,
      Q8_0: 1 / 254,
      F16: 2 ** -11,
      BF16: 2 ** -8,
    }[type];
    fc.assert(
      fc.property(values, (block) => {
        const widest = Math.max(...block.map(Math.abs));
        const after = ROUND_TRIP[type](block);
        for (const [i, value] of block.entries()) {
          expect(Math.abs(after[i]! - value)).toBeLessThanOrEqual(widest * (halfStep + 2 ** -9) + 2 ** -18);
        }
      }),
    );
  });

  it('F16 agrees with another implementation, subnormals and overflow included', () => {
    const { values: before, rounded } = fixture.encode.F16;
    expect(ROUND_TRIP.F16(floats(before))).toEqual(floats(rounded));
  });

  it('F16 finds the nearest of all 63,488 finite float16 values', () => {
    const grid = Float32Array.from({ length: 0x7c00 }, (_, bits) => fromF16(bits));
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: 0, max: 65_504 }), (value) => {
        const [rounded] = ROUND_TRIP.F16(Float32Array.of(value));
        const at = grid.findIndex((candidate) => candidate >= value);
        const nearest = Math.min(Math.abs(grid[at]! - value), Math.abs(value - (grid[at - 1] ?? grid[at]!)));
        expect(Math.abs(rounded! - value)).toBe(nearest);
      }),
    );
  });

  it('does not change what a format already holds', () => {
    fc.assert(
      fc.property(values, fc.constantFrom('F16' as const, 'BF16' as const), (block, type) => {
        const once = ROUND_TRIP[type](block);
        expect(ROUND_TRIP[type](once)).toEqual(once);
      }),
    );
  });
});
