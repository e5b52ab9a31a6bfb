import { createNormal, createRandom } from '../../numeric/random.ts';
import type { Points } from './points.ts';

/**
 * `norm`: the fake initialisation is zero, so the parent is the model of smallest norm.
 * `drawn`: it is a draw from an ordinary initialiser. A draw is nearly orthogonal to every model, so both rules mostly agree; where the
 * norms of two models are close, the draw decides by chance.
 */
export type FakeInitialisation = 'norm' | 'drawn';

/** Standard deviation of the initialiser of Llama and of most transformers (`initializer_range`). */
const INITIAL_STD = 0.02;

/**
 * Squared distance of each model from the fake initialisation: those trained longer lie farther out, so a parent lies nearest
 * (Neural Phylogeny, ICLR 2025). Weights that shrink in training break the rule; see docs/reference/methods.md.
 */
export function distancesToInitialisation(
  points: Points,
  kind: FakeInitialisation,
  seed: number,
): Float64Array {
  const normal = createNormal(createRandom(seed));
  const fake = new Float64Array(points.dim);
  if (kind === 'drawn') for (let d = 0; d < points.dim; d++) fake[d] = INITIAL_STD * normal();
  return Float64Array.from({ length: points.count }, (_, i) => {
    let sum = 0;
    for (let d = 0, at = i * points.dim; d < points.dim; d++, at++) {
      const x = points.values[at]!;
      // 0 stands for a value that was not read
      if (x !== 0) sum += (x - fake[d]!) ** 2;
    }
    return sum;
  });
}

/** The member nearest to the initialisation; the first of equals. */
export function nearestToInitialisation(members: readonly number[], distances: Float64Array): number {
  let best = members[0]!;
  for (const i of members) if (distances[i]! < distances[best]!) best = i;
  return best;
}
