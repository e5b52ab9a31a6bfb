import { type FamilyTree, growFamily, readTree, type World } from '../family-tree.ts';
import { type ChildFinding, restrict } from '../findings.ts';
import { fadeBeyond } from '../probability.ts';
import { createPairTable, type PairTable } from '../tree/pair-table.ts';
import { isPermuted, recoverPermutation, undoPermutation } from './recover-permutation.ts';

/** Do the norm gains of two families' roots match in another order? Asked before the rest of a family is loaded. */
export function isDisguised(suspect: FamilyTree, family: FamilyTree): boolean {
  return isPermuted(
    recoverPermutation(suspect.table.samples(suspect.tree.root), family.table.samples(family.tree.root)),
  );
}

/**
 * A disguise keeps the function, so what is left after undoing it is rounding. Where more is left, a step was taken in between, by the
 * disguised model or by a relative that is not in the index and is the real source: even odds at this relative distance.
 */
const TUNED = 0.003;
/** Log-odds for each factor e of distance below that. */
const ROOM = 2;
/** Relative distance that storing the result once more leaves by itself: a last place is 2^-8 to 2^-7 of a value in bfloat16. */
const STORED_AGAIN: Readonly<Record<string, number>> = { BF16: 0.0018, F16: 0.00023 };

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
  const finding = readTree(placed, world, { relationOf: () => 'transformed' }).find(
    (f) => f.child === suspectNode.repo,
  );
  if (!finding) return null;
  const parent = placed.tree.parent[n]!;
  const residual = parent < 0 ? 1 : relativeResidual(placed.table, n, parent);
  const rounding = STORED_AGAIN[suspect.members[suspect.tree.root]!.fingerprint.dtype] ?? 0;
  const step = Math.sqrt(Math.max(0, residual ** 2 - rounding ** 2));
  const detail = `After undoing one permutation of all ${permutation.order.length} hidden units, read from the norm gains (${(100 * permutation.matched).toFixed(0)} % of units match one to one), its values fit this model with a relative distance of ${(100 * residual).toFixed(2)} %.`;
  return {
    ...finding,
    method: 'transformed',
    chosen: finding.chosen.map((p) => ({
      ...restrict(p, 'same-after-permutation', fadeBeyond(TUNED, step, ROOM)),
      values: { ...p.values, 'same-after-permutation': permutation.matched },
      details: { ...p.details, 'same-after-permutation': detail },
    })),
  };
}

/** Root mean square over common tensors of what is left between two models, relative to the tensors' own spread. */
function relativeResidual(table: PairTable, a: number, b: number): number {
  const { squared, count } = table.distances(a, b);
  let sum = 0;
  let tensors = 0;
  for (let t = 0; t < table.tensorCount; t++) {
    if (count[t] === 0 || table.power[t] === 0) continue;
    sum += squared[t]! / count[t]! / table.power[t]!;
    tensors++;
  }
  return tensors === 0 ? 1 : Math.sqrt(sum / tensors);
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
