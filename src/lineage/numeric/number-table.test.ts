import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNumberTable } from './number-table.ts';

describe('number table', () => {
  it('holds what a Map holds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.maxSafeNat(), fc.double({ noNaN: true }))), (entries) => {
        const table = createNumberTable(16);
        const map = new Map<number, number>();
        for (const [key, value] of entries) {
          table.set(key, value);
          map.set(key, value);
        }
        expect(table.size).toBe(map.size);
        for (const [key, value] of map) expect(table.get(key)).toBe(value);
        for (const [key] of entries) if (!map.has(key + 1)) expect(table.get(key + 1)).toBeNaN();
      }),
      { numRuns: 200 },
    );
  });

  it('grows with keys that differ in their high halves alone', () => {
    const table = createNumberTable(16);
    for (let i = 0; i < 5000; i++) table.set(i * 2 ** 33, i);
    expect(table.size).toBe(5000);
    for (let i = 0; i < 5000; i++) expect(table.get(i * 2 ** 33)).toBe(i);
  });
});
