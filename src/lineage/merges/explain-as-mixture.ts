import { ulpOf } from '../number-grid.ts';
import { costsOfDropping, residualOf, solveNonNegative } from '../numeric/nnls.ts';
import type { PairDistances, PairTable } from '../tree/pair-table.ts';
import { fitEachTensor } from './fit-each-tensor.ts';
import { fitWithinRounding, type RoundingFit } from './fit-within-rounding.ts';

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
  /** how many of the stored values the rounded sum hits: of all that are not one, and of those that are no parent's own */
  reproduced: { share: number; between: number; betweenShare: number } | null;
}

/** Residual of an exact merge is .6-1.3 floors; fine-tunes and siblings tuned on the same data start at 8.9 (r = .5 %). */
export const EXACT_OVER_FLOOR = 1.6;
/** Below this many floors a single parent explains as much as can be seen: undecidable. */
const VISIBLE_OVER_FLOOR = 3.5;
const MIN_WEIGHT = 0.04;
/** A parent must lower the residual by this many times what is left a value: chance alone gives 1, the best of twenty models 9. */
const NEEDED = 25;
const SHADOW_WEIGHT = 0.08;
const SHADOW_MARGINAL = 0.25;
const MIN_VALUES = 256;
/** Solutions of least squares whose values are looked at. */
const TRIED_BY_VALUES = 3;
/** Share of stored values that a true mixture hits (the rest: arithmetic in another order or precision)... */
const REPRODUCED = 0.95;
/** ...also where the child has neither parent's value: there a light fine-tune, or the hub of its "parents", hits half at most. */
const REPRODUCED_BETWEEN = 0.9;
const MIN_BETWEEN = 40;
/** Shares of hits that differ by less than this tell nothing. */
const SAME_SHARE = 0.01;
const WORTH_PRUNING = 0.8;
/** Slerp and gradients of weights leave a few floors while the weights are the same for all tensors. */
export const WORTH_A_LOOK = 8;
/** Beyond 1 by more than this the equation was solved for the wrong model. */
const MAX_COEFFICIENT = 1.05;
/** Weights that add up to 1 within this are a weighted mean; their base is no parent. */
const SUM_TOLERANCE = 0.03;
/** Nobody mixes in less of a model than this: what several deltas leave below it is task arithmetic's, whose weights need not add up. */
const BASE_SHARE = 0.1;

/** One base tried: which models were kept, and what they leave, in floors summed over values. */
interface Solution {
  base: number;
  picked: number[];
  weights: number[];
  rss: number;
  /** the base among them where it keeps a share */
  parents: number;
}

function countParents(weights: readonly number[]): number {
  let sum = 0;
  for (const weight of weights) sum += weight;
  return weights.length + (1 - sum > SUM_TOLERANCE ? 1 : 0);
}

