import { NOTHING, TOPICS } from '../notes.ts';
import { type Grid, roundToGrid, ulpOf } from '../number-grid.ts';
import type { PairTable } from '../tree/pair-table.ts';

/** How many stored values a weighted sum of deltas hits, the weights chosen to hit as many as they can. */
export interface RoundingFit {
  /** of each parent; the base keeps the rest */
  weights: number[];
  /** values at which the base, the parents and the child are not all one */
  moving: number;
  /** share of those within rounding of the child's */
  share: number;
  /** values at which the child is neither the base nor any of the parents, rounded to its format: only a mixture explains these */
  between: number;
  betweenShare: number;
}

/** Half a unit of the last place, and a little for float32 arithmetic on the way. */
const WITHIN_ULPS = 0.52;
const ROUNDS = 20;
/** A round that lowers the violations by less, relatively, is the last: weights are then good to a small part of what they may be off by. */
const SETTLED = 1e-3;
/** Beyond this violations count linearly (Huber): where the child is nearly 0 its last place is tiny, and one value would decide all. */
const FAR_ULPS = 5;
/** More values only cost time. */
const MAX_VALUES = 12_288;
/** Values a tensor must have for each weight fitted to it alone. */
const VALUES_PER_WEIGHT = 8;
/** Weights of the whole model that miss more than this are tried tensor by tensor (slerp, gradients of weights). */
const GOOD_ENOUGH = 0.97;
/** Share of hits in single tensors below which the whole comes nowhere near what is asked of a merge. */
const HOPELESS = 0.6;

interface Rows {
  /** child minus base in units of the child's last place */
  step: Float64Array;
  /** parents minus base in the same units, value by value */
  deltas: Float64Array;
  /** bit 0: not all values are one; bit 1: the child's is nobody's */
  kind: Uint8Array;
  tensors: { from: number; to: number }[];
  k: number;
}

/**
 * A stored merge is the rounded sum, value by value; so every value bounds the weights to a strip, and with the true parents one set of
 * weights lies in (nearly) all strips. Weights that violate least are found by reweighted Gauss-Newton on
 * the squared violations, which are convex.
 * This tells merges where steps are about one unit of the last place and least squares leave no less than a single parent does.
 * Null when a tensor of the child is missing in one of them.
 */
export function fitWithinRounding(
  table: PairTable,
  child: number,
  base: number,
  parents: readonly number[],
  start: readonly number[],
  withBase = true,
): RoundingFit | null {
  const models = [child, base, ...parents];
  const found = table.notes.ask(TOPICS.fitWithinRounding, models, [withBase ? 1 : 0, ...start], () => {
    const fit = measureFit(table, child, base, parents, start, withBase);
    return fit === null ? NOTHING : [fit.moving, fit.share, fit.between, fit.betweenShare, ...fit.weights];
  });
  if (found.length === 0) return null;
  const [moving, share, between, betweenShare, ...weights] = Array.from(found) as [
    ...[number, number, number, number],
    ...number[],
  ];
  return { weights, moving, share, between, betweenShare };
}

function measureFit(
  table: PairTable,
  child: number,
  base: number,
  parents: readonly number[],
  start: readonly number[],
  withBase: boolean,
): RoundingFit | null {
  const rows = collectRows(table, child, base, parents, withBase);
  if (rows === null) return null;
  const all = { from: 0, to: rows.step.length };
  const weights = improve(rows, all, start);
  const whole = countHits(rows, [{ ...all, weights }]);
  if (whole.share >= GOOD_ENOUGH) return { weights, ...whole };
  const fitAlone = (part: { from: number; to: number }) => ({
    ...part,
    weights: part.to - part.from >= VALUES_PER_WEIGHT * rows.k ? improve(rows, part, weights) : weights,
  });
  const { tensors } = rows;
  // Three tensors that miss far more than a merge may, with weights of their own, speak for the hundreds that follow.
  const few = [...new Set([0, tensors.length >> 1, tensors.length - 1])].flatMap((t) => tensors[t] ?? []);
  if (countHits(rows, few.map(fitAlone)).share < HOPELESS) return { weights, ...whole };
  const parts = tensors.map(fitAlone);
  const pieces = countHits(rows, parts);
  return pieces.share > whole.share ? { weights, ...pieces } : { weights, ...whole };
}

