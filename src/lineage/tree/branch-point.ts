import { FINENESS } from '../number-grid.ts';
import type { PairTable } from './pair-table.ts';

/**
 * Where a model C leaves the edge from P to its child Q, read from the three distances.
 *
 * If C is another child of P, the two steps from P are nearly orthogonal: `siblingCosine` is near 0 (up to .6 when the data were the
 * same). If C is a child of Q, the step to C is nearly orthogonal to the step back to P: `returnCosine` is near 0; training on hardly
 * ever walks back the way the parent came. Each tensor is weighted by the inverse of the squared distances at C (generalised least
 * squares), so tensors that C left alone decide: what Q changed and C has as P had it says that C is not Q's.
 */
export interface BranchPoint {
  siblingCosine: number;
  returnCosine: number;
  /** |C-P| / |P-Q| and |C-Q| / |P-Q| in the same metric */
  toParent: number;
  toChild: number;
  /** values behind it */
  weight: number;
}

export function measureBranchPoint(table: PairTable, p: number, q: number, c: number): BranchPoint | null {
  // Two children stored in one coarser format share the parent's rounding errors; seen from the rounded parent they do not.
  // Where Q is the finer one it stays as it is: its children start from its own values, and rounding it would tie C-Q to P-Q.
  const rounded = table.grid(q) === table.grid(c) && FINENESS[table.grid(p)] > FINENESS[table.grid(q)];
  const mode = rounded ? 'rounded' : 'forgiving';
  const pq = table.distances(p, q, mode);
  const pc = table.distances(p, c, mode);
  const qc = table.distances(q, c);
  let edge = 0;
  let toParent = 0;
  let toChild = 0;
  let weight = 0;
  for (let t = 0; t < table.tensorCount; t++) {
    // the same tensors for all three distances, or the triangle does not close
    const n = Math.min(pq.count[t]!, pc.count[t]!, qc.count[t]!);
    if (n === 0) continue;
    const w = Math.min(table.weights[t]!, n);
    const a = pq.squared[t]! / pq.count[t]!;
    const b = pc.squared[t]! / pc.count[t]!;
    const d = qc.squared[t]! / qc.count[t]!;
    const scale = w / ((b + d) / 2 + 1e-7 * table.power[t]! + 1e-30);
    edge += scale * a;
    toParent += scale * b;
    toChild += scale * d;
    weight += w;
  }
  if (weight === 0 || edge <= 0) return null;
  const floor = 1e-6 * weight;
  const [a, b, d] = [edge, toParent + floor, toChild + floor];
  return {
    siblingCosine: (a + b - d) / (2 * Math.sqrt(a * b)),
    returnCosine: (a + d - b) / (2 * Math.sqrt(a * d)),
    toParent: Math.sqrt(b / a),
    toChild: Math.sqrt(d / a),
    weight,
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
  const jacobian = 3 * Math.log(point.toChild / point.toParent);
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
