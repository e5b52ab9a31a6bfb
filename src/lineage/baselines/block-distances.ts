import type { LineageModel } from '../../types/lineage.ts';
import { findBlocks } from '../blocks.ts';
import { squaredDistance } from '../cosine-test.ts';
import { oldestFirst } from '../oldest-first.ts';

/** A component of related models in order of time, with what every baseline starts from: distances between cores. */
export interface DistanceBlock {
  models: LineageModel[];
  distance(a: number, b: number): number;
}

/** Baselines compute all pairs of a component; a larger one is left out. */
const MAX_BLOCK = 4000;

/** Components of the full models. `notes` is told of whoever is left out. */
export function distanceBlocks(
  models: readonly LineageModel[],
  seed: number,
  notes: string[],
  maxBlock = MAX_BLOCK,
): DistanceBlock[] {
  const full = models.filter((m) => m.fingerprint.kind === 'full');
  const adapters = models.length - full.length;
  if (adapters > 0) notes.push(`Adapters were left out (${adapters}): baselines compare full models.`);
  return findBlocks(full, { seed, nearest: 1 })
    .filter(({ members }) => {
      if (members.length > maxBlock)
        notes.push(
          `${members.length} related models were left out: every pair is compared, which is done for at most ${maxBlock}.`,
        );
      return members.length <= maxBlock;
    })
    .map((block) => {
      const sorted = block.members.map((i) => full[i]!).sort(oldestFirst);
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
