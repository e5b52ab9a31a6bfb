import { createRandom, hashText } from '../../numeric/random.ts';
import { dbscan } from './dbscan.ts';
import { nearestToInitialisation } from './fake-initialisation.ts';
import { gmm } from './gmm.ts';
import { groupMembers, kMeans } from './kmeans.ts';
import { meanShift } from './mean-shift.ts';
import { countComponents } from './null-radius.ts';
import type { Points } from './points.ts';

export type Clusterer = 'kmeans' | 'meanshift' | 'dbscan' | 'gmm';

export interface IdentifyOptions {
  clusterer: Clusterer;
  /** `after`: parents are named once the clusters stand; `along`: members stand in for centres while clusters form */
  when: 'after' | 'along';
  /** squared distance of each point from the fake initialisation */
  distances: Float64Array;
  /** `along`: probability that a centre is the mean as usual, and not the member nearest the fake initialisation */
  alpha: number;
  radius: number;
  seed: number;
  /** default: found */
  clusters?: number | undefined;
}

/** Two models are a family: the least DBSCAN may call a cluster here. */
const MIN_POINTS = 2;
const ALONG_ITERATIONS = 60;
/** Relative rounding error of bfloat16, rms: differences below it are the number format's, not structure. */
const BF16_STEP = 0.0017;

/**
 * Parent of each point by Neural Phylogeny's learning-free method: the member of its cluster nearest the fake initialisation.
 * -1 for the parents themselves and for points in no cluster. DBSCAN and GMM along clustering are ours in the paper's spirit:
 * a mixture's mean gives way to a member as KMeans' does; a DBSCAN neighbourhood names its own parent for those it recruits.
 */
export function identifyParents(units: Points, options: IdentifyOptions): Int32Array {
  const { clusterer, when, distances, alpha, radius, seed } = options;
  const random = createRandom(seed);
  const row = (i: number) => units.values.slice(i * units.dim, (i + 1) * units.dim);
  const standIn = (members: readonly number[]) =>
    members.length > 0 && random() >= alpha ? row(nearestToInitialisation(members, distances)) : null;
  const along = when === 'along' ? { moveCentre: standIn, maxIterations: ALONG_ITERATIONS } : {};

  switch (clusterer) {
    case 'kmeans': {
      const clusters = options.clusters ?? countComponents(units, radius);
      return starsOf(kMeans(units, { clusters, random, ...along }).labels, distances);
    }
    case 'gmm': {
      const clusters = options.clusters ?? countComponents(units, radius);
      return starsOf(
        gmm(units, { clusters, random, floor: BF16_STEP ** 2 / units.dim, ...along }).labels,
        distances,
      );
    }
    case 'meanshift': {
      // a window stands at a mean, which is shorter than its members and so nearer to strangers: with the radius between members it
      // would swallow them. Divided by sqrt 2 it takes who shares half of its direction, and leaves apart means longer than .7.
      // the coin belongs to the set of members, not to the visitor: windows that meet stay together
      const moveWindow = (members: readonly number[], key: number) =>
        createRandom(hashText(`${seed}|${key}`))() >= alpha
          ? row(nearestToInitialisation(members, distances))
          : null;
      const { labels } = meanShift(units, {
        bandwidth: radius / Math.SQRT2,
        ...(when === 'along' ? { moveWindow } : {}),
      });
      return starsOf(labels, distances);
    }
    case 'dbscan': {
      const local = new Int32Array(units.count).fill(-1);
      const onNeighbourhood = (_: number, neighbours: readonly number[]) => {
        if (random() < alpha) return;
        const parent = nearestToInitialisation(neighbours, distances);
        for (const j of neighbours)
          if (j !== parent && local[j] === -1 && isAbove(parent, j, distances)) local[j] = parent;
      };
      const { labels } = dbscan(units, {
        radius,
        minPoints: MIN_POINTS,
        ...(when === 'along' ? { onNeighbourhood } : {}),
      });
      const stars = starsOf(labels, distances);
      return stars.map((parent, j) => (local[j]! >= 0 ? local[j]! : parent));
    }
  }
}

/** Nearer to the initialisation, index as tie-break: a strict order, so parents named locally never form a circle. */
function isAbove(a: number, b: number, distances: Float64Array): boolean {
  return distances[a]! < distances[b]! || (distances[a] === distances[b] && a < b);
}

/** Every cluster is one parent and its children. */
function starsOf(labels: Int32Array, distances: Float64Array): Int32Array {
  const parents = new Int32Array(labels.length).fill(-1);
  const clusters = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  for (const members of groupMembers(labels, clusters)) {
    if (members.length < 2) continue;
    const parent = nearestToInitialisation(members, distances);
    for (const i of members) if (i !== parent) parents[i] = parent;
  }
  return parents;
}