function collectRows(
  table: PairTable,
  child: number,
  base: number,
  parents: readonly number[],
  withBase: boolean,
): Rows | null {
  const grid: Grid = table.grid(child);
  const origin = table.samples(base);
  const others = parents.map((p) => table.samples(p));
  const { tensors } = table.samples(child);
  const length = tensors.reduce((sum, t) => sum + t.values.length, 0);
  const stride = Math.max(1, Math.ceil(length / MAX_VALUES));
  const k = parents.length;
  const rows: Rows = {
    step: new Float64Array(length),
    deltas: new Float64Array(length * k),
    kind: new Uint8Array(length),
    tensors: [],
    k,
  };
  let n = 0;
  for (const tensor of tensors) {
    const from = origin.byName.get(tensor.name)?.values;
    const columns = others.map((o) => o.byName.get(tensor.name)?.values);
    if (from?.length !== tensor.values.length) return null;
    if (columns.some((c) => c?.length !== tensor.values.length)) return null;
    const first = n;
    for (let i = 0; i < tensor.values.length; i += stride) {
      const c = tensor.values[i]!;
      const b = from[i]!;
      let usable = (c - b) * 0 === 0;
      const rounded = roundToGrid(b, grid);
      let alike = rounded === c;
      let between = !withBase || rounded !== c;
      for (let j = 0; j < k; j++) {
        const p = columns[j]![i]!;
        usable = usable && p * 0 === 0;
        const r = roundToGrid(p, grid);
        alike = alike && r === c;
        between = between && r !== c;
      }
      if (!usable || alike) continue;
      const ulp = Math.max(ulpOf(c, grid), 4 * ulpOf(b, 'F32'));
      rows.step[n] = (c - b) / ulp;
      for (let j = 0; j < k; j++) rows.deltas[n * k + j] = (columns[j]![i]! - b) / ulp;
      rows.kind[n] = between ? 3 : 1;
      n++;
    }
    if (n > first) rows.tensors.push({ from: first, to: n });
  }
  return {
    ...rows,
    step: rows.step.subarray(0, n),
    deltas: rows.deltas.subarray(0, n * k),
    kind: rows.kind.subarray(0, n),
  };
}

/** How far outside its strip a value lies, in units of the last place, with its sign. */
function violation(rows: Rows, i: number, weights: ArrayLike<number>): number {
  let off = rows.step[i]!;
  for (let j = 0; j < rows.k; j++) off -= weights[j]! * rows.deltas[i * rows.k + j]!;
  return Math.abs(off) <= WITHIN_ULPS ? 0 : off - Math.sign(off) * WITHIN_ULPS;
}

function improve(rows: Rows, { from, to }: { from: number; to: number }, start: readonly number[]): number[] {
  const { k, step: steps, deltas } = rows;
  let weights = [...start];
  let cost = Number.POSITIVE_INFINITY;
  let damping = 1;
  let step = new Array<number>(k).fill(0);
  for (let round = 0; round < ROUNDS; round++) {
    const tried = weights.map((w, j) => w + damping * step[j]!);
    const gram = new Float64Array(k * k);
    const target = new Float64Array(k);
    let sum = 0;
    for (let i = from; i < to; i++) {
      // `violation`, written out: this loop is most of what merges cost
      let off = steps[i]!;
      for (let j = 0; j < k; j++) off -= tried[j]! * deltas[i * k + j]!;
      const size = Math.abs(off) - WITHIN_ULPS;
      if (size <= 0) continue;
      const v = off > 0 ? size : -size;
      const share = size > FAR_ULPS ? FAR_ULPS / size : 1;
      sum += size > FAR_ULPS ? FAR_ULPS * (2 * size - FAR_ULPS) : v * v;
      for (let p = 0; p < k; p++) {
        const d = share * deltas[i * k + p]!;
        target[p]! += d * v;
        for (let q = 0; q <= p; q++) gram[p * k + q]! += d * deltas[i * k + q]!;
      }
    }
    for (let p = 0; p < k; p++) for (let q = 0; q < p; q++) gram[q * k + p] = gram[p * k + q]!;
    if (sum >= cost) {
      // overshot: values that were inside their strips are not any more
      damping /= 2;
      if (damping < 0.1) break;
      continue;
    }
    weights = tried;
    const settled = cost - sum < SETTLED * sum;
    cost = sum;
    if (sum === 0 || settled) break;
    const next = solveRidge(gram, target, k);
    if (next === null) break;
    step = next;
    damping = 1;
  }
  return weights;
}

/** Gaussian elimination on a few unknowns with a ridge; null when nothing bounds one of them. */
function solveRidge(gram: Float64Array, target: Float64Array, k: number): number[] | null {
  const a = gram.slice();
  const y = target.slice();
  for (let p = 0; p < k; p++) a[p * k + p]! += 1e-9 * gram[p * k + p]! + 1e-30;
  for (let p = 0; p < k; p++) {
    const pivot = a[p * k + p]!;
    if (!(pivot > 1e-20)) return null;
    for (let r = p + 1; r < k; r++) {
      const f = a[r * k + p]! / pivot;
      for (let c = p; c < k; c++) a[r * k + c]! -= f * a[p * k + c]!;
      y[r]! -= f * y[p]!;
    }
  }
  const x = new Array<number>(k).fill(0);
  for (let p = k - 1; p >= 0; p--) {
    let sum = y[p]!;
    for (let c = p + 1; c < k; c++) sum -= a[p * k + c]! * x[c]!;
    x[p] = sum / a[p * k + p]!;
  }
  return x;
}

function countHits(
  rows: Rows,
  parts: readonly { from: number; to: number; weights: readonly number[] }[],
): Omit<RoundingFit, 'weights'> {
  let moving = 0;
  let hits = 0;
  let between = 0;
  let betweenHits = 0;
  for (const { from, to, weights } of parts)
    for (let i = from; i < to; i++) {
      const hit = violation(rows, i, weights) === 0 ? 1 : 0;
      moving++;
      hits += hit;
      if (rows.kind[i] === 3) {
        between++;
        betweenHits += hit;
      }
    }
  return {
    moving,
    share: moving > 0 ? hits / moving : 0,
    between,
    betweenShare: between > 0 ? betweenHits / between : 0,
  };
}
