import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteRange } from '../types/weights.ts';
import { findLast, planReads } from './plan.ts';

const range = fc.record({
  file: fc.constantFrom('a', 'b'),
  offset: fc.integer({ min: 0, max: 3_000_000 }),
  length: fc.integer({ min: 1, max: 40_000 }),
});
const items = fc.array(fc.record({ ranges: fc.array(range, { minLength: 1, maxLength: 4 }) }), {
  maxLength: 60,
});
const budgets = fc.record({
  maxRequests: fc.integer({ min: 1, max: 40 }),
  maxBytes: fc.integer({ min: 1, max: 2_000_000 }),
});

const covers = (requests: readonly ByteRange[], { file, offset, length }: ByteRange) => {
  const request = requests[findLast(requests, file, offset)];
  return request?.file === file && request.offset + request.length >= offset + length;
};

describe('planReads', () => {
  it('stays within the budget, covers every range of what it takes, reads no byte twice', () => {
    fc.assert(
      fc.property(items, budgets, (list, budget) => {
        const plan = planReads(list, budget);
        expect(plan.requests.length).toBeLessThanOrEqual(budget.maxRequests);
        expect(plan.bytes).toBeLessThanOrEqual(budget.maxBytes);
        expect(plan.bytes).toBe(plan.requests.reduce((sum, { length }) => sum + length, 0));
        expect(plan.items.every((item) => item.ranges.every((r) => covers(plan.requests, r)))).toBe(true);
        plan.requests.forEach((request, i) => {
          const before = plan.requests[i - 1];
          if (before?.file === request.file)
            expect(request.offset).toBeGreaterThanOrEqual(before.offset + before.length);
        });
      }),
    );
  });

  it('takes everything when everything fits', () => {
    fc.assert(
      fc.property(items, (list) => {
        expect(planReads(list, { maxRequests: 1000, maxBytes: 1e9 }).items).toHaveLength(list.length);
      }),
    );
  });

  const at = (offset: number, length = 1000) => ({ ranges: [{ file: 'f', offset, length }] });

  it('drops what comes last in priority', () => {
    const list = [at(9_000_000), at(0), at(5_000_000), at(3_000_000)];
    expect(planReads(list, { maxRequests: 2, maxBytes: 1e6 }).items).toEqual(list.slice(0, 2));
  });

  it('joins neighbours, and keeps what costs no request though its turn never came', () => {
    const list = [at(0), at(9_000_000), at(5_000_000), at(1500)];
    const plan = planReads(list, { maxRequests: 2, maxBytes: 1e5 });
    expect(plan.items).toEqual([list[0], list[1], list[3]]);
    expect(plan.requests).toEqual([
      { file: 'f', offset: 0, length: 2500 },
      { file: 'f', offset: 9_000_000, length: 1000 },
    ]);
  });

  it('reads gaps in vain only while bytes allow', () => {
    const list = [at(0), at(20_000)];
    expect(planReads(list, { maxRequests: 9, maxBytes: 1e5 }).requests).toHaveLength(1);
    expect(planReads(list, { maxRequests: 9, maxBytes: 3000 }).requests).toHaveLength(2);
  });

  it('takes nothing when not even the first fits', () => {
    expect(planReads([at(0)], { maxRequests: 1, maxBytes: 10 })).toEqual({
      items: [],
      requests: [],
      bytes: 0,
    });
  });
});
