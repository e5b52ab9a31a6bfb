import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNormal, createRandom } from '../numeric/random.ts';
import { type Donor, type Steps, scanScales, weighMixed, weighTuned } from './weigh-recipes.ts';

const COUNT = 2000;

/** Steps in whole units of the last place, as stored values are. */
function draw(
  seed: number,
  size: number,
  make: (a: number, b: number, own: number, random: () => number) => number,
) {
  const random = createRandom(seed);
  const normal = createNormal(random);
  const a = Float64Array.from({ length: COUNT }, () => Math.round(size * normal()));
  const b = Float64Array.from({ length: COUNT }, () => Math.round(size * normal()));
  const step = a.map((x, i) => Math.round(make(x, b[i]!, size * normal(), random)));
  const steps: Steps = {
    step,
    ulp: new Float64Array(COUNT).fill(1),
    parts: [0, 1, 2, 3].map((k) => ({ from: k * 500, to: k * 500 + 500 })),
  };
  return { steps, a, b };
}

function fitBoth(steps: Steps, a: Float64Array, b: Float64Array) {
  const tuned = weighTuned(steps);
  const donors: Donor[] = [];
  for (const [model, delta] of [a, b].entries())
    donors.push(scanScales(steps, tuned, donors, { model, delta }, 1)[0]!.donor);
  return weighMixed(steps, tuned, donors);
}

describe('weighMixed', () => {
  it('finds the scales of steps that were dropped at random, from some units of the last place on', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      size: fc.constantFrom(10, 30, 60),
      scale: fc.double({ min: 0.5, max: 2, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ seed, size, scale }) => {
        const { steps, a, b } = draw(seed, size, (x, y, _, random) => {
          const kept = [random() < 0.5 ? scale * x : 0, random() < 0.5 ? scale * y : 0];
          return kept[0]! + kept[1]!;
        });
        const story = fitBoth(steps, a, b);
        expect(story.logRatio).toBeGreaterThan(100);
        expect(story.strays).toBeLessThan(0.05);
        for (const donor of story.donors) expect(Math.abs(donor.scale / scale - 1)).toBeLessThan(0.05);
      }),
      { numRuns: 12 },
    );
  });

  it.each([0, 0.3, 0.6])(
    'leaves values unexplained in a sibling tuned alike (squared cosine %s)',
    (shared) => {
      for (const size of [2, 8, 40]) {
        const { steps, a, b } = draw(3, size, (x, y, own, random) =>
          // many values left in place, as sparse tuning leaves them
          random() < 0.4 ? 0 : Math.sqrt(shared / 2) * (x + y) + Math.sqrt(1 - shared) * own,
        );
        const story = fitBoth(steps, a, b);
        expect(story.strays).toBeGreaterThan(0.1);
      }
    },
  );
});

describe('weighTuned', () => {
  it('tells values left in place on purpose from a step that rounding hides', () => {
    const sparse = draw(5, 6, (x, _y, _own, random) => (random() < 0.5 ? 0 : x));
    const light = draw(6, 0.6, (_x, _y, own) => own);
    expect(weighTuned(sparse.steps).inPlace).toBeGreaterThan(100);
    expect(weighTuned(light.steps).inPlace).toBeLessThan(15);
  });
});
