import type { LineageModel } from '../../../../types/lineage.ts';
import { findBlocks } from '../../../blocks.ts';
import type { ModelSamples } from '../../../model-samples.ts';
import { measureSet } from './measure-set.ts';
import { splitIntoParts } from './set-parts.ts';
import type { SetTable } from './set-table.ts';

const NEAREST = 32;
/** Models looked at together: all their samples are in memory at once. Larger sets are looked at in parts that overlap. */
const LARGEST_SET = 1500;

export interface RelatedSet {
  models: LineageModel[];
  nearest: (model: number) => readonly number[];
  /** whose parents are asked for, by index; the others are there as candidates and for comparison */
  asked: ReadonlySet<number>;
}

/** Full models split into what the detector looks at together: related beyond chance, one layout. Singles are left out. */
export function findRelatedSets(
  models: readonly LineageModel[],
  seed: number,
  { largest = LARGEST_SET, onNote }: { largest?: number; onNote?: (note: string) => void } = {},
): RelatedSet[] {
  const full = models.filter((m) => m.fingerprint.kind === 'full');
  return findBlocks(full, { seed, nearest: NEAREST })
    .filter(({ members }) => members.length > 1)
    .flatMap(({ members, nearest }) => {
      const place = new Map(members.map((member, i) => [member, i]));
      const near = members.map((member) => (nearest.get(member) ?? []).flatMap((j) => place.get(j) ?? []));
      const parts = splitIntoParts(near, largest);
      if (parts.length > 1)
        onNote?.(
          `${members.length} related models were looked at in ${parts.length} overlapping parts of at most ${largest}: a parent that is none of its child's nearest may be missed.`,
        );
      return parts.map(({ members: own, asked }): RelatedSet => {
        const within = new Map(own.map((from, to) => [from, to]));
        return {
          models: own.map((i) => full[members[i]!]!),
          nearest: (i) => near[own[i]!]!.flatMap((j) => within.get(j) ?? []),
          asked: new Set(asked.map((i) => within.get(i)!)),
        };
      });
    });
}

/** A measured set; models without samples drop out. Null when fewer than two are left. */
export function toSetTable(set: RelatedSet, samples: ReadonlyMap<string, ModelSamples>): SetTable | null {
  const present = set.models.flatMap((m, i) => (samples.has(m.repo) ? [i] : []));
  if (present.length < 2) return null;
  const place = new Map(present.map((from, to) => [from, to]));
  return measureSet(
    present.map((i) => set.models[i]!),
    present.map((i) => samples.get(set.models[i]!.repo)!),
    (i) => set.nearest(present[i]!).flatMap((j) => place.get(j) ?? []),
  );
}