/** Of two solutions that leave the same but for chance, the one with fewer parents. */
function isBetter(a: Solution, b: Solution, values: number): boolean {
  const margin = NEEDED * Math.max(1, Math.min(a.rss, b.rss) / values);
  return a.parents === b.parents
    ? a.rss < b.rss - 1e-9 * b.rss
    : a.rss < b.rss + (b.parents - a.parents) * margin;
}

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
 * Is the model a mixture of others? For each base tried (the family's hub first), non-negative least squares of its delta on theirs, each
 * tensor in units of its rounding floor; what does not lower the residual beyond chance is dropped and the rest solved again. The best of
 * these are held against the stored values themselves, and models they can do without are dropped too: the rounding of a child stored
 * coarser than its base is shared with others stored alike, and looks like a small weight. In the end the parents found are fitted to each
 * tensor by itself (slerp and gradient merges have other weights in every tensor) and the residual is held against the floor.
 */
export function explainAsMixture(
  table: PairTable,
  child: number,
  pool: readonly number[],
  bases: readonly number[],
  floors: ReadonlyMap<string, number> = roundingFloor(table, child),
): Mixture | null {
  const members = [...new Set([...pool, ...bases])].filter((m) => m !== child);
  if (members.length < 2) return null;
  // Where no tensor shows a step, least squares are blunt and only values that nobody else has can tell.
  return (
    explainEquations(table, child, members, bases, gather(table, child, members, floors, true)) ??
    explainEquations(table, child, members, bases, gather(table, child, members, floors, false))
  );
}

export interface Equations {
  /** 1 / floor for tensors that count, 0 for others */
  shared: Float64Array;
  values: number;
  visible: boolean;
}

/** Only tensors that all have: otherwise the normal equations do not belong to one set of values. */
export function gather(
  table: PairTable,
  child: number,
  members: readonly number[],
  floors: ReadonlyMap<string, number>,
  visible: boolean,
): Equations {
  const shared = new Float64Array(table.tensorCount);
  let values = 0;
  const toMembers: PairDistances[] = [];
  for (const m of members) toMembers.push(table.distances(child, m, 'raw'));
  for (const [name, floor] of floors) {
    const t = table.names.get(name);
    if (t === undefined || !(floor > 0)) continue;
    const n = toMembers[0]!.count[t]!;
    // the values counted must be the same ones; grown vocabularies have fewer
    if (n === 0 || !haveCount(toMembers, t, n)) continue;
    // A tensor in which some candidate is as near as rounding allows tells nothing; counting it would dilute what the others tell.
    let nearestHere = Number.POSITIVE_INFINITY;
    for (const { squared } of toMembers) nearestHere = Math.min(nearestHere, squared[t]!);
    if (visible ? nearestHere < VISIBLE_OVER_FLOOR * n * floor : nearestHere === 0) continue;
    shared[t] = 1 / floor;
    values += n;
  }
  return { shared, values, visible };
}

/** Do all have this many values of a tensor in common? */
export function haveCount(pairs: readonly PairDistances[], t: number, n: number): boolean {
  for (const { count } of pairs) if (count[t] !== n) return false;
  return true;
}

/** Squared distances of a child and its candidates, in floors, and least squares over them. A class: see decision 8 on machine code. */
class LeastSquares {
  readonly toChild: Float64Array;
  /** of members i and j at `i * size + j` */
  readonly between: Float64Array;
  private readonly size: number;

  constructor(table: PairTable, child: number, members: readonly number[], shared: Float64Array) {
    const k = members.length;
    this.size = k;
    this.toChild = new Float64Array(k);
    this.between = new Float64Array(k * k);
    for (let i = 0; i < k; i++) {
      this.toChild[i] = weigh(table.distances(child, members[i]!, 'raw'), shared);
      for (let j = 0; j < i; j++) {
        const sum = weigh(table.distances(members[i]!, members[j]!, 'raw'), shared);
        this.between[i * k + j] = sum;
        this.between[j * k + i] = sum;
      }
    }
  }

  /** Squared length of member i's delta from b. */
  length(i: number, b: number): number {
    return this.between[i * this.size + b]!;
  }

  /** Product of the child's delta from b and member i's. */
  target(i: number, b: number): number {
    return (this.between[i * this.size + b]! + this.toChild[b]! - this.toChild[i]!) / 2;
  }

  /** The child's delta from b over those of the subset. */
  solve(b: number, subset: readonly number[], near: ArrayLike<number> | null = null): Solved {
    const { between, size: k, toChild } = this;
    const m = subset.length;
    const gram = new Float64Array(m * m);
    const target = new Float64Array(m);
    for (let r = 0; r < m; r++) {
      const i = subset[r]!;
      target[r] = this.target(i, b);
      for (let c = 0; c < m; c++) {
        const j = subset[c]!;
        gram[r * m + c] = (between[i * k + b]! + between[j * k + b]! - between[i * k + j]!) / 2;
      }
    }
    const weights = solveNonNegative(gram, target, [], near);
    return { weights, rss: residualOf(gram, target, toChild[b]!, weights), gram };
  }
}

interface Solved {
  weights: Float64Array;
  rss: number;
  gram: Float64Array;
}

/** A pair's squared distance in floors. */
export function weigh({ squared }: PairDistances, shared: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < squared.length; t++) sum += squared[t]! * shared[t]!;
  return sum;
}

/** Those of `values` whose weight counts. */
function keepHeavy(values: ArrayLike<number>, weights: Float64Array): number[] {
  const kept: number[] = [];
  for (let r = 0; r < weights.length; r++) if (weights[r]! >= MIN_WEIGHT) kept.push(values[r]!);
  return kept;
}

function leaveOut(values: ArrayLike<number>, place: number): number[] {
  const rest: number[] = [];
  for (let r = 0; r < values.length; r++) if (r !== place) rest.push(values[r]!);
  return rest;
}

