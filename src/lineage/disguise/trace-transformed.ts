import { type FamilyTree, growFamily, readTree, type World } from '../family-tree.ts';
import type { ChildFinding } from '../findings.ts';
import { createPairTable } from '../tree/pair-table.ts';
import { isPermuted, recoverPermutation, undoPermutation } from './recover-permutation.ts';

/**
 * Is a family's root, related to nobody in place, another family's member with its units permuted? If the permutation can be read from
 * the norm gains, the model is put back in order as far as samples allow and placed in the other family's tree.
 * Null when the gains do not match. Never evidence against anybody.
 */
export function traceTransformed(suspect: FamilyTree, family: FamilyTree, world: World): ChildFinding | null {
  const mine = suspect.table.samples(suspect.tree.root);
  const permutation = recoverPermutation(mine, family.table.samples(family.tree.root));
  if (!isPermuted(permutation) || permutation === null) return null;
  const restored = undoPermutation(mine, permutation, world.options.positions);
  const n = family.members.length;
  const samples = [...family.members.map((_, i) => family.table.samples(i)), restored];
  const nodes = family.nodes.map((node, i) => ({ ...node, pinned: family.tree.parent[i]! }));
  const suspectNode = { ...suspect.nodes[suspect.tree.root]! };
  delete (suspectNode as { pinned?: number }).pinned;
  const everybody = Array.from({ length: n }, (_, i) => i);
  const placed = growFamily(
    [...family.members, suspect.members[suspect.tree.root]!],
    samples,
    [...nodes, suspectNode],
    world,
    {
      foreign: n,
      table: createPairTable(samples),
      nearest: [...everybody.map(() => []), n <= 60 ? everybody : nearestTo(family, restored)],
    },
  );
  const finding = readTree(placed, world, () => 'transformed').find((f) => f.child === suspectNode.repo);
  if (!finding) return null;
  const detail = `After undoing one permutation of all ${permutation.order.length} hidden units, read from the norm gains (${(100 * permutation.matched).toFixed(0)} % of units match one to one), its values fit this model.`;
  return {
    ...finding,
    method: 'transformed',
    chosen: finding.chosen.map((p) => ({
      ...p,
      logOdds: { ...p.logOdds, 'same-after-permutation': 0 },
      values: { ...p.values, 'same-after-permutation': permutation.matched },
      details: { ...p.details, 'same-after-permutation': detail },
    })),
  };
}

function nearestTo(family: FamilyTree, restored: ReturnType<typeof undoPermutation>): number[] {
  const distance = family.members.map((_, i) => {
    let sum = 0;
    for (const tensor of restored.tensors) {
      const values = family.table.samples(i).byName.get(tensor.name)?.values;
      if (!values || tensor.stats.std === 0) continue;
      for (let k = 0; k < values.length; k++) {
        const d = (values[k]! - tensor.values[k]!) / tensor.stats.std;
        if (d * 0 === 0) sum += d * d;
      }
    }
    return sum;
  });
  return family.members
    .map((_, i) => i)
    .sort((a, b) => distance[a]! - distance[b]! || a - b)
    .slice(0, 40);
}
