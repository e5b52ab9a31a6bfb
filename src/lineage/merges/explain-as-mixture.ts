import type { TensorSample } from '../../types/fingerprint.ts';
import { type Grid, roundToGrid, ulpOf } from '../number-grid.ts';
import { residualOf, solveNonNegative } from '../numeric/nnls.ts';
import type { PairTable } from '../tree/pair-table.ts';

/** A model written as base + sum of weighted deltas of others. Indices are those of the pair table. */
export interface Mixture {
  child: number;
  /** what the deltas are taken against */
  base: number;
  /** `marginal`: by how much the residual grows, relatively, without this parent */
  parents: { model: number; weight: number; marginal: number }[];
  /** mean squared residual in units of what rounding the result to the child's format leaves */
  overFloor: number;
  /** the same for the best single candidate */
  singleOverFloor: number;
  /** share of the residual of the best single delta, scaled freely, that the mixture explains */
  gain: number;
  /** true when nothing but rounding is left: no impostor gets there */
  exact: boolean;
}

/** Residual of an exact merge is .6-1.3 floors; fine-tunes and siblings tuned on the same data start at 8.9 (r = .5 %). */
const EXACT_OVER_FLOOR = 1.6;
/** Below this many floors a single parent explains as much as can be seen: undecidable. */
const VISIBLE_OVER_FLOOR = 3.5;
const MIN_WEIGHT = 0.04;
const SHADOW_WEIGHT = 0.08;
const SHADOW_MARGINAL = 0.25;
/** Beyond 1 by more than this the equation was solved for the wrong model. */
const MAX_COEFFICIENT = 1.05;
/** Weights that add up to 1 within this are a weighted mean; their base is no parent. */
const SUM_TOLERANCE = 0.03;

/** What a perfect merge would still be off by: mean of ulp^2/12 a value, tensor by tensor. */
export function roundingFloor(table: PairTable, child: number): Map<string, number> {
  const grid = table.grid(child);
  const floors = new Map<string, number>();
  for (const { name, values } of table.samples(child).tensors) {
    let sum = 0;
    let n = 0;
    for (const v of values) {
      if (!(v * 0 === 0)) continue;
      // merges computed in float32 carry a few units of its last place even when stored in it
      sum += Math.max(ulpOf(v, grid) ** 2, (4 * ulpOf(v, 'F32')) ** 2) / 12;
      n++;
    }
    if (n > 0) floors.set(name, sum / n);
  }
  return floors;
}

/**
 * Is the model a mixture of others? For each base tried (the family's hub first), non-negative least squares of its delta on theirs, each tensor in units of its
 * rounding floor; small weights are dropped and the rest solved again; then the parents found are fitted to each tensor by itself
 * (slerp and gradient merges have other weights in every tensor) and the residual is held against the floor.
 */
