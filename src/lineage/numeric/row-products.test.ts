import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testCosine } from '../cosine-test.ts';
import { createRandom } from './random.ts';
import { createRowProducts } from './row-products.ts';

describe('row products', () => {
  it('are those of a plain loop, for every row added so far', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer(),
        (rows, width, seed) => {
          const random = createRandom(seed);
          // rows of other lengths than told: short ones count as filled up with zeros, long ones are cut
          const draw = () =>
            Float32Array.from({ length: width + Math.floor(3 * random()) - 1 }, () =>
              random() < 0.2 ? 0 : random() - 0.5,
            );
          const plain: Float32Array[] = [];
          const table = createRowProducts(width);
          for (let r = 0; r < rows; r++) {
            plain.push(draw());
            table.add(plain[r]!);
            if (r % 97 !== 0 && r !== rows - 1) continue;
            const query = draw();
            const seen: number[] = [];
            table.hold(query, (row, dot, squares) => {
              seen.push(row);
              let [sum, power] = [0, 0];
              for (let i = 0; i < Math.min(width, query.length, plain[row]!.length); i++) {
                sum += query[i]! * plain[row]![i]!;
                power += (query[i]! * plain[row]![i]!) ** 2;
              }
              expect(dot).toBeCloseTo(sum, 5);
              expect(squares).toBeCloseTo(power, 5);
            });
            expect(seen).toEqual(plain.map((_, i) => i));
            const { cosine } = testCosine(query.subarray(0, width), plain[r]!.subarray(0, width));
            expect(table.cosine(r, query)).toBeCloseTo(cosine, 4);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('hold nothing against nothing', () => {
    createRowProducts(8).hold(new Float32Array(8), () => expect.unreachable());
  });
});
