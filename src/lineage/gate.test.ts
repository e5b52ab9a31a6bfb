import { describe, expect, it } from 'vitest';
import { createGate, nextTurn } from './gate.ts';

describe('a gate', () => {
  it('lets in as many as its limit, in order, and goes on after failures', async () => {
    const gate = createGate(3);
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        gate(async () => {
          order.push(i);
          most = Math.max(most, ++inside);
          await nextTurn();
          inside--;
          if (i % 5 === 0) throw new Error(`${i}`);
          return i;
        }),
      ),
    );
    expect(most).toBe(3);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(all.map((r) => (r.status === 'fulfilled' ? r.value : String(r.reason.message)))).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? `${i}` : i)),
    );
    expect(await gate(async () => 'later')).toBe('later');
  });
});