export function explainAsMixture(
  table: PairTable,
  child: number,
  pool: readonly number[],
  bases: readonly number[],
  floors: ReadonlyMap<string, number> = roundingFloor(table, child),
): Mixture | null {
  const names = table.names;
  const invFloor = new Float64Array(table.tensorCount);
  for (const [name, floor] of floors) {
    const t = names.get(name);
    if (t !== undefined && floor > 0) invFloor[t] = 1 / floor;
  }
  const members = [...new Set([...pool, ...bases])].filter((m) => m !== child);
  if (members.length < 2) return null;
  // Only tensors that all have: otherwise the normal equations do not belong to one set of values.
  const shared = new Float64Array(table.tensorCount);
  let values = 0;
  const childCounts = members.map((m) => table.distances(child, m, 'raw').count);
  for (let t = 0; t < table.tensorCount; t++) {
    let n = Infinity;
    for (const count of childCounts) n = Math.min(n, count[t]!);
    if (n === 0 || n === Infinity || invFloor[t] === 0) continue;
    // the values counted must be the same ones; grown vocabularies have fewer
    if (childCounts.some((count) => count[t] !== n)) continue;
    // A tensor in which some candidate is as near as rounding allows tells nothing; counting it would dilute what the others tell.
    const nearestHere = Math.min(...members.map((m) => table.distances(child, m, 'raw').squared[t]!));
    if (nearestHere * invFloor[t]! < VISIBLE_OVER_FLOOR * n) continue;
    shared[t] = invFloor[t]!;
    values += n;
  }
  if (values < 256) return null;
  const weighted = (a: number, b: number): number => {
    const { squared } = table.distances(a, b, 'raw');
    let sum = 0;
    for (let t = 0; t < squared.length; t++) sum += squared[t]! * shared[t]!;
    return sum;
  };
  const k = members.length;
  const toChild = members.map((m) => weighted(child, m));
  const between = new Float64Array(k * k);
  for (let i = 0; i < k; i++)
    for (let j = i + 1; j < k; j++)
      between[i * k + j] = between[j * k + i] = weighted(members[i]!, members[j]!);
  const single = Math.min(...toChild) / values;
  if (single < VISIBLE_OVER_FLOOR) return null;

  let scaled = Math.min(...toChild);
  let best: { base: number; picked: number[]; weights: number[]; rss: number } | null = null;
  const solveFor = (b: number, subset: readonly number[]) => {
    const m = subset.length;
    const gram = new Float64Array(m * m);
    const target = new Float64Array(m);
    subset.forEach((i, r) => {
      target[r] = (between[i * k + b]! + toChild[b]! - toChild[i]!) / 2;
      subset.forEach((j, c) => {
        gram[r * m + c] = (between[i * k + b]! + between[j * k + b]! - between[i * k + j]!) / 2;
      });
    });
    const weights = solveNonNegative(gram, target);
    return { weights, rss: residualOf(gram, target, toChild[b]!, weights) };
  };
  for (const baseModel of bases) {
    const b = members.indexOf(baseModel);
    if (b < 0) continue;
    const others = members.map((_, i) => i).filter((i) => i !== b);
    let subset = others;
    let solution = solveFor(b, subset);
    for (let round = 0; round < 4; round++) {
      const kept = subset.filter((_, r) => solution.weights[r]! >= MIN_WEIGHT);
      if (kept.length === subset.length || kept.length === 0) break;
      subset = kept;
      solution = solveFor(b, subset);
    }
    const picked = subset.filter((_, r) => solution.weights[r]! >= MIN_WEIGHT);
    const weights = [...solution.weights].filter((w) => w >= MIN_WEIGHT);
    if (picked.length === 0) continue;
    const simpler = best !== null && picked.length < best.picked.length && solution.rss < 1.05 * best.rss;
    for (let r = 0; r < others.length; r++) scaled = Math.min(scaled, solveFor(b, [others[r]!]).rss);
    if (best === null || solution.rss < 0.95 * best.rss || simpler)
      best = { base: b, picked, weights, rss: solution.rss };
  }
  if (best === null) return null;
  const sum = best.weights.reduce((a, b) => a + b, 0);
  const { base: bestBase, rss: bestRss } = best;
  const parents = best.picked.map((i, r) => {
    const without = solveFor(
      bestBase,
      best.picked.filter((j) => j !== i),
    ).rss;
    return {
      model: members[i]!,
      weight: best.weights[r]!,
      marginal: without / Math.max(bestRss, 1e-300) - 1,
    };
  });
  dropShadows(parents);
  const base = members[best.base]!;
  const fitted = fitEachTensor(
    table,
    child,
    base,
    parents.map((p) => p.model),
    shared,
  );
  const overFloor = Math.min(best.rss / values, fitted);
  const rest = 1 - sum;
  // One delta scaled down is a mean of two models; scaled up it is an extrapolation. Deltas that add up to less than 1 leave a share to
  // the base: a weighted mean it belongs to, or task arithmetic, whose recipe names the base as well.
  if (parents.length === 1 && rest < MIN_WEIGHT) return null;
  if (rest > SUM_TOLERANCE) parents.push({ model: base, weight: rest, marginal: Number.POSITIVE_INFINITY });
  // In a linear dependency of several models the merge has the largest coefficient: the others solve for it only by extrapolation.
  if (Math.abs(rest) > MAX_COEFFICIENT || parents.some((p) => p.weight > MAX_COEFFICIENT)) return null;
  return {
    child,
    base,
    parents: parents.sort((x, y) => y.weight - x.weight),
    overFloor,
    singleOverFloor: single,
    gain: Math.max(0, 1 - (overFloor * values) / scaled),
    exact: overFloor <= EXACT_OVER_FLOOR,
  };
}

