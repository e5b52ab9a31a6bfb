/** Points as one row-major block: row i is values[i * dim .. (i + 1) * dim). */
export interface Points {
  count: number;
  dim: number;
  values: Float32Array;
}

/** Rows of equal length as one block. */
export function toPoints(rows: readonly Float32Array[]): Points {
  const dim = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries()) values.set(row, i * dim);
  return { count: rows.length, dim, values };
}

/** Squared distance of a[i..] and b[j..] over `dim` values. Eight values a step over four sums: V8 keeps them in registers. */
export function squaredDistanceAt(
  a: Float32Array,
  i: number,
  b: Float32Array,
  j: number,
  dim: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < dim; k += 4) {
    const d0 = a[i + k]! - b[j + k]!;
    const d1 = a[i + k + 1]! - b[j + k + 1]!;
    const d2 = a[i + k + 2]! - b[j + k + 2]!;
    const d3 = a[i + k + 3]! - b[j + k + 3]!;
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (; k < dim; k++) {
    const d = a[i + k]! - b[j + k]!;
    s0 += d * d;
  }
  return s0 + s1 + (s2 + s3);
}

/** Mean of the rows named, in float64 sums. */
export function meanOf(points: Points, members: ArrayLike<number>): Float32Array {
  const { dim, values } = points;
  const sum = new Float64Array(dim);
  for (let m = 0; m < members.length; m++) {
    const at = members[m]! * dim;
    for (let k = 0; k < dim; k++) sum[k]! += values[at + k]!;
  }
  const scale = 1 / Math.max(1, members.length);
  return Float32Array.from(sum, (x) => x * scale);
}
