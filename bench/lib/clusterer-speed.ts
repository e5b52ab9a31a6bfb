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
  /** seconds */
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

const seconds = <T>(work: () => T): [T, number] => {
  const from = performance.now();
  const result = work();
  return [result, (performance.now() - from) / 1000];
};

/** Times our clusterers and the libraries on the same points; DBSCAN's library runs on fewer, since its time grows with their square. */
export function measureClusterers(count: number, dim: number, libraryDbscanCount: number): SpeedRow[] {
  const { rows, points } = drawPoints(count, dim);
  const size = `${count} x ${dim}`;
  const arrays = rows.map((row) => Array.from(row));
  // from a poor start: several first centres in one cluster, so that there is work to do
  const first = Array.from({ length: CLUSTERS }, (_, i) => (i * i) % count);
  const start = first.map((i) => rows[i]!);
  const random = createRandom(3);

  const [ours, oursSeconds] = seconds(() => kMeans(points, { clusters: CLUSTERS, random, start }));
  const [theirs, theirSeconds] = seconds(() =>
    kmeans(arrays, CLUSTERS, { initialization: first.map((i) => arrays[i]!), maxIterations: 300 }),
  );
  const result: SpeedRow[] = [
    {
      clusterer: 'KMeans, same first centres',
      points: size,
      ours: oursSeconds,
      theirs: theirSeconds,
      library: 'ml-kmeans',
      // the same first centres: clusters have the same numbers
      agree: countEqual(ours.labels, theirs.clusters),
    },
  ];
  const one = (n: number, withLibrary: boolean): SpeedRow => {
    const some = toPoints(rows.slice(0, n));
    const [found, own] = seconds(() => dbscan(some, { radius: RADIUS, minPoints: 4 }));
    if (!withLibrary)
      return {
        clusterer: 'DBSCAN',
        points: `${n} x ${dim}`,
        ours: own,
        theirs: null,
        library: '-',
        agree: '-',
      };
    const [groups, other] = seconds(() => new clustering.DBSCAN().run(arrays.slice(0, n), RADIUS, 4));
    const labels = new Int32Array(n).fill(-1);
    for (const [label, group] of groups.entries()) for (const i of group) labels[i] = label;
    return {
      clusterer: 'DBSCAN',
      points: `${n} x ${dim}`,
      ours: own,
      theirs: other,
      library: 'density-clustering',
      agree: sameLabels(found.labels, labels),
    };
  };
  result.push(one(libraryDbscanCount, true));
  if (libraryDbscanCount < count) result.push(one(count, false));
  const [, shift] = seconds(() => meanShift(points, { bandwidth: RADIUS }));
  result.push({
    clusterer: 'MeanShift',
    points: size,
    ours: shift,
    theirs: null,
    library: 'none',
    agree: '-',
  });
  const [, mixture] = seconds(() => gmm(points, { clusters: CENTRES, random: createRandom(3) }));
  result.push({ clusterer: 'GMM', points: size, ours: mixture, theirs: null, library: 'none', agree: '-' });
  return result;
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
