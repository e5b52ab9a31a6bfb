import type { Clustering } from './kmeans.ts';
import { createRadiusSearch } from './neighbours.ts';
import { meanOf, type Points, squaredDistanceAt } from './points.ts';

/** Where a window moves instead of to the mean of its members; null = to the mean. `key` names the set of members. */
export type MoveWindow = (members: readonly number[], key: number) => Float32Array | null;

export interface MeanShiftOptions {
  bandwidth: number;
  maxIterations?: number;
  /** with it trajectories may go round in a circle; they end where they first come back to */
  moveWindow?: MoveWindow;
}

interface Window {
  place: Float32Array;
  members: number;
  next: Window | null;
  end: Window | null;
}

/**
 * MeanShift with a flat kernel, a window started at every point (Comaniciu and Meer 2002). Where a window goes depends on the set of
 * its members alone, so two windows that once hold the same members are one from then on: every set is searched once, and a trajectory
 * ends exactly where its members no longer change. Ends closer than the bandwidth to a fuller one are dropped; every point belongs to
 * the nearest end left.
 */
export function meanShift(points: Points, options: MeanShiftOptions): Clustering {
  const { count, dim, values } = points;
  const { bandwidth, maxIterations = 300, moveWindow } = options;
  const search = createRadiusSearch(points, bandwidth);
  const known = new Map<number, Window>();
  const ends = new Set<Window>();

  /** the window holding these members: a known one, or a new one that knows where it will go */
  const windowOf = (members: readonly number[]): Window => {
    const key = hashMembers(members);
    const found = known.get(key);
    if (found) return found;
    const window: Window = {
      place: moveWindow?.(members, key) ?? meanOf(points, members),
      members: members.length,
      next: null,
      end: null,
    };
    known.set(key, window);
    return window;
  };

  for (let i = 0; i < count; i++) {
    const path: Window[] = [];
    const onPath = new Set<Window>();
    let window = windowOf(search.ofPoint(i));
    while (window.end === null && !onPath.has(window) && path.length < maxIterations) {
      path.push(window);
      onPath.add(window);
      if (window.next === null) {
        const members = search.around(window.place);
        // a mean of scattered members can lie where nobody is
        window.next = members.length === 0 ? window : windowOf(members);
      }
      window = window.next;
    }
    const end = window.end ?? window;
    for (const step of path) step.end = end;
    end.end = end;
    ends.add(end);
  }

  const kept: Window[] = [];
  const limit = bandwidth * bandwidth;
  for (const end of [...ends].sort(byFullness))
    if (!kept.some((other) => squaredDistanceAt(end.place, 0, other.place, 0, dim) <= limit)) kept.push(end);
  const labels = Int32Array.from({ length: count }, (_, i) => {
    let best = 0;
    let nearest = Number.POSITIVE_INFINITY;
    kept.forEach((end, c) => {
      const d = squaredDistanceAt(values, i * dim, end.place, 0, dim);
      if (d < nearest) {
        nearest = d;
        best = c;
      }
    });
    return best;
  });
  return { labels, centres: kept.map((end) => end.place) };
}

/** Fullest first; equal ones by place, so that the order of the points does not decide which of two stays (scikit-learn's rule). */
function byFullness(a: Window, b: Window): number {
  if (a.members !== b.members) return b.members - a.members;
  const d = a.place.findIndex((x, i) => x !== b.place[i]);
  return d < 0 ? 0 : b.place[d]! - a.place[d]!;
}

/** 53 bits of two multiplicative hashes over a sorted list: sets of one run are told apart with certainty for all purposes. */
function hashMembers(members: readonly number[]): number {
  let a = 0x811c9dc5 ^ members.length;
  let b = 0x9e3779b9;
  for (const m of members) {
    a = Math.imul(a ^ m, 0x01000193);
    b = Math.imul(b + m, 0x85ebca6b);
    b ^= b >>> 15;
  }
  return (a >>> 0) * 0x200000 + ((b >>> 0) & 0x1fffff);
}
