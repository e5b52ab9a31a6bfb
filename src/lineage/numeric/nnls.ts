/**
 * Non-negative least squares on normal equations: min |A w - y|, w >= 0 where free is false (Lawson and Hanson 1974, ch. 23).
 * `gram` = A'A (k x k, row-major), `target` = A'y. Entries with `free[i]` may take any sign. `near`, the weights of a problem that is nearly
 * this one, saves most of the work where the same columns carry weight; the solution is the same.
 */
export function solveNonNegative(
  gram: Float64Array,
  target: Float64Array,
  free: readonly boolean[] = [],
  near: ArrayLike<number> | null = null,
): Float64Array {
  const k = target.length;
  if (k === 1 && !free[0]) return Float64Array.of(gram[0]! > 0 ? Math.max(0, target[0]! / gram[0]!) : 0);
  const solver = new PassiveSolver(gram, target);
  const passive = new Uint8Array(k);
  const carried = new Int32Array(k);
  const weights = new Float64Array(k);
  for (let i = 0; i < k; i++) passive[i] = free[i] || (near !== null && near[i]! > 0) ? 1 : 0;
  // columns that all carry weight when solved for alone are where the active-set method would get to by itself
  const warm = near !== null && isFeasible(solver.solve(passive), passive, free);
  if (!warm) for (let i = 0; i < k; i++) passive[i] = free[i] ? 1 : 0;
  let scale = 0;
  for (let i = 0; i < k; i++) scale = Math.max(scale, Math.abs(target[i]!));
  const tolerance = 1e-12 * (scale || 1);
  if (warm || free.some(Boolean)) weights.set(solver.solve(passive));
  // Each pass either stops or adds one column; 3k passes are far more than it ever needs.
  for (let pass = 0; pass < 3 * k + 3; pass++) {
    let best = -1;
    let bestGradient = tolerance;
    // of some dozen columns few ever carry weight
    let carrying = 0;
    for (let j = 0; j < k; j++) if (weights[j] !== 0) carried[carrying++] = j;
    for (let i = 0; i < k; i++) {
      if (passive[i]) continue;
      let gradient = target[i]!;
      for (let c = 0; c < carrying; c++) gradient -= gram[i * k + carried[c]!]! * weights[carried[c]!]!;
      if (gradient > bestGradient) {
        bestGradient = gradient;
        best = i;
      }
    }
    if (best < 0) break;
    passive[best] = 1;
    for (let inner = 0; inner <= k; inner++) {
      const solution = solver.solve(passive);
      let step = 1;
      for (let i = 0; i < k; i++)
        if (passive[i] && !free[i] && solution[i]! <= 0)
          step = Math.min(step, weights[i]! / (weights[i]! - solution[i]!));
      if (step >= 1) {
        weights.set(solution);
        break;
      }
      for (let i = 0; i < k; i++) {
        if (!passive[i]) continue;
        weights[i]! += step * (solution[i]! - weights[i]!);
        if (!free[i] && weights[i]! <= 1e-15) {
          weights[i] = 0;
          passive[i] = 0;
        }
      }
    }
  }
  return weights;
}

function isFeasible(solution: Float64Array, passive: Uint8Array, free: readonly boolean[]): boolean {
  for (let i = 0; i < solution.length; i++) if (passive[i] && !free[i] && !(solution[i]! > 0)) return false;
  return true;
}

/**
 * Least squares over the passive columns by Cholesky; a tiny ridge keeps (near) equal columns solvable. What is returned is overwritten
 * by the next call.
 */
class PassiveSolver {
  private readonly gram: Float64Array;
  private readonly target: Float64Array;
  private readonly index: Int32Array;
  private readonly lower: Float64Array;
  private readonly y: Float64Array;
  private readonly solution: Float64Array;

  constructor(gram: Float64Array, target: Float64Array) {
    const k = target.length;
    this.gram = gram;
    this.target = target;
    this.index = new Int32Array(k);
    this.lower = new Float64Array(k * k);
    this.y = new Float64Array(k);
    this.solution = new Float64Array(k);
  }

