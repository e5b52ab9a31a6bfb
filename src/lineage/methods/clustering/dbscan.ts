import { type Clustering, centresOf } from './kmeans.ts';
import { createRadiusSearch } from './neighbours.ts';
import type { Points } from './points.ts';

export interface DbscanOptions {
  /** radius of a neighbourhood */
  radius: number;
  /** points in a neighbourhood, its centre included, that make the centre a core point */
  minPoints: number;
  /** told of every neighbourhood of a core point, in the order they are visited */
  onNeighbourhood?: (centre: number, neighbours: readonly number[]) => void;
}

/**
 * DBSCAN (Ester et al. 1996) over an exact radius search. Clusters are numbered by their first point; a border point belongs to the
 * cluster that reaches it first; -1 = noise. Memory O(points): neighbourhoods are not kept.
 */
export function dbscan(points: Points, options: DbscanOptions): Clustering {
  const search = createRadiusSearch(points, options.radius);
  const labels = new Int32Array(points.count).fill(-1);
  const visited = new Uint8Array(points.count);
  const neighbourhood = (i: number) => {
    visited[i] = 1;
    const neighbours = search.ofPoint(i);
    if (neighbours.length < options.minPoints) return null;
    options.onNeighbourhood?.(i, neighbours);
    return neighbours;
  };
  let clusters = 0;
  for (let first = 0; first < points.count; first++) {
    if (visited[first] || labels[first] !== -1) continue;
    const found = neighbourhood(first);
    if (found === null) continue;
    const label = clusters++;
    labels[first] = label;
    const queue: number[] = [];
    const take = (neighbours: readonly number[]) => {
      for (const j of neighbours) {
        if (labels[j] !== -1) continue;
        labels[j] = label;
        // a point seen before and not core is a border point: it joins and recruits nobody
        if (!visited[j]) queue.push(j);
      }
    };
    take(found);
    for (let q = 0; q < queue.length; q++) {
      const more = neighbourhood(queue[q]!);
      if (more) take(more);
    }
  }
  return { labels, centres: centresOf(points, labels, clusters) };
}
