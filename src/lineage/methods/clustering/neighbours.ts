import { meanOf, type Points, squaredDistanceAt } from './points.ts';

/** Exact search within a fixed radius. */
export interface RadiusSearch {
  /** indices within the radius of point `i`, itself included, in ascending order */
  ofPoint(i: number): number[];
  /** the same around any place */
  around(place: Float32Array): number[];
}

/** Directions a shadow has; with the length of the rest, 24 numbers a point. */
const DIRECTIONS = 23;
const SAMPLE = 512;
const ITERATIONS = 3;

/**
 * Radius search by shadows: the coordinates of a point along the leading principal directions, which hold most of what separates
 * clusters, and the length of what is left. Shadows are never farther apart than the points, so a short comparison rules most pairs out
 * and only the rest is measured. Exact, however well the directions are found; 96 bytes a point.
 * In hundreds of dimensions distances to pivots rule out almost nothing, which is why trees do not help here.
 */
export function createRadiusSearch(points: Points, radius: number): RadiusSearch {
  const { count, dim, values } = points;
  const limit = radius * radius;
  const { origin, basis } = findDirections(points, Math.min(DIRECTIONS, dim));
  const width = basis.length + 1;
  const toShadow = (from: Float32Array, at: number, out: Float32Array, to: number) => {
    let power = 0;
    for (let d = 0; d < dim; d++) power += (from[at + d]! - origin[d]!) ** 2;
    for (const [b, direction] of basis.entries()) {
      let along = 0;
      for (let d = 0; d < dim; d++) along += (from[at + d]! - origin[d]!) * direction[d]!;
      out[to + b] = along;
      power -= along * along;
    }
    out[to + width - 1] = Math.sqrt(Math.max(0, power));
  };
  const shadows = new Float32Array(count * width);
  let longest = 0;
  for (let i = 0; i < count; i++) {
    toShadow(values, i * dim, shadows, i * width);
    for (let k = 0; k < width; k++) longest = Math.max(longest, Math.abs(shadows[i * width + k]!));
  }
  // shadows are float32: the limit is widened by their rounding, so that it never loses a neighbour
  const shadowLimit = limit * 1.00001 + 1e-5 * longest * (radius + 1e-5 * longest);

  function search(from: Float32Array, at: number, shadow: Float32Array, shadowAt: number): number[] {
    const found: number[] = [];
    for (let j = 0; j < count; j++)
      if (
        squaredDistanceAt(shadow, shadowAt, shadows, j * width, width) <= shadowLimit &&
        squaredDistanceAt(from, at, values, j * dim, dim) <= limit
      )
        found.push(j);
    return found;
  }

  const own = new Float32Array(width);
  return {
    ofPoint: (i) => search(values, i * dim, shadows, i * width),
    around: (place) => {
      toShadow(place, 0, own, 0);
      return search(place, 0, own, 0);
    },
  };
}

/** Mean and leading principal directions (orthonormal, float64) of evenly chosen points, by orthogonal iteration. */
function findDirections(points: Points, most: number): { origin: Float32Array; basis: Float64Array[] } {
  const { count, dim, values } = points;
  const sample = Array.from({ length: Math.min(count, SAMPLE) }, (_, i) =>
    Math.floor((i * count) / Math.min(count, SAMPLE)),
  );
  const origin = meanOf(points, sample);
  const centred = sample.map((i) =>
    Float64Array.from({ length: dim }, (_, d) => values[i * dim + d]! - origin[d]!),
  );
  let basis = orthonormalise(centred.slice(0, most));
  for (let round = 0; round < ITERATIONS; round++)
    basis = orthonormalise(
      basis.map((direction) => {
        const next = new Float64Array(dim);
        for (const point of centred) {
          const share = dot(point, direction);
          for (let d = 0; d < dim; d++) next[d]! += share * point[d]!;
        }
        return next;
      }),
    );
  return { origin, basis };
}

/** Gram-Schmidt, twice over for float64's sake; what the others span already is left out. */
function orthonormalise(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = Float64Array.from(vector);
    const length = Math.sqrt(dot(vector, vector));
    for (let pass = 0; pass < 2; pass++)
      for (const other of basis) {
        const share = dot(rest, other);
        for (let d = 0; d < rest.length; d++) rest[d]! -= share * other[d]!;
      }
    const left = Math.sqrt(dot(rest, rest));
    if (left > 1e-6 * length) basis.push(rest.map((x) => x / left));
  }
  return basis;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
