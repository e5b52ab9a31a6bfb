import type { PairTable } from './pair-table.ts';

/**
 * Where a model C leaves the edge from P to its child Q, read from the three distances.
 *
 * If C is another child of P, the two steps from P are nearly orthogonal: `siblingCosine` is near 0 (up to .6 when the data were the
 * same). If C is a child of Q, the step to C is nearly orthogonal to the step back to P: `returnCosine` is near 0; training on hardly
 * ever walks back the way the parent came. The cosines are means over the tensors that Q changed, weighted by what each can tell: much
 * where C moved little, hardly anything where C's own step drowns the one from P to Q.
 */
export interface BranchPoint {
  siblingCosine: number;
  returnCosine: number;
  /** log of |C-Q| / |C-P| */
  logRatio: number;
  /** values in tensors that Q changed */
  weight: number;
}

export function measureBranchPoint(table: PairTable, p: number, q: number, c: number): BranchPoint | null {
  const { pq, pc, qc } = measureTriangle(table, p, q, c);
  let total = 0;
  let sibling = 0;
  let back = 0;
  let ratio = 0;
  let weight = 0;
  for (let t = 0; t < table.tensorCount; t++) {
    // the same tensors for all three distances, or the triangle does not close
    const n = Math.min(pq.count[t]!, pc.count[t]!, qc.count[t]!);
    if (n === 0 || pq.squared[t] === 0) continue;
    const floor = 1e-8 * table.power[t]! + 1e-30;
    const a = pq.squared[t]! / pq.count[t]!;
    const b = pc.squared[t]! / pc.count[t]! + floor;
    const d = qc.squared[t]! / qc.count[t]! + floor;
    const w = Math.min(table.weights[t]!, n);
    const told = (w * a) / (a + (b + d) / 2);
    total += told;
    sibling += told * clamp((a + b - d) / (2 * Math.sqrt(a * b)));
    back += told * clamp((a + d - b) / (2 * Math.sqrt(a * d)));
    ratio += told * 0.5 * Math.log(d / b);
    weight += w;
  }
  if (total <= 0) return null;
  return {
    siblingCosine: sibling / total,
    returnCosine: back / total,
    logRatio: ratio / total,
    weight,
  };
}

/** Forgiven differences may break the triangle inequality a little. */
function clamp(cosine: number): number {
  return Math.max(-1, Math.min(1, cosine));
}

/**
 * The three sides as seen through the format of C: it starts from its parent's stored values and rounds them, so steps finer than that
 * leave nothing in it. Were P and Q compared more finely, a frozen tensor of C would lie apart from both by its own rounding, and the
 * triangle would not close.
 */
function measureTriangle(table: PairTable, p: number, q: number, c: number) {
  const grid = table.grid(c);
  const mode = grid === 'F32' ? 'raw' : grid;
  return {
    pq: table.distances(p, q, mode),
    pc: table.distances(p, c, mode),
    qc: table.distances(q, c, mode),
  };
}

/** Shapes of the two cosines' distributions over true triples; fitted on families with known lineage. */
export interface BranchPriors {
  /** siblings: a peak around `siblingMean` and a one-sided tail */
  siblingMean: number;
  siblingSd: number;
  siblingTail: number;
  siblingTailShare: number;
  /** chains: a peak and a two-sided tail */
  returnMean: number;
  returnSd: number;
  returnTail: number;
  returnTailShare: number;
}

export const DEFAULT_BRANCH_PRIORS: BranchPriors = {
  siblingMean: 0.04,
  siblingSd: 0.07,
  siblingTail: 0.2,
  siblingTailShare: 0.3,
  returnMean: 0.05,
  returnSd: 0.09,
  returnTail: 0.12,
  returnTailShare: 0.3,
};

/**
 * Log-odds that C is Q's child rather than P's other child. Densities are over the logs of the three step lengths, whence the
 * Jacobian 3 log(|C-Q| / |C-P|). `noise` is the sd of a cosine from sampling.
 */
export function branchLogOdds(point: BranchPoint, priors: BranchPriors, designEffect = 4): number {
  const noise = Math.sqrt(designEffect / Math.max(point.weight, 1));
  const sibling = logSum(
    Math.log(1 - priors.siblingTailShare) +
      logNormal(point.siblingCosine, priors.siblingMean, Math.hypot(priors.siblingSd, noise)),
    Math.log(priors.siblingTailShare) + logExponential(point.siblingCosine, priors.siblingTail, noise),
  );
  const chain = logSum(
    Math.log(1 - priors.returnTailShare) +
      logNormal(point.returnCosine, priors.returnMean, Math.hypot(priors.returnSd, noise)),
    Math.log(priors.returnTailShare) + logLaplace(point.returnCosine, priors.returnTail),
  );
  const jacobian = 3 * point.logRatio;
  return chain - sibling - jacobian;
}

function logNormal(x: number, mean: number, sd: number): number {
  return -0.5 * ((x - mean) / sd) ** 2 - Math.log(sd * Math.sqrt(2 * Math.PI));
}

function logLaplace(x: number, scale: number): number {
  return -Math.abs(x) / scale - Math.log(2 * scale);
}

/** One-sided, with a steep Laplace flank below 0. */
function logExponential(x: number, scale: number, noise: number): number {
  const flank = 0.03 + noise;
  return (x >= 0 ? -x / scale : x / flank) - Math.log(scale + flank);
}

function logSum(a: number, b: number): number {
  const top = Math.max(a, b);
  return top + Math.log(Math.exp(a - top) + Math.exp(b - top));
}
