import { meanOf, type Points, squaredDistanceAt } from './points.ts';

export interface Clustering {
  /** cluster of each point; -1 = in none */
  labels: Int32Array;
  /** one row a cluster */
  centres: Float32Array[];
}

/** Puts something else in the place of a cluster's mean: the along-variants put a member there. Null keeps the mean. */
export type MoveCentre = (members: readonly number[]) => Float32Array | null;

export interface KMeansOptions {
  clusters: number;
  /** uniform in [0, 1) */
  random: () => number;
  maxIterations?: number;
  /** first centres; default: k-means++ */
  start?: readonly Float32Array[];
  moveCentre?: MoveCentre;
}

/**
 * Lloyd's KMeans from k-means++ centres (Arthur and Vassilvitskii 2007), with Hamerly's bounds (2010): a point is measured against all
 * centres only when the triangle inequality cannot rule a change out, so the result is Lloyd's and most distances are never computed.
 * A cluster that loses all its members takes the point farthest from its own centre.
 */
export function kMeans(
  points: Points,
  options: KMeansOptions,
): Clustering & { inertia: number; iterations: number } {
  const { count, dim, values } = points;
  const k = Math.max(1, Math.min(options.clusters, count));
  const centres: Float32Array[] = (options.start ?? drawCentres(points, k, options.random)).map((c) =>
    Float32Array.from(c),
  );
  const labels = new Int32Array(count);
  const upper = new Float64Array(count);
  const lower = new Float64Array(count);
  const sums = centres.map(() => new Float64Array(dim));
  const sizes = new Int32Array(k);
  const distance = (i: number, c: number) =>
    Math.sqrt(squaredDistanceAt(values, i * dim, centres[c]!, 0, dim));

  const place = (i: number) => {
    let best = 0;
    let first = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    for (let c = 0; c < k; c++) {
      const d = squaredDistanceAt(values, i * dim, centres[c]!, 0, dim);
      if (d < first) {
        second = first;
        first = d;
        best = c;
      } else if (d < second) second = d;
    }
    upper[i] = Math.sqrt(first);
    lower[i] = Math.sqrt(second);
    return best;
  };
  const add = (i: number, c: number, sign: 1 | -1) => {
    const sum = sums[c]!;
    for (let d = 0, at = i * dim; d < dim; d++, at++) sum[d]! += sign * values[at]!;
    sizes[c]! += sign;
  };
  for (let i = 0; i < count; i++) {
    labels[i] = place(i);
    add(i, labels[i]!, 1);
  }

  const maxIterations = options.maxIterations ?? 300;
  let iterations = 0;
  let quiet = 0;
  // with chance in the centres an unchanged assignment is not yet an end: it has to last a few rounds
  const enough = options.moveCentre ? 3 : 1;
  while (iterations < maxIterations && quiet < enough) {
    iterations++;
    const moved = moveCentres();
    let most = 0;
    let next = 0;
    for (let c = 0; c < k; c++) {
      if (moved[c]! > moved[most]!) most = c;
    }
    for (let c = 0; c < k; c++) if (c !== most && moved[c]! > next) next = moved[c]!;
    const half = halfGaps();
    let changed = 0;
    for (let i = 0; i < count; i++) {
      const old = labels[i]!;
      upper[i]! += moved[old]!;
      lower[i]! -= old === most ? next : moved[most]!;
      const bound = Math.max(half[old]!, lower[i]!);
      if (upper[i]! < bound) continue;
      upper[i] = distance(i, old);
      if (upper[i]! < bound) continue;
      const best = place(i);
      if (best === old) continue;
      add(i, old, -1);
      add(i, best, 1);
      labels[i] = best;
      changed++;
    }
    quiet = changed === 0 ? quiet + 1 : 0;
  }
  let inertia = 0;
  for (let i = 0; i < count; i++) inertia += squaredDistanceAt(values, i * dim, centres[labels[i]!]!, 0, dim);
  return { labels, centres, inertia, iterations };

  /** @returns how far each centre went */
  function moveCentres(): Float64Array {
    const members = options.moveCentre ? groupMembers(labels, k) : null;
    return Float64Array.from({ length: k }, (_, c) => {
      if (sizes[c] === 0) refill(c);
      const centre =
        (members && options.moveCentre?.(members[c]!)) ??
        Float32Array.from(sums[c]!, (sum) => sum / Math.max(1, sizes[c]!));
      const went = Math.sqrt(squaredDistanceAt(centre, 0, centres[c]!, 0, dim));
      centres[c] = centre;
      return went;
    });
  }

  function refill(c: number): void {
    let far = -1;
    let most = -1;
    for (let i = 0; i < count; i++) {
      const d = sizes[labels[i]!]! > 1 ? distance(i, labels[i]!) : -1;
      if (d > most) {
        most = d;
        far = i;
      }
    }
    if (far < 0) return;
    add(far, labels[far]!, -1);
    labels[far] = c;
    add(far, c, 1);
    // its bounds belonged to another centre
    upper[far] = Number.POSITIVE_INFINITY;
    lower[far] = 0;
  }

  /** half the distance from each centre to the nearest other one: nothing closer than that can belong elsewhere */
  function halfGaps(): Float64Array {
    const gaps = new Float64Array(k).fill(Number.POSITIVE_INFINITY);
    for (let a = 0; a < k; a++)
      for (let b = a + 1; b < k; b++) {
        const gap = Math.sqrt(squaredDistanceAt(centres[a]!, 0, centres[b]!, 0, dim)) / 2;
        gaps[a] = Math.min(gaps[a]!, gap);
        gaps[b] = Math.min(gaps[b]!, gap);
      }
    return gaps;
  }
}

export function groupMembers(labels: Int32Array, clusters: number): number[][] {
  const members: number[][] = Array.from({ length: clusters }, () => []);
  for (let i = 0; i < labels.length; i++) members[labels[i]!]?.push(i);
  return members;
}

/** k-means++: each further centre is a point drawn with probability proportional to its squared distance from the centres so far. */
function drawCentres(points: Points, k: number, random: () => number): Float32Array[] {
  const { count, dim, values } = points;
  const row = (i: number) => values.slice(i * dim, (i + 1) * dim);
  const centres = [row(Math.min(count - 1, Math.floor(random() * count)))];
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  while (centres.length < k) {
    const last = centres[centres.length - 1]!;
    let total = 0;
    for (let i = 0; i < count; i++) {
      nearest[i] = Math.min(nearest[i]!, squaredDistanceAt(values, i * dim, last, 0, dim));
      total += nearest[i]!;
    }
    let left = random() * total;
    let chosen = count - 1;
    for (let i = 0; i < count; i++) {
      left -= nearest[i]!;
      if (left < 0) {
        chosen = i;
        break;
      }
    }
    centres.push(row(chosen));
  }
  return centres;
}

/** Means of the clusters of a labelling; empty ones are zero. */
export function centresOf(points: Points, labels: Int32Array, clusters: number): Float32Array[] {
  return groupMembers(labels, clusters).map((members) => meanOf(points, members));
}
