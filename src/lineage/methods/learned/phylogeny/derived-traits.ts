import type { ModelSamples } from '../../../model-samples.ts';

/**
 * Cladistics: tensors are characters, the commonest content of each is taken for the ancestral state, everything else is derived.
 * Returned by model: tensor name -> hash, of derived states only, and how many tensors it has.
 */
export function findDerived(
  samples: readonly ModelSamples[],
): { states: Map<string, string>; tensors: number }[] {
  const counts = new Map<string, Map<string, number>>();
  for (const { tensors } of samples)
    for (const { name, hash } of tensors) {
      const seen = counts.get(name) ?? new Map<string, number>();
      seen.set(hash, (seen.get(hash) ?? 0) + 1);
      counts.set(name, seen);
    }
  const common = new Map<string, string | null>();
  for (const [name, seen] of counts) {
    const [first, second] = [...seen].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    // contents that all differ, or two equally common ones, have no ancestral state among them
    common.set(name, first![1] > 1 && first![1] > (second?.[1] ?? 0) ? first![0] : null);
  }
  return samples.map(({ tensors }) => {
    const states = new Map<string, string>();
    for (const { name, hash } of tensors) {
      const ancestral = common.get(name);
      if (ancestral !== null && ancestral !== undefined && ancestral !== hash) states.set(name, hash);
    }
    return { states, tensors: tensors.length };
  });
}

export type Traits = ReturnType<typeof findDerived>[number];

/** Share of tensors in which the parent is derived and the child is not, and in which both have the same derived state. */
export function compareTraits(child: Traits, parent: Traits): { reversals: number; shared: number } {
  let reversals = 0;
  let shared = 0;
  for (const [name, hash] of parent.states) {
    const mine = child.states.get(name);
    if (mine === undefined) reversals++;
    else if (mine === hash) shared++;
  }
  const total = parent.tensors || 1;
  return { reversals: reversals / total, shared: shared / total };
}
