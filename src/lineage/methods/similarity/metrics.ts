/** Features of one network: `rows` inputs, `width` values each, row-major. */
export interface Features {
  rows: number;
  width: number;
  values: Float64Array;
}

export const METRICS = ['l1', 'l2', 'lp', 'lse', 'cka', 'dc'] as const;
/** l1, l2 and l4 differences, log-sum-exp of differences, linear CKA, distance correlation: the metrics of Neural Lineage */
export type Metric = (typeof METRICS)[number];

const LP_POWER = 4;
/** The authors' code takes .01 to .02. */
export const LSE_TEMPERATURE = 0.02;

/** Similarity and how fast it grows when the first features move by `step`. */
export interface Similarity {
  value: number;
  slope: number;
}

/**
 * Similarity of two feature matrices by a metric of Neural Lineage (Yu and Wang, CVPR 2024), larger = more alike, and its derivative
 * along `step`, the first-order change of `f`. Distances are means over all values, so sizes do not matter; l2 and lp are not yet
 * rooted, since the approximation is added before the root (`finish`).
 */
export function measure(metric: Metric, f: Features, g: Features, step: Float64Array): Similarity {
  switch (metric) {
    case 'l1':
      return overDifferences(f, g, step, (d, s) => [-Math.abs(d), -Math.sign(d) * s]);
    case 'l2':
      return overDifferences(f, g, step, (d, s) => [-d * d, -2 * d * s]);
    case 'lp':
      return overDifferences(f, g, step, (d, s) => [-(d ** LP_POWER), -LP_POWER * d ** (LP_POWER - 1) * s]);
    case 'lse':
      return logSumExp(f, g, step);
    case 'cka':
      return linearCka(f, g, step);
    case 'dc':
      return distanceCorrelation(f, g, step);
  }
}

/**
 * The value a prediction is made from: similarity plus alpha times the first-order term (0 = plain). l2 and lp are capped at 0, as a
 * distance cannot be negative, and rooted; a value that is no number falls back to the plain one.
 */
export function finish(metric: Metric, { value, slope }: Similarity, alpha: number): number {
  const root = metric === 'l2' ? 2 : metric === 'lp' ? LP_POWER : 0;
  const shape = (x: number) => (root === 0 ? x : -(Math.max(0, -x) ** (1 / root)));
  const found = shape(value + alpha * slope);
  return Number.isFinite(found) ? found : shape(value);
}

function overDifferences(
  f: Features,
  g: Features,
  step: Float64Array,
  each: (difference: number, step: number) => [number, number],
): Similarity {
  let value = 0;
  let slope = 0;
  const n = f.values.length;
  for (let i = 0; i < n; i++) {
    const [v, s] = each(f.values[i]! - g.values[i]!, step[i]!);
    value += v;
    slope += s;
  }
  return { value: value / n, slope: slope / n };
}

/** -t ln mean exp(|d| / t): a smooth largest difference. */
function logSumExp(f: Features, g: Features, step: Float64Array): Similarity {
  const t = LSE_TEMPERATURE;
  const n = f.values.length;
  let top = 0;
  for (let i = 0; i < n; i++) top = Math.max(top, Math.abs(f.values[i]! - g.values[i]!));
  let sum = 0;
  let slope = 0;
  for (let i = 0; i < n; i++) {
    const d = f.values[i]! - g.values[i]!;
    const e = Math.exp((Math.abs(d) - top) / t);
    sum += e;
    slope -= e * Math.sign(d) * step[i]!;
  }
  return { value: -(top + t * Math.log(sum / n)), slope: slope / sum };
}

/** <K, L> / sqrt(<K, K> <L, L>) of centred Gram matrices (Kornblith et al. 2019). */
function linearCka(f: Features, g: Features, step: Float64Array): Similarity {
  const F = centreColumns(f);
  const G = centreColumns(g);
  const D = centreColumns({ ...f, values: step });
  const K = gram(F, F, f);
  const L = gram(G, G, g);
  // d(FF') = FD' + DF'; against symmetric matrices both halves count the same
  const dK = gram(F, D, f);
  const [kl, kk, ll] = [inner(K, L), inner(K, K), inner(L, L)];
  if (!(kk > 0 && ll > 0)) return { value: 0, slope: 0 };
  const norm = Math.sqrt(kk * ll);
  return { value: kl / norm, slope: (2 * inner(dK, L)) / norm - (kl / norm) * ((2 * inner(dK, K)) / kk) };
}

/** Distance correlation (Szekely et al. 2007) of the rows. */
function distanceCorrelation(f: Features, g: Features, step: Float64Array): Similarity {
  const a = rowDistances(f, step);
  const b = rowDistances(g, null);
  const A = doubleCentre(a.distances, f.rows);
  const B = doubleCentre(b.distances, f.rows);
  const dA = doubleCentre(a.slopes, f.rows);
  const [ab, aa, bb] = [inner(A, B), inner(A, A), inner(B, B)];
  if (!(aa > 0 && bb > 0 && ab > 0)) return { value: 0, slope: 0 };
  const value = Math.sqrt(ab / Math.sqrt(aa * bb));
  return { value, slope: (value / 2) * (inner(dA, B) / ab - inner(dA, A) / aa) };
}

function centreColumns({ rows, width, values }: Features): Float64Array {
  const out = Float64Array.from(values);
  for (let c = 0; c < width; c++) {
    let mean = 0;
    for (let r = 0; r < rows; r++) mean += values[r * width + c]!;
    mean /= rows;
    for (let r = 0; r < rows; r++) out[r * width + c]! -= mean;
  }
  return out;
}

/** X Y' */
function gram(x: Float64Array, y: Float64Array, { rows, width }: Features): Float64Array {
  const out = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += x[i * width + c]! * y[j * width + c]!;
      out[i * rows + j] = sum;
    }
  return out;
}

function inner(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function rowDistances({ rows, width, values }: Features, step: Float64Array | null) {
  const distances = new Float64Array(rows * rows);
  const slopes = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < i; j++) {
      let sum = 0;
      let along = 0;
      for (let c = 0; c < width; c++) {
        const d = values[i * width + c]! - values[j * width + c]!;
        sum += d * d;
        if (step) along += d * (step[i * width + c]! - step[j * width + c]!);
      }
      const distance = Math.sqrt(sum);
      distances[i * rows + j] = distance;
      distances[j * rows + i] = distance;
      const slope = distance > 0 ? along / distance : 0;
      slopes[i * rows + j] = slope;
      slopes[j * rows + i] = slope;
    }
  return { distances, slopes };
}

function doubleCentre(matrix: Float64Array, n: number): Float64Array {
  const means = new Float64Array(n);
  let all = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) means[i]! += matrix[i * n + j]! / n;
    all += means[i]! / n;
  }
  // symmetric: row means are column means
  return matrix.map((x, k) => x - means[Math.floor(k / n)]! - means[k % n]! + all);
}
