import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLlamaSummary } from '../../test/lib/llama-summary.ts';
import type { LineageModel } from '../types/lineage.ts';
import { findBlocks } from './blocks.ts';
import { squaredDistance, testCosine } from './cosine-test.ts';
import { createNearestList } from './numeric/nearest-list.ts';
import { createNormal, createRandom } from './numeric/random.ts';

const WIDTH = 512;

function toModel(repo: string, day: number, core: Float32Array): LineageModel {
  const fingerprint = createLlamaSummary({ dtype: 'F32', core, coreKey: 'k' });
  return { repo, owner: repo, createdAt: day * 86_400_000, fingerprint };
}

/** Stars around unrelated centres. */
function plant(seed: number, families: number, size: number): LineageModel[] {
  const normal = createNormal(createRandom(seed));
  return Array.from({ length: families }, (_, f) => {
    const centre = Float32Array.from({ length: WIDTH }, () => 0.02 * normal());
    return Array.from({ length: size }, (_, i) => {
      const r = i === 0 ? 0 : 0.02 * 0.05 * Math.exp(normal());
      return toModel(
        `f${f}/m${i}`,
        f * 3 + i,
        centre.map((x) => x + r * normal()),
      );
    });
  }).flat();
}

describe('blocks', () => {
  it('are the families planted', () => {
    const models = plant(3, 5, 12);
    const blocks = findBlocks(models, { seed: 1, nearest: 4 });
    const owners = blocks.map((b) => new Set(b.members.map((i) => models[i]!.repo.split('/')[0])));
    expect(blocks).toHaveLength(5);
    for (const names of owners) expect(names.size).toBe(1);
  });

  it('find by sketch neighbours as near as the nearest', () => {
    const models = plant(8, 1, 500);
    const [block] = findBlocks(models, { seed: 1, nearest: 10 });
    let found = 0;
    let best = 0;
    for (let i = 0; i < models.length; i += 7) {
      const distances = models.map((m) => squaredDistance(models[i]!.fingerprint.core, m.fingerprint.core));
      const order = [...distances.keys()]
        .filter((j) => j !== i)
        .sort((a, b) => distances[a]! - distances[b]!);
      for (const j of order.slice(0, 10)) best += distances[j]!;
      for (const j of block!.nearest.get(i)!) found += distances[j]!;
    }
    // names differ where distances hardly do
    expect(found / best).toBeLessThan(1.01);
  });

  it('keep the smallest of what is offered', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.integer({ min: 1, max: 8 }), (values, capacity) => {
        const list = createNearestList(capacity);
        values.forEach((v, i) => {
          list.offer(v, i);
        });
        const expected = values
          .map((v, i) => [v, i] as const)
          .sort((a, b) => a[0] - b[0] || a[1] - b[1])
          .slice(0, capacity)
          .map(([, i]) => i);
        expect(list.items()).toEqual(expected);
      }),
    );
  });
});

describe('kernels over cores', () => {
  const value = fc.float({ noNaN: true, min: -4, max: 4 });
  const pair = fc
    .array(fc.tuple(fc.oneof(value, fc.constant(0)), value), { maxLength: 400 })
    .map((rows) => [Float32Array.from(rows, ([a]) => a), Float32Array.from(rows, ([, b]) => b)]);

  it('squared distance is the sum over positions read in both, cut off above its limit', () => {
    fc.assert(
      fc.property(pair, fc.double({ min: 0, max: 500, noNaN: true }), ([a, b], limit) => {
        let sum = 0;
        a!.forEach((x, i) => {
          if (x !== 0 && b![i] !== 0) sum += (x - b![i]!) ** 2;
        });
        expect(squaredDistance(a!, b!)).toBeCloseTo(sum, 6);
        if (sum <= limit) expect(squaredDistance(a!, b!, limit)).toBeCloseTo(sum, 6);
        else expect(squaredDistance(a!, b!, limit)).toBeGreaterThan(limit - 1e-9);
      }),
    );
  });

  it('cosine is that of the positions read in both', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const rows = [...a!].map((x, i) => [x, b![i]!] as const).filter(([x, y]) => x * y !== 0);
        const sum = (f: (x: number, y: number) => number) => rows.reduce((s, [x, y]) => s + f(x, y), 0);
        const dot = sum((x, y) => x * y);
        const variance = sum((x, y) => (x * y) ** 2);
        const { cosine, z } = testCosine(a!, b!);
        if (variance === 0) expect(cosine).toBe(0);
        else {
          expect(cosine).toBeCloseTo(dot / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y)), 6);
          expect(z).toBeCloseTo(dot / Math.sqrt(variance), 6);
        }
      }),
    );
  });

  it('z is standard normal between strangers', () => {
    const normal = createNormal(createRandom(2));
    const draw = () => Float32Array.from({ length: WIDTH }, () => normal() * Math.exp(normal()));
    const zs = Array.from({ length: 400 }, () => testCosine(draw(), draw()).z);
    const variance = zs.reduce((s, z) => s + z * z, 0) / zs.length;
    expect(variance).toBeGreaterThan(0.7);
    expect(variance).toBeLessThan(1.3);
  });
});
