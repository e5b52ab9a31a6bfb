import { residualOfAll } from '../numeric/nnls.ts';
import type { PairDistances, PairTable } from '../tree/pair-table.ts';
import {
  type Equations,
  EXACT_OVER_FLOOR,
  gather,
  haveCount,
  roundingFloor,
  WORTH_A_LOOK,
  weigh,
} from './explain-as-mixture.ts';
import { VALUES_PER_WEIGHT } from './fit-each-tensor.ts';

/** What is left must be more than asked for by this factor: rounding of the sums, and the ridge. */
const MARGIN = 2;

/** The child, which is the first, and all candidates, with their distances: those of i and j < i at `i * (i - 1) / 2 + j`. */
interface Around {
  models: number[];
  pairs: PairDistances[];
}

/**
 * Whether `explainAsMixture` may find an exact mixture: false is certain, true is not. Weights of any sign over all candidates leave least,
 * whatever the base, and one system of equations says how much, where the search solves dozens. Nearly all models are no mixture, and
 * candidates that are younger than the child matter only where it is an exact one.
 */
export function mayBeExact(
  table: PairTable,
  child: number,
  pool: readonly number[],
  bases: readonly number[],
): boolean {
  const members = [...new Set([...pool, ...bases])].filter((m) => m !== child);
  if (members.length < 2) return false;
  const models = [child, ...members];
  const pairs: PairDistances[] = [];
  for (let i = 1; i < models.length; i++)
    for (let j = 0; j < i; j++) pairs.push(table.distances(models[i]!, models[j]!, 'raw'));
  const floors = roundingFloor(table, child);
  const visible = gather(table, child, members, floors, true);
  const left = residualOf({ models, pairs }, visible);
  if (isLittle(left, visible) || mayFitEachTensor(table, { models, pairs }, visible)) return true;
  const all = gather(table, child, members, floors, false);
  // over more tensors no less is left
  return isLittle(left, all) && isLittle(residualOf({ models, pairs }, all), all);
}

/** Would stored values be looked at? */
function isLittle(left: number, { values }: Equations): boolean {
  return values > 0 && left <= MARGIN * WORTH_A_LOOK * values;
}

/** What least squares over all tensors that count leave, in floors. */
function residualOf({ models, pairs }: Around, { shared }: Equations): number {
  const squared = new Float64Array(pairs.length);
  for (let i = 0; i < pairs.length; i++) squared[i] = weigh(pairs[i]!, shared);
  return residualFrom(squared, models.length, null);
}

/**
 * May they leave no more than rounding with weights of their own in every tensor, and a free share of some base? The weights there number
 * at most one a member, and how many they are says which tensors are large enough to be fitted.
 */
function mayFitEachTensor(table: PairTable, { models, pairs }: Around, { shared }: Equations): boolean {
  // by the number of weights: what is left in all tensors that are large enough for them, and their values
  const left = new Float64Array(models.length + 1);
  const values = new Float64Array(models.length + 1);
  const squared = new Float64Array(pairs.length);
  const power = new Float64Array(models.length);
  for (let t = 0; t < table.tensorCount; t++) {
    if (shared[t] === 0) continue;
    const n = table.values(models[0]!, t)!.length;
    // where not all models have all values, distances are not of one set of them: at worst nothing is left
    let rest = 0;
    if (haveCount(pairs, t, n)) {
      for (let i = 0; i < pairs.length; i++) squared[i] = pairs[i]!.squared[t]!;
      for (let i = 0; i < models.length; i++) power[i] = table.norm(models[i]!, t) ** 2;
      rest = residualFrom(squared, models.length, power);
    }
    for (let k = 1; k < left.length && n >= VALUES_PER_WEIGHT * k; k++) {
      left[k]! += rest * shared[t]!;
      values[k]! += n;
    }
  }
  for (let k = 1; k < left.length; k++)
    if (values[k]! > 0 && left[k]! <= MARGIN * EXACT_OVER_FLOOR * values[k]!) return true;
  return false;
}

/**
 * What least squares leave of the child's step from the first candidate, over the steps of the others; with `power`, the sums of squares of
 * all, over a multiple of the first candidate itself besides. From squared distances alone, which are exact where models are close.
 */
function residualFrom(squared: Float64Array, size: number, power: Float64Array | null): number {
  const at = (i: number) => (i * (i - 1)) / 2;
  const k = size - 2 + (power ? 1 : 0);
  const gram = new Float64Array(k * k);
  const target = new Float64Array(k);
  const toChild = squared[0]!;
  for (let i = 0; i < size - 2; i++) {
    const row = at(i + 2);
    const away = squared[row + 1]!;
    target[i] = (away + toChild - squared[row]!) / 2;
    gram[i * k + i] = away;
    for (let j = 0; j < i; j++)
      gram[i * k + j] = (away + squared[at(j + 2) + 1]! - squared[row + j + 2]!) / 2;
  }
  if (power) {
    const last = k - 1;
    const own = power[1]!;
    gram[last * k + last] = own;
    target[last] = (power[0]! - own - toChild) / 2;
    for (let i = 0; i < last; i++) gram[last * k + i] = (power[i + 2]! - own - squared[at(i + 2) + 1]!) / 2;
  }
  return residualOfAll(gram, target, toChild);
}