/** What leaving each model out costs at least; nothing is known where one has no weight. */
function boundCosts({ gram, weights }: Solved): Float64Array {
  for (let r = 0; r < weights.length; r++) if (!(weights[r]! > 0)) return new Float64Array(weights.length);
  return costsOfDropping(gram, weights);
}

/** Places of some dozen numbers, the least first, ties by place. */
function sortPlaces(numbers: Float64Array): number[] {
  const order: number[] = [];
  for (let r = 0; r < numbers.length; r++) {
    let at = r;
    for (; at > 0 && numbers[order[at - 1]!]! > numbers[r]!; at--) order[at] = order[at - 1]!;
    order[at] = r;
  }
  return order;
}

function explainEquations(
  table: PairTable,
  child: number,
  members: readonly number[],
  bases: readonly number[],
  { shared, values, visible }: Equations,
): Mixture | null {
  if (values < MIN_VALUES) return null;
  const squares = new LeastSquares(table, child, members, shared);
  const { toChild } = squares;
  let scaled = Math.min(...toChild);
  const single = scaled / values;
  if (visible && single < VISIBLE_OVER_FLOOR) return null;

  const solutions: Solution[] = [];
  for (const baseModel of bases) {
    const b = members.indexOf(baseModel);
    if (b < 0) continue;
    const others: number[] = [];
    for (let i = 0; i < members.length; i++) if (i !== b) others.push(i);
    let subset = others;
    let solution = squares.solve(b, subset);
    // no subset leaves less, and what leaves this much is not looked at
    if (!visible && solution.rss > WORTH_A_LOOK * values) continue;
    for (let round = 0; round < 4; round++) {
      const kept = keepHeavy(subset, solution.weights);
      if (kept.length === subset.length || kept.length === 0) break;
      subset = kept;
      solution = squares.solve(b, subset, keepHeavy(solution.weights, solution.weights));
    }
    while (subset.length > 1) {
      const { weights: now, rss } = solution;
      const noise = Math.max(1, rss / values);
      // What leaving one out costs at least: most need not be tried, and nearly always the first tried is the cheapest.
      const bounds = boundCosts(solution);
      let least = -1;
      let cheapest: Solved | null = null;
      for (const r of sortPlaces(bounds)) {
        const atLeast = rss + 0.999 * bounds[r]!;
        if (atLeast - rss >= NEEDED * noise || (cheapest !== null && atLeast >= cheapest.rss)) break;
        const tried = squares.solve(b, leaveOut(subset, r), leaveOut(now, r));
        if (cheapest !== null && tried.rss >= cheapest.rss) continue;
        cheapest = tried;
        least = r;
      }
      if (cheapest === null || cheapest.rss - rss >= NEEDED * noise) break;
      solution = cheapest;
      subset = leaveOut(subset, least);
    }
    const picked = keepHeavy(subset, solution.weights);
    const weights = keepHeavy(solution.weights, solution.weights);
    for (const i of others) {
      const length = squares.length(i, b);
      const along = Math.max(0, squares.target(i, b));
      if (length > 0) scaled = Math.min(scaled, toChild[b]! - along ** 2 / length);
    }
    if (picked.length === 0) continue;
    solutions.push({ base: b, picked, weights, rss: solution.rss, parents: countParents(weights) });
  }
  solutions.sort((a, b) => (isBetter(a, b, values) ? -1 : isBetter(b, a, values) ? 1 : 0));
  const [first, ...others] = solutions
    .slice(0, TRIED_BY_VALUES)
    // least squares that leave many times the rounding have no values to show
    .map((solution) =>
      solution.rss <= WORTH_A_LOOK * values
        ? pruneByValues(table, child, members, solution)
        : { solution, fit: null },
    );
  if (first === undefined) return null;
  const { solution, fit } = others.reduce(
    (best, tried) =>
      tried.fit && (!best.fit || fitsBetter(tried.fit, tried, best.fit, best)) ? tried : best,
    first,
  );
  const reproduced = isReproduced({ reproduced: fit });
  if (!visible && !reproduced) return null;
  const rss = visible ? squares.solve(solution.base, solution.picked).rss : solution.rss;
  const sum = solution.weights.reduce((a, b) => a + b, 0);
  const parents = solution.picked.map((i, r) => {
    const without = squares.solve(
      solution.base,
      solution.picked.filter((j) => j !== i),
    ).rss;
    return {
      model: members[i]!,
      weight: solution.weights[r]!,
      marginal: without / Math.max(rss, 1e-300) - 1,
    };
  });
  if (!reproduced) dropShadows(parents);
  const base = members[solution.base]!;
  const fitted = fitEachTensor(
    table,
    child,
    base,
    parents.map((p) => p.model),
    shared,
  );
  const overFloor = Math.min(rss / values, fitted);
  const rest = 1 - sum;
  // One delta scaled down is a mean of two models; scaled up it is an extrapolation. Deltas that add up to less than 1 leave a share to
  // the base: a weighted mean it belongs to, or task arithmetic, whose recipe names the base as well.
  if (parents.length === 1 && rest < MIN_WEIGHT) return null;
  // A sum that is not exact is short of its parents' steps where values were dropped: then nothing is left to the base.
  const exact = reproduced || (visible && overFloor <= EXACT_OVER_FLOOR);
  if (parents.length === 1 ? rest > SUM_TOLERANCE : exact && rest >= BASE_SHARE)
    parents.push({ model: base, weight: rest, marginal: Number.POSITIVE_INFINITY });
  // In a linear dependency of several models the merge has the largest coefficient: the others solve for it only by extrapolation.
  if (Math.abs(rest) > MAX_COEFFICIENT || parents.some((p) => p.weight > MAX_COEFFICIENT)) return null;
  return {
    child,
    base,
    parents: parents.sort((x, y) => y.weight - x.weight),
    overFloor,
    singleOverFloor: single,
    gain: Math.max(0, 1 - (overFloor * values) / scaled),
    exact,
    reproduced:
      fit === null ? null : { share: fit.share, between: fit.between, betweenShare: fit.betweenShare },
  };
}

