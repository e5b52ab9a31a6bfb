import type { LineageMethod } from '../options.ts';
import { type DistanceBlock, distanceBlocks } from './block-distances.ts';
import { type BaselineEdge, toResult } from './to-result.ts';

const NEIGHBOURS = 5;
const SPREAD = 0.05;
/** Percentile of the component's correlations above which a neighbourhood is a trail of checkpoints. */
const SNAKE_PERCENTILE = 0.6;

/**
 * Model Atlas (Horwitz et al. 2025, arXiv 2503.10633, section 4): duplicates inherit the first copy's parent, quantised models and
 * duplicates are leaves; among the 5 nearest, if their distances differ by more than 5 %, the nearest earlier; else the nearest earlier
 * on trails (distances grow with time gaps) and the oldest in fans.
 */
export const modelAtlas: LineageMethod = {
  name: 'model-atlas',
  async infer(models, _load, options) {
    const notes: string[] = [];
    const edges = distanceBlocks(models, options.seed, notes).flatMap(chartBlock);
    return toResult(models, edges, 'model-atlas', notes);
  },
};

function chartBlock({ models, distance }: DistanceBlock): BaselineEdge[] {
  const n = models.length;
  const parent = new Int32Array(n).fill(-1);
  const duplicate = new Uint8Array(n);
  const neighbours = models.map((_, i) =>
    models
      .map((_, j) => j)
      .filter((j) => j !== i)
      .sort((a, b) => distance(i, a) - distance(i, b))
      .slice(0, NEIGHBOURS),
  );
  const correlations = neighbours.map((near, i) =>
    correlate(
      near.map((j) => distance(i, j)),
      near.map((j) => Math.abs(models[i]!.createdAt - models[j]!.createdAt)),
    ),
  );
  const threshold = [...correlations].sort((a, b) => a - b)[Math.floor(SNAKE_PERCENTILE * n)] ?? 1;
  for (let i = 1; i < n; i++) {
    const allowed = (j: number) => j < i && !duplicate[j] && !models[j]!.fingerprint.quantized;
    const copyOf = models.findIndex((_, j) => j < i && !duplicate[j] && distance(i, j) === 0);
    if (copyOf >= 0) {
      duplicate[i] = 1;
      parent[i] = copyOf;
      continue;
    }
    const earlier = neighbours[i]!.filter(allowed);
    const everyone = models.map((_, j) => j).filter(allowed);
    const nearest = everyone.reduce((a, b) => (a < 0 || distance(i, b) < distance(i, a) ? b : a), -1);
    const distances = neighbours[i]!.map((j) => distance(i, j));
    const spread = Math.max(...distances) - Math.min(...distances);
    const flat = spread <= SPREAD * Math.max(...distances);
    const snake = correlations[i]! > threshold;
    parent[i] = flat && !snake && earlier.length > 0 ? Math.min(...earlier) : nearest;
  }
  return models.flatMap((child, i) =>
    parent[i]! < 0 ? [] : [{ child, parent: models[parent[i]!]!, equal: distance(i, parent[i]!) === 0 }],
  );
}

function correlate(x: readonly number[], y: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  let xy = 0;
  let xx = 0;
  let yy = 0;
  x.forEach((value, i) => {
    xy += (value - mx) * (y[i]! - my);
    xx += (value - mx) ** 2;
    yy += (y[i]! - my) ** 2;
  });
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}
