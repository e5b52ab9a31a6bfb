import type { LineageModel } from '../../types/lineage.ts';
import { findBlocks } from '../blocks.ts';
import { squaredDistance } from '../cosine-test.ts';

/** A component of related models in order of time, with what every baseline starts from: distances between cores. */
export interface DistanceBlock {
  models: LineageModel[];
  distance(a: number, b: number): number;
}

/** Baselines compute all pairs of a component; beyond this they are not measured. */
export const MAX_BLOCK = 4000;

export function distanceBlocks(models: readonly LineageModel[], seed: number): DistanceBlock[] {
  const full = models.filter((m) => m.fingerprint.kind === 'full');
  return findBlocks(full, { seed, nearest: 1 })
    .filter((b) => b.members.length <= MAX_BLOCK)
    .map((block) => {
      const sorted = block.members
        .map((i) => full[i]!)
        .sort((a, b) => a.createdAt - b.createdAt || (a.repo < b.repo ? -1 : 1));
      const n = sorted.length;
      const table = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++) {
          const d = Math.sqrt(squaredDistance(sorted[i]!.fingerprint.core, sorted[j]!.fingerprint.core));
          table[i * n + j] = d;
          table[j * n + i] = d;
        }
      return { models: sorted, distance: (a, b) => table[a * n + b]! };
    });
}
