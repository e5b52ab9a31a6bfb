import { createRandom } from '../../src/lineage/numeric/random.ts';

/** `count` moments in (0, 1), the same for the same seed: shares of a calm run's time. */
export function killMoments(seed: number, count: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, random);
}
