import type { LineageModel } from '../../../../types/lineage.ts';
import { findBlocks } from '../../../blocks.ts';
import type { ModelSamples } from '../../../model-samples.ts';
import { measureSet } from './measure-set.ts';
import type { SetTable } from './set-table.ts';

const NEAREST = 32;
/** Larger sets are left out: all samples of a set are in memory at once. */
const LARGEST_SET = 1500;

export interface RelatedSet {
  models: LineageModel[];
  nearest: (model: number) => readonly number[];
}

/** Full models split into what the detector looks at together: related beyond chance, one layout. Singles are left out. */
export function findRelatedSets(models: readonly LineageModel[], seed: number): RelatedSet[] {
  const full = models.filter((m) => m.fingerprint.kind === 'full');
  return findBlocks(full, { seed, nearest: NEAREST })
    .filter(({ members }) => members.length > 1 && members.length <= LARGEST_SET)
    .map(({ members, nearest }) => {
      const place = new Map(members.map((member, i) => [member, i]));
      return {
        models: members.map((i) => full[i]!),
        nearest: (i) => (nearest.get(members[i]!) ?? []).flatMap((j) => place.get(j) ?? []),
      };
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