/** Do the stored values bear the mixture out? */
export function isReproduced({ reproduced }: Pick<Mixture, 'reproduced'>): boolean {
  return (
    reproduced !== null &&
    reproduced.share >= REPRODUCED &&
    reproduced.between >= MIN_BETWEEN &&
    reproduced.betweenShare >= REPRODUCED_BETWEEN
  );
}

interface Tried {
  solution: Solution;
  fit: RoundingFit | null;
}

/** More values hit; of equals, fewer parents. */
function fitsBetter(fitA: RoundingFit, a: Tried, fitB: RoundingFit, b: Tried): boolean {
  const gained = fitA.share - fitB.share;
  if (Math.abs(gained) > SAME_SHARE) return gained > 0;
  return a.solution.parents < b.solution.parents;
}

/** Leaves out, one by one, parents without which as many stored values are hit. */
function pruneByValues(table: PairTable, child: number, members: readonly number[], from: Solution): Tried {
  const fitOf = (picked: readonly number[], weights: readonly number[]) =>
    fitWithinRounding(
      table,
      child,
      members[from.base]!,
      picked.map((i) => members[i]!),
      weights,
    );
  let solution = from;
  const whole = fitOf(from.picked, from.weights);
  // what is no sum of these to begin with is not made one by leaving some out
  if (whole === null || whole.share < WORTH_PRUNING) return { solution, fit: whole };
  let fit: RoundingFit = whole;
  while (solution.picked.length > 1) {
    let better: { solution: Solution; fit: RoundingFit } | null = null;
    for (let r = 0; r < solution.picked.length; r++) {
      const picked = solution.picked.filter((_, i) => i !== r);
      const tried = fitOf(
        picked,
        fit.weights.filter((_, i) => i !== r),
      );
      if (tried === null || tried.share < fit.share - SAME_SHARE) continue;
      if (better !== null && tried.share <= better.fit.share) continue;
      better = { solution: { ...solution, picked, weights: tried.weights }, fit: tried };
    }
    if (better === null) break;
    solution = better.solution;
    fit = better.fit;
  }
  if (fit.share >= REPRODUCED) solution = { ...solution, weights: fit.weights };
  return { solution: { ...solution, parents: countParents(solution.weights) }, fit };
}

/** A small share that hardly lowers the residual is rounding that happens to lie in somebody's direction. */
function dropShadows(parents: Mixture['parents']): void {
  for (let i = parents.length - 1; i >= 0; i--)
    if (parents[i]!.weight < SHADOW_WEIGHT && parents[i]!.marginal < SHADOW_MARGINAL) parents.splice(i, 1);
}
