import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash32, hashValues, seededInt } from './hash.ts';

describe('hashValues', () => {
  it('is the same for ever: fingerprints of years are compared by it', () => {
    expect(hashValues(new Float32Array())).toMatchInlineSnapshot(`"2377307ddd8bca00"`);
    expect(hashValues(Float32Array.from([1, -2.5, 1e-8]))).toMatchInlineSnapshot(`"2c8d1f124c845380"`);
  });

  it('skips NaN and takes -0 for 0', () => {
    expect(hashValues(Float32Array.of(1, Number.NaN, 2))).toBe(hashValues(Float32Array.of(1, 2)));
    expect(hashValues(Float32Array.of(-0, 2))).toBe(hashValues(Float32Array.of(0, 2)));
  });

  it('differs when a value, the order or the number differs', () => {
    const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(floats, fc.nat(), (list, seed) => {
        const values = Float32Array.from(list);
        const hash = hashValues(values);
        expect(hash).toMatch(/^[0-9a-f]{16}$/);
        const changed = values.slice();
        const at = seed % values.length;
        changed[at] = (changed[at] as number) === 1 ? 2 : 1;
        if (changed[at] !== values[at]) expect(hashValues(changed)).not.toBe(hash);
        expect(hashValues(Float32Array.from([...list, 0]))).not.toBe(hash);
      }),
    );
    expect(hashValues(Float32Array.of(1, 2))).not.toBe(hashValues(Float32Array.of(2, 1)));
  });

  it('does not collide on 200,000 near neighbours', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 200_000; i++) seen.add(hashValues(Float32Array.of(1 + i * 2 ** -20, i & 1)));
    expect(seen.size).toBe(200_000);
  });
});

describe('seededInt', () => {
  it('is even over its range', () => {
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const at = seededInt(`key${i}`, 5, 10);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it('depends on key and seed', () => {
    expect(hash32('a', 0)).not.toBe(hash32('b', 0));
    expect(hash32('a', 0)).not.toBe(hash32('a', 1));
  });
});