  solve(passive: Uint8Array): Float64Array {
    const { gram, target, index, lower, y, solution } = this;
    const k = target.length;
    let m = 0;
    for (let i = 0; i < k; i++) if (passive[i]) index[m++] = i;
    for (let i = 0; i < m; i++)
      for (let j = 0; j <= i; j++) {
        let sum = gram[index[i]! * k + index[j]!]!;
        if (i === j) sum *= 1 + 1e-12;
        for (let t = 0; t < j; t++) sum -= lower[i * m + t]! * lower[j * m + t]!;
        if (i === j) lower[i * m + i] = Math.sqrt(Math.max(sum, 1e-300));
        else lower[i * m + j] = sum / lower[j * m + j]!;
      }
    for (let i = 0; i < m; i++) {
      let sum = target[index[i]!]!;
      for (let t = 0; t < i; t++) sum -= lower[i * m + t]! * y[t]!;
      y[i] = sum / lower[i * m + i]!;
    }
    solution.fill(0);
    for (let i = m - 1; i >= 0; i--) {
      let sum = y[i]!;
      for (let t = i + 1; t < m; t++) sum -= lower[t * m + i]! * solution[index[t]!]!;
      solution[index[i]!] = sum / lower[i * m + i]!;
    }
    return solution;
  }
}

/**
 * By how much the squared residual of plain least squares over all columns grows when one is left out, for each: w_i^2 / (A'A)^-1_ii.
 * Where all weights are positive, the bounded problem without it cannot leave less.
 */
export function costsOfDropping(gram: Float64Array, weights: Float64Array): Float64Array {
  const k = weights.length;
  const lower = new Float64Array(k * k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      let sum = gram[i * k + j]!;
      if (i === j) sum *= 1 + 1e-12;
      for (let t = 0; t < j; t++) sum -= lower[i * k + t]! * lower[j * k + t]!;
      lower[i * k + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / lower[j * k + j]!;
    }
  const column = new Float64Array(k);
  const costs = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    let inverse = 0;
    for (let r = i; r < k; r++) {
      let sum = r === i ? 1 : 0;
      for (let t = i; t < r; t++) sum -= lower[r * k + t]! * column[t]!;
      column[r] = sum / lower[r * k + r]!;
      inverse += column[r]! ** 2;
    }
    costs[i] = weights[i]! ** 2 / inverse;
  }
  return costs;
}

/** Squared residual |A w - y|^2 from the normal equations; `power` = y'y. */
export function residualOf(
  gram: Float64Array,
  target: Float64Array,
  power: number,
  weights: Float64Array,
): number {
  const k = target.length;
  let rss = power;
  for (let i = 0; i < k; i++) {
    if (weights[i] === 0) continue;
    rss -= 2 * weights[i]! * target[i]!;
    for (let j = 0; j < k; j++) rss += weights[i]! * weights[j]! * gram[i * k + j]!;
  }
  return Math.max(rss, 0);
}

const RIDGE = 1e-12;

/**
 * At least about what plain least squares over all columns, weights of any sign, leave of `power` = y'y; overwrites `gram`, of which only
 * the lower half is read, and `target`. Equal columns are told apart by a ridge, which only weights beyond some thousands feel. 0 where rounding
 * leaves no positive definite matrix.
 */
export function residualOfAll(gram: Float64Array, target: Float64Array, power: number): number {
  const k = target.length;
  let rest = power;
  for (let i = 0; i < k; i++) {
    const row = i * k;
    const diagonal = gram[row + i]!;
    // a column of zeros explains nothing
    if (diagonal === 0) {
      for (let r = i; r < k; r++) gram[r * k + i] = 0;
      target[i] = 0;
      continue;
    }
    let y = target[i]!;
    let pivot = diagonal * (1 + RIDGE);
    for (let j = 0; j < i; j++) {
      const at = j * k;
      const divisor = gram[at + j]!;
      if (divisor === 0) continue;
      let sum = gram[row + j]!;
      for (let t = 0; t < j; t++) sum -= gram[row + t]! * gram[at + t]!;
      const l = sum / divisor;
      gram[row + j] = l;
      pivot -= l * l;
      y -= l * target[j]!;
    }
    if (!(pivot > 0)) return 0;
    gram[row + i] = Math.sqrt(pivot);
    target[i] = y / gram[row + i]!;
    rest -= target[i]! ** 2;
  }
  return Math.max(0, rest);
}
