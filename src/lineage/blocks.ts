import type { LineageModel } from '../types/lineage.ts';
import { clusterByLeaders } from './cluster-by-leaders.ts';
import {
  findNearest,
  type Neighbours,
  type NotedMembers,
  type StoredNeighbours,
} from './nearest-neighbours.ts';

/** Models related beyond chance, with each member's nearest others. Indices point into the list given. */
export interface Block {
  members: number[];
  /** for each member, up to K others, nearest first */
  readonly nearest: ReadonlyMap<number, number[]>;
}

export interface BlockOptions {
  seed: number;
  /** candidates a model */
  nearest: number;
}

/**
 * Splits models of one core layout into blocks and finds nearest neighbours.
 */
export function findBlocks(models: readonly LineageModel[], options: BlockOptions): Block[] {
  const byLayout = new Map<string, number[]>();
  models.forEach((m, i) => {
    if (m.fingerprint.core.length === 0) return;
    const group = byLayout.get(m.fingerprint.coreKey);
    if (group) group.push(i);
    else byLayout.set(m.fingerprint.coreKey, [i]);
  });
  const grouped = new Set([...byLayout.values()].flat());
  const blocks: Block[] = models
    .map((_, i) => i)
    .filter((i) => !grouped.has(i))
    .map((i) => ({ members: [i], nearest: new Map([[i, []]]) }));
  for (const layout of byLayout.values())
    for (const members of clusterByLeaders(models, layout)) blocks.push(toBlock(models, members, options));
  return blocks;
}

/** Neighbours are searched when asked for: what is known of a block from a former run needs none. */
export function toBlock(
  models: readonly LineageModel[],
  members: number[],
  options: BlockOptions,
  noted: NotedMembers | null = null,
): Block & { toStore(): StoredNeighbours | null } {
  let found: Neighbours | null = null;
  return {
    members,
    get nearest() {
      found ??= findNearest(models, members, options, noted);
      return found.nearest;
    },
    toStore: () => found?.stored ?? null,
  };
}
