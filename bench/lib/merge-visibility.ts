/**
 * Which merges leave a trace at all. A parent that could be swapped for its nearest relative without changing the stored child by more than
 * rounding does cannot be told from it by anybody; nor can a merge be told whose values an earlier model has, bit by bit.
 */
import { ulpOf } from '../../src/lineage/number-grid.ts';
import type { TensorSample } from '../../src/types/fingerprint.ts';
import type { LineageResult } from '../../src/types/lineage.ts';
import type { GeneratedHub } from './families.ts';

/** Power of a parent's own step in the child: its share squared, times what dropping and trimming leave of a step's power. */
const POWER: Readonly<Record<string, readonly number[]>> = {
  linear: [0.6 ** 2, 0.4 ** 2],
  linear3: [0.5 ** 2, 0.3 ** 2, 0.2 ** 2],
  slerp: [0.5 ** 2, 0.5 ** 2],
  task: [0.7 ** 2, 0.6 ** 2],
  // half the values doubled
  dare: [2 * 0.5 ** 2, 2 * 0.5 ** 2],
  // a normal distribution's largest fifth holds 58 % of its power
  ties: [0.58 * 0.5 ** 2, 0.58 * 0.5 ** 2],
};

/** Mean squared difference over the child's rounding error, ulp^2 / 12, over the tensors in which two models differ. */
function swapInFloors(
  child: readonly TensorSample[],
  a: readonly TensorSample[],
  b: readonly TensorSample[],
): number {
  let sum = 0;
  let n = 0;
  for (const tensor of child) {
    const x = a.find((t) => t.name === tensor.name);
    const y = b.find((t) => t.name === tensor.name);
    if (!x || !y || x.hash === y.hash || x.values.length !== y.values.length) continue;
    for (let i = 0; i < x.values.length; i++) {
      const unit = ulpOf(tensor.values[i]!, 'BF16');
      sum += (x.values[i]! - y.values[i]!) ** 2 / ((unit * unit) / 12);
    }
    n += x.values.length;
  }
  return n > 0 ? sum / n : 0;
}

/** Names of the merges whose parents all show above rounding. */
export function findDecidableMerges(hub: GeneratedHub): Set<string> {
  const created = new Map(hub.models.map((m) => [m.repo, m.createdAt]));
  const identity = (repo: string) =>
    hub.samples
      .get(repo)
      ?.map((t) => t.hash)
      .join('') ?? repo;
  const rootOf = (repo: string): string => {
    const parent = hub.truth.get(repo)?.parents[0];
    return parent === undefined ? repo : rootOf(parent);
  };
  const decidable = new Set<string>();
  for (const [repo, { relation, parents, detail }] of hub.truth) {
    if (relation !== 'merge') continue;
    const mine = hub.samples.get(repo)!;
    const before = hub.models
      .filter((m) => m.fingerprint.kind === 'full' && !m.fingerprint.quantized)
      .map((m) => m.repo)
      .filter((other) => other !== repo && created.get(other)! < created.get(repo)!)
      .filter((other) => rootOf(other) === rootOf(repo) && hub.samples.get(other)!.length === mine.length);
    if (before.some((other) => identity(other) === identity(repo))) continue;
    const shows = parents.every((parent, k) => {
      const theirs = hub.samples.get(parent);
      if (!theirs) return false;
      const swaps = before
        .filter((other) => other !== parent && identity(other) !== identity(parent))
        .map((other) => swapInFloors(mine, theirs, hub.samples.get(other)!))
        // a cast of the parent is the parent
        .filter((floors) => floors > 0.5);
      return swaps.every((floors) => floors * POWER[detail]![k]! >= 1);
    });
    if (shows) decidable.add(repo);
  }
  return decidable;
}

export interface MergeCounts {
  /** parents named for models called merges; parents of merges; both */
  found: number;
  true: number;
  both: number;
  merges: number;
}

/** Counts over all merges, or those asked for; a model wrongly called a merge counts as found either way. */
export function countMergeParents(
  hub: GeneratedHub,
  result: LineageResult,
  only: ReadonlySet<string> | null = null,
): MergeCounts {
  const original = (repo: string): string => {
    const known = hub.truth.get(repo);
    const copied = known?.relation === 'duplicate' || known?.relation === 'cast';
    return copied && known.parents[0] ? original(known.parents[0]) : repo;
  };
  const counts: MergeCounts = { found: 0, true: 0, both: 0, merges: 0 };
  const chosen = Map.groupBy(
    result.edges.filter((e) => e.rank === 1 && e.relation === 'merge'),
    (e) => e.child,
  );
  for (const [repo, known] of hub.truth) {
    const isMerge = known.relation === 'merge';
    if (isMerge && only && !only.has(repo)) continue;
    const found = new Set((chosen.get(repo) ?? []).map((e) => original(e.parent)));
    const wanted = new Set(isMerge ? known.parents.map(original) : []);
    counts.found += found.size;
    counts.true += wanted.size;
    counts.both += found.intersection(wanted).size;
    if (isMerge) counts.merges++;
  }
  return counts;
}
