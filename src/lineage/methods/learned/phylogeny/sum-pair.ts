import { FINENESS, roundToGrid } from '../../../number-grid.ts';
import { areComparable, comparePair } from '../../../pair-statistics.ts';
import { closenessOfPair, type PairTable } from '../../../tree/pair-table.ts';

/** Mean squared distances end here: bit-equal tensors have none. */
export const FLOOR = 1e-8;

/** Symmetric sums over all common tensors of a pair, each tensor weighted by its values. */
export interface PairSums {
  closeness: number;
  /** mean squared distance relative to power, forgiving rounding to the coarser format */
  relative: number;
  relativeRaw: number;
  equalShare: number;
  untouched: number;
  cosine: number;
  spread: number;
  /** mean over matrices of log |a| / |b|, of kurtosis a - b */
  norm: number;
  kurtosis: number;
  rounded: number;
}

/** O(values) for one pair. */
export function sumPair(table: PairTable, a: number, b: number): PairSums {
  const [x, y] = [table.samples(a), table.samples(b)];
  const { squared, count } = table.distances(a, b, 'forgiving');
  const raw = table.distances(a, b, 'raw');
  let weight = 0;
  let relative = 0;
  let relativeRaw = 0;
  let untouched = 0;
  const logs: [log: number, weight: number][] = [];
  for (let t = 0; t < table.tensorCount; t++) {
    const values = count[t]!;
    if (values === 0) continue;
    const w = Math.min(table.weights[t]!, values);
    const power = table.power[t]! || 1e-12;
    const mean = squared[t]! / values / power;
    weight += w;
    relative += w * Math.min(mean, 100);
    relativeRaw += w * Math.min(raw.squared[t]! / values / power, 100);
    if (squared[t] === 0) untouched += w;
    else logs.push([0.5 * Math.log(mean + FLOOR), w]);
  }
  weight = weight || 1;
  const statistics = comparePair(x, y);
  let norm = 0;
  let kurtosis = 0;
  let dot = 0;
  let matrices = 0;
  for (const pair of statistics.tensors) {
    if (pair.vector) continue;
    const power = Math.sqrt(pair.childPower * pair.parentPower);
    if (!(power > 0)) continue;
    matrices += pair.count;
    norm += pair.count * 0.5 * Math.log(pair.childPower / pair.parentPower);
    dot += pair.count * (pair.dot / power);
    const [s, t] = [x.byName.get(pair.name)!, y.byName.get(pair.name)!];
    kurtosis += pair.count * clip(s.stats.kurtosis - t.stats.kurtosis, 20);
  }
  matrices = matrices || 1;
  const equalShare = statistics.equal / (statistics.count || 1);
  return {
    closeness: closenessOfPair(table, a, b),
    relative: relative / weight,
    relativeRaw: relativeRaw / weight,
    equalShare,
    untouched: untouched / weight,
    cosine: dot / matrices,
    spread: weightedSd(logs),
    norm: norm / matrices,
    kurtosis: kurtosis / matrices,
    rounded: table.grid(a) === table.grid(b) ? equalShare : shareEqualAfterRounding(table, a, b),
  };
}

function shareEqualAfterRounding(table: PairTable, a: number, b: number): number {
  const [fine, coarse] = FINENESS[table.grid(a)] > FINENESS[table.grid(b)] ? [a, b] : [b, a];
  const grid = table.grid(coarse);
  let equal = 0;
  let count = 0;
  for (const tensor of table.samples(fine).tensors) {
    const other = table.samples(coarse).byName.get(tensor.name);
    if (!other || !areComparable(tensor, other)) continue;
    // every eighth value decides a share well enough
    for (let i = 0; i < tensor.values.length; i += 8) {
      count++;
      if (roundToGrid(tensor.values[i]!, grid) === other.values[i]) equal++;
    }
  }
  return equal / (count || 1);
}

function weightedSd(values: readonly (readonly [number, number])[]): number {
  let weight = 0;
  let sum = 0;
  let squares = 0;
  for (const [value, w] of values) {
    weight += w;
    sum += w * value;
    squares += w * value * value;
  }
  if (weight === 0) return 0;
  return Math.sqrt(Math.max(0, squares / weight - (sum / weight) ** 2));
}

/** Within +-limit; what is not a number counts as 0. */
export function clip(value: number, limit: number): number {
  return Number.isFinite(value) ? Math.max(-limit, Math.min(limit, value)) : 0;
}
