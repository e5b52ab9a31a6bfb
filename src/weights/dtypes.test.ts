import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType } from '../types/weights.ts';
import { decodeValues, toDType } from './dtypes.ts';
import { encodeValues } from './encode.ts';

const codesOf = (bits: 8 | 16): Uint8Array => {
  const codes =
    bits === 8
      ? Uint8Array.from({ length: 256 }, (_, i) => i)
      : Uint16Array.from({ length: 65_536 }, (_, i) => i);
  return new Uint8Array(codes.buffer);
};

const FLOATS: readonly [DType, 8 | 16][] = [
  ['F16', 16],
  ['BF16', 16],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
];

describe('decodeValues', () => {
  it.each<[DType, number[], number[]]>([
    ['F16', [0x00, 0x3c, 0xff, 0x7b, 0x01, 0x00, 0x00, 0xc0], [1, 65504, 2 ** -24, -2]],
    ['BF16', [0x80, 0x3f, 0x00, 0xc0, 0x7f, 0x7f], [1, -2, 255 * 2 ** 120]],
    // OCP 8-bit formats: 0x7e is the largest E4M3, 0x7b the largest E5M2, 0x01 the smallest.
    ['F8_E4M3', [0x38, 0x7e, 0x01, 0xb8], [1, 448, 2 ** -9, -1]],
    ['F8_E5M2', [0x3c, 0x7b, 0x01, 0x7c], [1, 57344, 2 ** -16, Number.POSITIVE_INFINITY]],
    ['F8_E4M3FNUZ', [0x40, 0x7f, 0x01], [1, 240, 2 ** -10]],
    ['F8_E5M2FNUZ', [0x40, 0x7f, 0x01], [1, 57344, 2 ** -17]],
    ['F8_E8M0', [127, 128, 0], [1, 2, 2 ** -127]],
    ['I8', [0xff, 0x7f], [-1, 127]],
    ['U8', [0xff, 0x7f], [255, 127]],
    ['BOOL', [0, 1, 2], [0, 1, 1]],
    ['I16', [0xfe, 0xff], [-2]],
    ['I32', [0xfd, 0xff, 0xff, 0xff], [-3]],
    ['I64', [0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [-4]],
  ])('reads %s', (dtype, bytes, values) => {
    expect([...decodeValues(dtype, Uint8Array.from(bytes), values.length)]).toEqual(values);
  });

  it('knows the NaN of each 8-bit float', () => {
    const nans = (dtype: DType) =>
      [...decodeValues(dtype, codesOf(8), 256)].flatMap((value, code) => (Number.isNaN(value) ? [code] : []));
    expect(nans('F8_E4M3')).toEqual([0x7f, 0xff]);
    expect(nans('F8_E5M2')).toEqual([0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff]);
    expect(nans('F8_E4M3FNUZ')).toEqual([0x80]);
    expect(nans('F8_E5M2FNUZ')).toEqual([0x80]);
  });

  it('reads at any alignment', () => {
    const bytes = new Uint8Array([9, ...encodeValues('F32', [1.5, -2.25])]);
    expect([...decodeValues('F32', bytes.subarray(1), 2)]).toEqual([1.5, -2.25]);
  });

  it('refuses too few bytes and packed dtypes', () => {
    expect(() => decodeValues('F32', new Uint8Array(7), 2)).toThrow(
      expect.objectContaining({ code: 'BodyTruncated' }),
    );
    expect(() => decodeValues('F4', new Uint8Array(7), 2)).toThrow(
      expect.objectContaining({ code: 'DtypeUnknown' }),
    );
  });

  it('knows other spellings, and no inherited ones', () => {
    expect(toDType('F8_E4M3FN')).toBe('F8_E4M3');
    expect(toDType('E8M0')).toBe('F8_E8M0');
    expect(toDType('toString')).toBeNull();
  });
});

describe('encodeValues', () => {
  it.each(FLOATS)('gives every %s code back', (dtype, bits) => {
    const codes = codesOf(bits);
    const values = decodeValues(dtype, codes, codes.length / (bits / 8));
    const again = encodeValues(dtype, values);
    const wrong = [...values.keys()].filter((i) => {
      const size = bits / 8;
      const same = codes.subarray(i * size, (i + 1) * size).every((byte, k) => byte === again[i * size + k]);
      return !same && !Number.isNaN(values[i] as number);
    });
    expect(wrong).toEqual([]);
  });

  it.each(FLOATS)('rounds to the nearest %s, halves to even codes', (dtype, bits) => {
    const grid = decodeValues(dtype, codesOf(bits), 256 ** (bits / 8));
    const positive = [...grid].filter((value) => value >= 0 && Number.isFinite(value)).sort((a, b) => a - b);
    const steps = [...new Set(positive)];
    fc.assert(
      fc.property(
        fc.nat(steps.length - 2),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        (at, share, minus) => {
          const [low, high] = [steps[at] as number, steps[at + 1] as number];
          // Values between two neighbours that float32 itself can hold.
          const value = Math.fround(low + (high - low) * share);
          const sign = minus ? -1 : 1;
          const code = encodeValues(dtype, [sign * value]);
          const got = Math.abs(decodeValues(dtype, code, 1)[0] as number);
          const middle = low / 2 + high / 2;
          if (value < middle) expect(got).toBe(low);
          else if (value > middle) expect(got).toBe(high);
          else expect((code[0] as number) % 2).toBe(0);
        },
      ),
    );
  });

  it('overflows as torch does', () => {
    expect(decodeValues('F16', encodeValues('F16', [65520, -1e9]), 2)).toEqual(
      Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    expect(decodeValues('F16', encodeValues('F16', [65519]), 1)[0]).toBe(65504);
    expect(decodeValues('F8_E4M3', encodeValues('F8_E4M3', [464, 465, 1e30]), 3)).toEqual(
      Float32Array.of(448, Number.NaN, Number.NaN),
    );
    expect(decodeValues('F8_E5M2', encodeValues('F8_E5M2', [1e30]), 1)[0]).toBe(Number.POSITIVE_INFINITY);
  });

  it('clamps whole numbers', () => {
    expect([...decodeValues('I8', encodeValues('I8', [-200, 200, 2.5, 3.5]), 4)]).toEqual([-128, 127, 2, 4]);
    expect([...decodeValues('U8', encodeValues('U8', [-1, 300]), 2)]).toEqual([0, 255]);
  });
});
