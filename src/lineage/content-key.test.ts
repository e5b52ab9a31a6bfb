import { describe, expect, it } from 'vitest';
import { hashBits } from './content-key.ts';
import { createRandom } from './numeric/random.ts';

describe('hashBits', () => {
  it('tells values apart whose bits end in zeros, as those of bfloat16 do', () => {
    const random = createRandom(1);
    const seen = new Set<string>();
    const lowHalves = [new Set<number>(), new Set<number>()];
    for (let i = 0; i < 20_000; i++) {
      const words = Uint32Array.from({ length: 5 }, () => Math.floor(random() * 65536) << 16);
      const hash = hashBits(new Float32Array(words.buffer));
      seen.add(hash);
      for (const [half, values] of lowHalves.entries())
        values.add(Number.parseInt(hash.slice(8 * half, 8 * half + 8), 16) & 0xffff);
    }
    expect(seen.size).toBe(20_000);
    // 65,536 places for 20,000: 17,200 are met where all are as likely
    for (const values of lowHalves) expect(values.size).toBeGreaterThan(16_800);
  });

  it('depends on every value and on their order', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5);
    const hash = hashBits(values);
    for (let i = 0; i < values.length; i++)
      expect(hashBits(values.map((x, at) => (at === i ? -x : x)))).not.toBe(hash);
    expect(hashBits(Float32Array.of(3, 2, 1, 4, 5))).not.toBe(hash);
    expect(hashBits(Float32Array.of(1, 2, 3, 4))).not.toBe(hash);
    expect(hashBits(values.slice())).toBe(hash);
  });
});
