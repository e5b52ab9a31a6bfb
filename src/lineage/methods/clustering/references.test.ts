import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../numeric/random.ts';
import { dbscan } from './dbscan.ts';
import { gmm } from './gmm.ts';
import { kMeans } from './kmeans.ts';
import { meanShift } from './mean-shift.ts';
import { toPoints } from './points.ts';

interface Reference {
  name: string;
  points: number[][];
  kmeans: { start: number[][]; labels: number[]; inertia: number };
  meanShift: { bandwidth: number; labels: number[]; centres: number[][] };
  dbscan: { radius: number; minPoints: number; labels: number[] };
  gmm: {
    start: number[];
    labels: number[];
    centres: number[][];
    weights: number[];
    variances: number[];
    logLikelihood: number;
    bic: number;
  };
}

const { sets, madeBy } = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/clustering/references.json', import.meta.url), 'utf8'),
) as { sets: Reference[]; madeBy: string };

/** Clusters renumbered by first appearance, noise kept. */
function canonical(labels: Iterable<number>): number[] {
  const names = new Map<number, number>();
  return [...labels].map((label) => {
    if (label < 0) return -1;
    if (!names.has(label)) names.set(label, names.size);
    return names.get(label)!;
  });
}

const random = createRandom(1);

describe.each(sets)(`$name, against scikit-learn (${madeBy})`, (set) => {
  const points = toPoints(set.points.map((row) => Float32Array.from(row)));

  it('KMeans: labels and inertia of Lloyd from the same centres', () => {
    const start = set.kmeans.start.map((row) => Float32Array.from(row));
    const found = kMeans(points, { clusters: start.length, random, start });
    expect([...found.labels]).toEqual(set.kmeans.labels);
    expect(found.inertia).toBeCloseTo(set.kmeans.inertia, 3);
  });

  it('MeanShift: modes and labels', () => {
    const found = meanShift(points, { bandwidth: set.meanShift.bandwidth });
    expect(canonical(found.labels)).toEqual(canonical(set.meanShift.labels));
    const sorted = (rows: readonly ArrayLike<number>[]) =>
      rows.map((row) => Array.from(row)).sort((a, b) => a[0]! - b[0]!);
    const centres = sorted(found.centres);
    expect(centres.length).toBe(set.meanShift.centres.length);
    sorted(set.meanShift.centres).forEach((row, i) => {
      for (const [d, x] of row.entries()) expect(centres[i]![d]).toBeCloseTo(x, 2);
    });
  });

  it('DBSCAN: labels, noise included', () => {
    const { labels } = dbscan(points, set.dbscan);
    expect([...labels]).toEqual(set.dbscan.labels);
  });

  it('mixture: means, weights, variances, likelihood and BIC', () => {
    const found = gmm(points, {
      clusters: set.gmm.weights.length,
      random,
      start: Int32Array.from(set.gmm.start),
      tolerance: 1e-10,
      maxIterations: 2000,
    });
    expect([...found.labels]).toEqual(set.gmm.labels);
    expect(found.logLikelihood).toBeCloseTo(set.gmm.logLikelihood, 2);
    expect(found.bic).toBeCloseTo(set.gmm.bic, 2);
    set.gmm.weights.forEach((weight, c) => {
      expect(found.weights[c]).toBeCloseTo(weight, 3);
      expect(found.variances[c]).toBeCloseTo(set.gmm.variances[c]!, 3);
      for (const [d, x] of set.gmm.centres[c]!.entries()) expect(found.centres[c]![d]).toBeCloseTo(x, 3);
    });
  });
});
