import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNearestLists } from './nearest-lists.ts';

describe('nearest lists', () => {
  it('hold the smallest of what was offered, ties by index, whatever the order of offers', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.nat(2), fc.nat(20), fc.nat(6)), {
          selector: ([list, index]) => list * 100 + index,
        }),
        fc.integer({ min: 1, max: 6 }),
        (offers, capacity) => {
          const lists = createNearestLists(3, capacity);
          for (const [list, index, value] of offers) lists.offer(list, value, index);
          for (const list of [0, 1, 2]) {
            const expected = offers
              .filter(([to]) => to === list)
              .sort((a, b) => a[2] - b[2] || a[1] - b[1])
              .slice(0, capacity);
            expect(lists.items()[list]).toEqual(expected.map(([, index]) => index));
            const { distances } = lists.packed();
            expect([...distances.subarray(list * capacity)].slice(0, expected.length)).toEqual(
              expected.map(([, , value]) => value),
            );
          }
        },
      ),
    );
  });
});
