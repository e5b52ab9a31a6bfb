import type { VirtualModel } from './model.ts';

/** The truth about one repo, as a zoo's truth.json has it. */
export interface PopulationTruth {
  parents: string[];
  /** `root`, a relation, or `none` for a repo without weights */
  relation: string;
  arch: 'llama' | 'unet';
  declared: string[];
  declared_relation: string | null;
  declared_status: 'correct' | 'missing' | 'wrong' | 'ancestor' | 'sibling' | 'unresolvable' | 'none';
  dtype: string;
  format: string;
}

/** A repo of a family while the family grows. */
export interface Member {
  model: VirtualModel;
  depth: number;
  /** can be fine-tuned, merged, quantised */
  full: boolean;
}

/** What its author types: the truth mostly, nothing often, and now and then something else. */
export function declareParents(
  model: VirtualModel,
  members: readonly Member[],
  roots: readonly string[],
  random: () => number,
): { names: string[]; status: PopulationTruth['declared_status']; card: Partial<VirtualModel> } {
  const parents = model.parents ?? [];
  const say = (names: string[], status: PopulationTruth['declared_status']) => ({
    names,
    status,
    card: { baseModel: names.length === 1 ? names[0]! : names },
  });
  const chance = random();
  const direct = members.find((member) => member.model.id === parents[0]);
  if (chance < 0.3) return { names: [], status: 'missing', card: {} };
  if (chance < 0.35) {
    const own = members[0]!.model.id;
    const other = roots.filter((root) => root !== own);
    if (other.length > 0) return say([other[Math.floor(random() * other.length)]!], 'wrong');
  }
  if (chance < 0.41 && parents.length === 1 && direct !== undefined && direct.depth > 0) {
    return say([members[0]!.model.id], 'ancestor');
  }
  if (chance < 0.44 && parents.length === 1) {
    const siblings = members.filter(
      (member) => member.full && member.depth > 0 && member.model.parents?.[0] === parents[0],
    );
    const sibling = siblings[Math.floor(random() * siblings.length)];
    if (sibling !== undefined) return say([sibling.model.id], 'sibling');
  }
  if (chance < 0.47) return say(['/workspace/output/checkpoint-500'], 'unresolvable');
  return say(parents, 'correct');
}
