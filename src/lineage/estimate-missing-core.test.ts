import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { squaredDistance } from './cosine-test.ts';
import { distanceFromEstimate, estimateMissingCore } from './estimate-missing-core.ts';
import { createNormal, createRandom } from './numeric/random.ts';

const COUNT = 2048;

function star(seed: number, steps: readonly number[]) {
  const normal = createNormal(createRandom(seed));
  const parent = Float32Array.from({ length: COUNT }, () => 0.05 * normal());
  const children = steps.map((step) => ({
    coreKey: 'k',
    core: parent.map((v) => v + 0.05 * step * normal()),
  }));
  return { parent, children };
}

describe('estimateMissingCore', () => {
  it('comes as near the parent as it says where steps differ at most fivefold', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      steps: fc.array(fc.double({ min: 0.02, max: 0.1, noNaN: true }), { minLength: 3, maxLength: 12 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, steps }) => {
        const { parent, children } = star(seed, steps);
        const found = estimateMissingCore(children)!;
        const off = Math.sqrt(squaredDistance(found.values, parent));
        const nearest = Math.min(...children.map((c) => Math.sqrt(squaredDistance(c.core, parent))));
        expect(off).toBeLessThan(1.2 * nearest);
        const inErrors = distanceFromEstimate(found, { core: parent, coreKey: 'k' })!;
        expect(inErrors).toBeGreaterThan(0.4);
        // steps are read off triangles: a light one beside much heavier ones is not read exactly
        expect(inErrors).toBeLessThan(3);
        expect(found.from).toBe(steps.length);
      }),
      { numRuns: 200 },
    );
  });

  it('tells the parent, when it turns up, from its children and from a stranger', () => {
    const { parent, children } = star(3, [0.02, 0.03, 0.02, 0.04, 0.03, 0.02]);
    const found = estimateMissingCore(children)!;
    expect(distanceFromEstimate(found, { core: parent, coreKey: 'k' })).toBeLessThan(1.5);
    for (const child of children) expect(distanceFromEstimate(found, child)).toBeGreaterThan(1.5);
    expect(distanceFromEstimate(found, star(4, [0.1]).children[0]!)).toBeGreaterThan(50);
    expect(distanceFromEstimate(found, { core: parent, coreKey: 'other' })).toBeNull();
  });

  it('says nothing of a pair, nor of children of three layouts', () => {
    const { children } = star(5, [0.1, 0.1, 0.1]);
    expect(estimateMissingCore(children.slice(0, 2))).toBeNull();
    expect(estimateMissingCore(children.map((c, i) => ({ ...c, coreKey: `k${i}` })))).toBeNull();
  });
});
