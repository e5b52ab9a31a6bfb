import { isWithin, type Points, squaredDistanceAt } from './points.ts';

/** Exact search within a fixed radius. */
export interface RadiusSearch {
  /** indices within the radius of point `i`, itself included, in ascending order */
  ofPoint(i: number): number[];
  /** the same around any place */
  around(place: Float32Array): number[];
}

const PIVOTS = 4;

/**
 * Radius search by pivots: |d(x, pivot) - d(y, pivot)| <= d(x, y), so points whose distances to any pivot differ by more than the
 * radius are passed over without a look, and those sorted by the first pivot form one window. Exact. Memory O(points).
 * Pivots are chosen far from each other (farthest-first from point 0).
 */
export function createRadiusSearch(points: Points, radius: number): RadiusSearch {
  const { count, dim, values } = points;
  const limit = radius * radius;
  // float32 rows, float64 sums: windows are widened so that rounding never loses a neighbour
  const slack = radius * 1e-6 + 1e-12;
  const pivots: Float64Array[] = [];
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const pivotRows: number[] = [];
  let next = 0;
  for (let p = 0; p < Math.min(PIVOTS, count); p++) {
    const at = next * dim;
    const row = new Float64Array(count);
    let far = -1;
    for (let i = 0; i < count; i++) {
      row[i] = Math.sqrt(squaredDistanceAt(values, i * dim, values, at, dim));
      nearest[i] = Math.min(nearest[i]!, row[i]!);
      if (far < 0 || nearest[i]! > nearest[far]!) far = i;
    }
    pivots.push(row);
    pivotRows.push(at);
    next = Math.max(0, far);
  }
  const first = pivots[0] ?? new Float64Array(0);
  const order = Int32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => first[a]! - first[b]! || a - b,
  );
  const sorted = Float64Array.from(order, (i) => first[i]!);

  function search(from: Float32Array, at: number, toPivot: readonly number[]): number[] {
    const found: number[] = [];
    const low = toPivot[0]! - radius - slack;
    const high = toPivot[0]! + radius + slack;
    for (let s = lowerBound(sorted, low); s < count && sorted[s]! <= high; s++) {
      const j = order[s]!;
      let near = true;
      for (let p = 1; p < pivots.length && near; p++)
        near = Math.abs(pivots[p]![j]! - toPivot[p]!) <= radius + slack;
      if (near && isWithin(from, at, values, j * dim, dim, limit)) found.push(j);
    }
    return found.sort((a, b) => a - b);
  }

  return {
    ofPoint: (i) =>
      search(
        values,
        i * dim,
        pivots.map((row) => row[i]!),
      ),
    around: (place) =>
      count === 0
        ? []
        : search(
            place,
            0,
            pivotRows.map((at) => Math.sqrt(squaredDistanceAt(place, 0, values, at, dim))),
          ),
  };
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
