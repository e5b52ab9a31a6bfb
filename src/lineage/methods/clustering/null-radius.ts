import { criticalZ } from '../../cosine-test.ts';
import { createRandom } from '../../numeric/random.ts';
import { dbscan } from './dbscan.ts';
import type { Points } from './points.ts';

const PAIRS_MEASURED = 2000;

/**
 * The distance between unit vectors below which two models are closer than unrelated ones come by chance: with the cosine of unrelated
 * models distributed as N(0, s^2), the radius is sqrt(2 - 2 z s), z being exceeded by none of all pairs with 99 % probability.
 * s = sqrt(sum a^2 b^2), which allows for tensors of different scales; its median over up to 2,000 drawn pairs.
 * DBSCAN's eps, MeanShift's bandwidth (this over sqrt 2) and the number of clusters of KMeans and the mixture follow from it.
 */
export function nullRadius(units: Points, seed: number): number {
  const { count, dim, values } = units;
  if (count < 2) return Math.SQRT2;
  const random = createRandom(seed);
  const all = (count * (count - 1)) / 2;
  const spreads: number[] = [];
  const measure = (i: number, j: number) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += (values[i * dim + d]! * values[j * dim + d]!) ** 2;
    spreads.push(Math.sqrt(sum));
  };
  if (all <= PAIRS_MEASURED) for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) measure(i, j);
  else
    while (spreads.length < PAIRS_MEASURED) {
      const i = Math.floor(random() * count);
      const j = Math.floor(random() * count);
      if (i !== j) measure(i, j);
    }
  spreads.sort((a, b) => a - b);
  const spread = spreads[spreads.length >> 1]!;
  return Math.sqrt(Math.max(0, 2 - 2 * criticalZ(all) * spread));
}

/**
 * Number of groups that hang together by steps shorter than the radius: families, where the radius is the null's. It is the number of
 * clusters given to KMeans and to the mixture. An information criterion does not serve: with thousands of dimensions and tens of models
 * every further cluster pays, down to one a model.
 */
export function countComponents(units: Points, radius: number): number {
  return dbscan(units, { radius, minPoints: 1 }).centres.length;
}
