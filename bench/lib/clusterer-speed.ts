// @ts-expect-error: it ships no types
import clustering from 'density-clustering';
import { kmeans } from 'ml-kmeans';
import { dbscan } from '../../src/lineage/methods/clustering/dbscan.ts';
import { gmm } from '../../src/lineage/methods/clustering/gmm.ts';
import { kMeans } from '../../src/lineage/methods/clustering/kmeans.ts';
import { meanShift } from '../../src/lineage/methods/clustering/mean-shift.ts';
import { type Points, toPoints } from '../../src/lineage/methods/clustering/points.ts';
import { createNormal, createRandom } from '../../src/lineage/numeric/random.ts';

export interface SpeedRow {
  clusterer: string;
  points: string;
  /** CPU seconds */
  ours: number;
  /** of the library a Node user would take; null where there is none */
  theirs: number | null;
  library: string;
  agree: string;
}

const CENTRES = 20;
const CLUSTERS = 32;
/** a little above the typical distance of two points of one cluster, sqrt(2 x 256) */
const RADIUS = 25;

/** Overlapping Gaussian clusters, as models of a few families lie: the same points for every clusterer. */
function drawPoints(count: number, dim: number): { rows: Float32Array[]; points: Points } {
  const normal = createNormal(createRandom(11));
  const centres = Array.from({ length: CENTRES }, () =>
    Float32Array.from({ length: dim }, () => 1.5 * normal()),
  );
  const rows = Array.from({ length: count }, (_, i) => centres[i % CENTRES]!.map((x) => x + normal()));
  return { rows, points: toPoints(rows) };
}

/** CPU seconds, since a clock would measure whatever else the machine does; both sides run on one thread. */
const seconds = <T>(work: () => T): [T, number] => {
  const from = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(from);
  return [result, (user + system) / 1e6];
};

/** A library that would take longer than this on all points is timed on fewer. */
const MOST_SECONDS = 600;

/**
 * Times our clusterers and the libraries on the same points. DBSCAN's library is timed on growing numbers of points, and on all of them
 * unless the growth says that it would take more than ten minutes.
 */
export function measureClusterers(count: number, dim: number): SpeedRow[] {
  const { rows, points } = drawPoints(count, dim);
  const size = `${count} x ${dim}`;
  const arrays = rows.map((row) => Array.from(row));
  const result = [compareKMeans(points, rows, arrays)];
  const sizes = [count / 10, count / 5, count];
  let last: { n: number; theirs: number } | null = null;
  let growth = 2;
  for (const n of sizes) {
    const expected: number = last === null ? 0 : last.theirs * (n / last.n) ** growth;
    const row: SpeedRow = compareDbscan(rows.slice(0, n), arrays.slice(0, n), expected <= MOST_SECONDS);
    if (last !== null && row.theirs !== null)
      growth = Math.max(2, Math.log(row.theirs / last.theirs) / Math.log(n / last.n));
    if (row.theirs !== null) last = { n, theirs: row.theirs };
    else row.agree = `would take ${expected.toFixed(0)} s at a growth of n^${growth.toFixed(1)}`;
    result.push(row);
  }
  const alone = (clusterer: string, work: () => unknown): SpeedRow => ({
    clusterer,
    points: size,
    ours: seconds(work)[1],
    theirs: null,
    library: 'none kept for Node',
    agree: '-',
  });
  result.push(alone('MeanShift', () => meanShift(points, { bandwidth: RADIUS })));
  result.push(alone('GMM', () => gmm(points, { clusters: CENTRES, random: createRandom(3) })));
  return result;
}

/** From the same poor start, several first centres in one cluster, so that there is work to do. */
function compareKMeans(points: Points, rows: Float32Array[], arrays: number[][]): SpeedRow {
  const { count, dim } = points;
  const first = Array.from({ length: CLUSTERS }, (_, i) => (i * i) % count);
  const start = first.map((i) => rows[i]!);
  const [ours, oursSeconds] = seconds(() =>
    kMeans(points, { clusters: CLUSTERS, random: createRandom(3), start }),
  );
  const [theirs, theirSeconds] = seconds(() =>
    kmeans(arrays, CLUSTERS, { initialization: first.map((i) => arrays[i]!), maxIterations: 300 }),
  );
  let inertia = 0;
  arrays.forEach((row, i) => {
    const centre = theirs.centroids[theirs.clusters[i]!]!;
    for (let d = 0; d < dim; d++) inertia += (row[d]! - centre[d]!) ** 2;
  });
  return {
    clusterer: 'KMeans, same first centres',
    points: `${count} x ${dim}`,
    ours: oursSeconds,
    theirs: theirSeconds,
    library: 'ml-kmeans',
    // the library leaves a cluster empty that has lost its members; ours moves it, so the two may part ways
    agree: `${ours.iterations} and ${theirs.iterations} rounds, inertia ${(ours.inertia / inertia).toFixed(3)} of theirs`,
  };
}

function compareDbscan(rows: Float32Array[], arrays: number[][], withLibrary: boolean): SpeedRow {
  const n = rows.length;
  const some = toPoints(rows);
  const [found, ours] = seconds(() => dbscan(some, { radius: RADIUS, minPoints: 4 }));
  const row = { clusterer: 'DBSCAN', points: `${n} x ${some.dim}`, ours, library: 'density-clustering' };
  if (!withLibrary) return { ...row, theirs: null, agree: '-' };
  const [groups, theirs] = seconds(() => new clustering.DBSCAN().run(arrays, RADIUS, 4));
  const labels = new Int32Array(n).fill(-1);
  for (const [label, group] of groups.entries()) for (const i of group) labels[i] = label;
  return { ...row, theirs, agree: sameLabels(found.labels, labels) };
}

function sameLabels(a: ArrayLike<number>, b: ArrayLike<number>): string {
  const name = (labels: ArrayLike<number>) => {
    const names = new Map<number, number>([[-1, -1]]);
    return Array.from(labels, (label) => {
      if (!names.has(label)) names.set(label, names.size);
      return names.get(label);
    });
  };
  return countEqual(name(a), name(b));
}

function countEqual(a: ArrayLike<unknown>, b: ArrayLike<unknown>): string {
  const equal = Array.from(a).filter((label, i) => label === b[i]).length;
  return equal === a.length ? 'all labels' : `${equal} of ${a.length} labels`;
}
