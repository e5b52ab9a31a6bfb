import { type Clustering, groupMembers, kMeans, type MoveCentre } from './kmeans.ts';
import { type Points, squaredDistanceAt } from './points.ts';

export interface GmmOptions {
  clusters: number;
  random: () => number;
  maxIterations?: number;
  /** gain of the mean log-likelihood of a point below which it stops */
  tolerance?: number;
  /** added to every variance, so that a cluster of equal points stays a density */
  floor?: number;
  /** first labels; default: KMeans */
  start?: Int32Array;
  moveCentre?: MoveCentre;
}

export interface Gmm extends Clustering {
  weights: number[];
  /** one a cluster: the covariance is variance x identity */
  variances: number[];
  /** of all points */
  logLikelihood: number;
  /** Bayesian information criterion, smaller is better */
  bic: number;
}

/**
 * Mixture of spherical Gaussians by expectation maximisation. Fingerprints have thousands of dimensions and a cluster has tens of
 * members, so one variance a cluster is all that can be estimated; full and diagonal covariances would be singular.
 * A spherical mixture in d dimensions has k (d + 2) - 1 free parameters.
 */
export function gmm(points: Points, options: GmmOptions): Gmm {
  const { count, dim, values } = points;
  const k = Math.max(1, Math.min(options.clusters, count));
  const { maxIterations = 100, tolerance = 1e-3, floor = 1e-6 } = options;
  const labels = Int32Array.from(
    options.start ?? kMeans(points, { clusters: k, random: options.random }).labels,
  );
  const shares = new Float64Array(count * k);
  for (let i = 0; i < count; i++) shares[i * k + labels[i]!] = 1;
  const centres: Float32Array[] = Array.from({ length: k }, () => new Float32Array(dim));
  const weights = new Array<number>(k).fill(0);
  const variances = new Array<number>(k).fill(floor);
  const squared = new Float64Array(count * k);
  let logLikelihood = Number.NEGATIVE_INFINITY;

  for (let round = 0; round < maxIterations; round++) {
    maximise();
    const before = logLikelihood;
    logLikelihood = expect();
    if (!options.moveCentre && Math.abs(logLikelihood - before) / count < tolerance) break;
  }
  const bic = -2 * logLikelihood + (k * (dim + 2) - 1) * Math.log(count);
  return { labels, centres, weights, variances, logLikelihood, bic };

  function maximise(): void {
    const members = options.moveCentre ? groupMembers(labels, k) : null;
    for (let c = 0; c < k; c++) {
      let size = 0;
      const sum = new Float64Array(dim);
      for (let i = 0; i < count; i++) {
        const share = shares[i * k + c]!;
        if (share === 0) continue;
        size += share;
        for (let d = 0, at = i * dim; d < dim; d++, at++) sum[d]! += share * values[at]!;
      }
      // a cluster nobody belongs to keeps its place and weighs nothing
      if (size > 1e-12)
        centres[c] =
          (members && members[c]!.length > 0 ? options.moveCentre?.(members[c]!) : null) ??
          Float32Array.from(sum, (s) => s / size);
      let spread = 0;
      for (let i = 0; i < count; i++) {
        const d = squaredDistanceAt(values, i * dim, centres[c]!, 0, dim);
        squared[i * k + c] = d;
        spread += shares[i * k + c]! * d;
      }
      weights[c] = size / count;
      variances[c] = (size > 1e-12 ? spread / (size * dim) : 0) + floor;
    }
  }

  function expect(): number {
    let total = 0;
    const terms = new Float64Array(k);
    for (let i = 0; i < count; i++) {
      let top = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < k; c++) {
        const variance = variances[c]!;
        terms[c] =
          Math.log(weights[c]!) -
          0.5 * (dim * Math.log(2 * Math.PI * variance) + squared[i * k + c]! / variance);
        if (terms[c]! > top) {
          top = terms[c]!;
          labels[i] = c;
        }
      }
      let sum = 0;
      for (let c = 0; c < k; c++) {
        terms[c] = Math.exp(terms[c]! - top);
        sum += terms[c]!;
      }
      for (let c = 0; c < k; c++) shares[i * k + c] = terms[c]! / sum;
      total += top + Math.log(sum);
    }
    return total;
  }
}
