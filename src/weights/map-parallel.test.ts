import { describe, expect, it } from 'vitest';
import { mapParallel } from './map-parallel.ts';

describe('mapParallel', () => {
  it('keeps order and never has more than the limit under way', async () => {
    let underWay = 0;
    let most = 0;
    const results = await mapParallel([5, 4, 3, 2, 1, 0], 3, async (item) => {
      underWay++;
      most = Math.max(most, underWay);
      for (let i = 0; i < item; i++) await Promise.resolve();
      underWay--;
      return item * 10;
    });
    expect(results).toEqual([50, 40, 30, 20, 10, 0]);
    expect(most).toBe(3);
  });

  it('begins nothing new after the first error', async () => {
    const begun: number[] = [];
    const work = mapParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      await Promise.resolve();
      if (item === 1) throw new Error('broken');
    });
    await expect(work).rejects.toThrow('broken');
    expect(begun).not.toContain(4);
  });

  it('does nothing for nothing', async () => {
    expect(await mapParallel([], 4, async (item) => item)).toEqual([]);
  });
});
