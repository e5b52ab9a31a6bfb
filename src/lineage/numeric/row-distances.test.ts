import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from './random.ts';
import { createRowDistances } from './row-distances.ts';

describe('row distances', () => {
  it('are those of a plain loop', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        fc.integer(),
        (rows, width, zerosAreUnread, seed) => {
          const random = createRandom(seed);
          const table = createRowDistances(rows, width, { zerosAreUnread })!;
          const plain = Array.from({ length: rows }, () =>
            Float32Array.from({ length: width }, () => (random() < 0.2 ? 0 : random() - 0.5)),
          );
          plain.forEach((values, i) => {
            table.row(i).set(values);
          });
          const list = plain.map((_, i) => i).filter(() => random() < 0.7);
          const from = Math.floor(random() * rows);
          const found = table.from(from, list);
          list.forEach((to, k) => {
            let sum = 0;
            for (let i = 0; i < width; i++) {
              const [x, y] = [plain[from]![i]!, plain[to]![i]!];
              if (!zerosAreUnread || (x !== 0 && y !== 0)) sum += (x - y) ** 2;
            }
            expect(found[k]).toBeCloseTo(sum, 4);
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('refuse rows there are not', () => {
    const table = createRowDistances(3, 5)!;
    expect(() => table.from(0, [3])).toThrow(RangeError);
    expect(() => table.from(0, [-1])).toThrow(RangeError);
    expect(() => table.from(0, [0, 1, 2, 0])).toThrow(RangeError);
  });

  it('leave out what an infinite or missing value would spoil only where zeros are unread', () => {
    const blind = createRowDistances(2, 4, { zerosAreUnread: true })!;
    blind.row(0).set([1, Number.POSITIVE_INFINITY, Number.NaN, 2]);
    blind.row(1).set([3, 0, 0, 2]);
    expect(blind.from(0, [1])[0]).toBe(4);
  });

  it('say so when a memory cannot hold the rows', () => {
    expect(createRowDistances(2 ** 20, 4096)).toBeNull();
  });
});