/** A small share that hardly lowers the residual is rounding that happens to lie in somebody's direction. */
function dropShadows(parents: Mixture['parents']): void {
  for (let i = parents.length - 1; i >= 0; i--)
    if (parents[i]!.weight < SHADOW_WEIGHT && parents[i]!.marginal < SHADOW_MARGINAL) parents.splice(i, 1);
}

/** Mean squared residual over floors when every tensor has weights of its own, and a free share of the base (slerp's sum exceeds 1). */
function fitEachTensor(
  table: PairTable,
  child: number,
  base: number,
  parents: readonly number[],
  shared: Float64Array,
): number {
  const c = table.samples(child);
  const b = table.samples(base);
  const others = parents.map((p) => table.samples(p));
  let residual = 0;
  let values = 0;
  for (const tensor of c.tensors) {
    const t = table.names.get(tensor.name);
    if (t === undefined || shared[t] === 0) continue;
    const origin = b.byName.get(tensor.name)!;
    const columns: TensorSample[] = others.map((o) => o.byName.get(tensor.name)!);
    const k = columns.length + 1;
    const gram = new Float64Array(k * k);
    const target = new Float64Array(k);
    let power = 0;
    let n = 0;
    const row = new Float64Array(k);
    for (let i = 0; i < tensor.values.length; i++) {
      const x0 = origin.values[i]!;
      const y = tensor.values[i]! - x0;
      let usable = y * 0 === 0;
      for (let j = 0; j < columns.length; j++) {
        row[j] = columns[j]!.values[i]! - x0;
        usable = usable && row[j]! * 0 === 0;
      }
      if (!usable) continue;
      row[k - 1] = x0;
      n++;
      power += y * y;
      for (let p = 0; p < k; p++) {
        target[p]! += row[p]! * y;
        for (let q = 0; q < k; q++) gram[p * k + q]! += row[p]! * row[q]!;
      }
    }
    if (n < 4 * k) continue;
    // tensors nobody changed make singular equations: a ridge far below any real step
    const ridge = 1e-14 * Math.max(...Array.from({ length: k }, (_, p) => gram[p * k + p]!)) + 1e-300;
    for (let p = 0; p < k; p++) gram[p * k + p]! += ridge;
    const free = Array.from({ length: k }, () => true);
    const weights = solveNonNegative(gram, target, free);
    residual += residualOf(gram, target, power, weights) * shared[t]! * (n / (n - k));
    values += n;
  }
  return values > 0 ? residual / values : Infinity;
}

/** Share of values that the rounded mixture hits exactly: with the true weights nearly all. */
export function shareReproduced(table: PairTable, mixture: Mixture, weights: readonly number[]): number {
  const grid: Grid = table.grid(mixture.child);
  const base = table.samples(mixture.base);
  const parents = mixture.parents.map((p) => table.samples(p.model));
  let hit = 0;
  let n = 0;
  for (const tensor of table.samples(mixture.child).tensors) {
    const origin = base.byName.get(tensor.name);
    const columns = parents.map((p) => p.byName.get(tensor.name));
    if (!origin || columns.some((c) => !c || c.values.length !== tensor.values.length)) continue;
    for (let i = 0; i < tensor.values.length; i++) {
      const x0 = origin.values[i]!;
      let y = x0;
      columns.forEach((column, j) => {
        y += weights[j]! * (column!.values[i]! - x0);
      });
      if (!(y * 0 === 0) || !(tensor.values[i]! * 0 === 0)) continue;
      n++;
      if (roundToGrid(y, grid) === tensor.values[i]) hit++;
    }
  }
  return n > 0 ? hit / n : 0;
}
