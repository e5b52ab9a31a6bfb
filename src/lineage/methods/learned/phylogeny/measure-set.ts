import type { TensorSample } from '../../../../types/fingerprint.ts';
import type { LineageModel } from '../../../../types/lineage.ts';
import { existedBefore } from '../../../existed-before.ts';
import type { ModelSamples } from '../../../model-samples.ts';
import { FINENESS, type Grid } from '../../../number-grid.ts';
import { oldestFirst } from '../../../oldest-first.ts';
import { branchLogOdds, DEFAULT_BRANCH_PRIORS, measureBranchPoint } from '../../../tree/branch-point.ts';
import { createPairTable, type PairTable } from '../../../tree/pair-table.ts';
import { compareTraits, findDerived, type Traits } from './derived-traits.ts';
import { measureCentres } from './measure-centre.ts';
import { NODE_MEASURES, PAIR_MEASURES, type SetTable } from './set-table.ts';
import { clip, FLOOR, type PairSums, sumPair } from './sum-pair.ts';

/** Below this many models every pair is measured; above it each model is held against its nearest and the set's hubs. */
const ALL_PAIRS_UP_TO = 48;
const NEAREST = 24;
const HUBS = 8;
/** Third models an ordered pair is held against: those nearest to either end. */
const THIRDS = 12;

/**
 * Measures a set of related models of one layout. `nearest` gives neighbours by index where the set is too large for all pairs.
 * O(pairs x values + pairs x thirds x tensors).
 */
export function measureSet(
  models: readonly LineageModel[],
  samples: readonly ModelSamples[],
  nearest: (model: number) => readonly number[] = () => [],
): SetTable {
  const n = models.length;
  const table = createPairTable(samples);
  const { offsets, candidates } = choosePairs(n, nearest);
  const sums = new Map<number, PairSums>();
  const sumsOf = (a: number, b: number): PairSums => {
    const [low, high] = a < b ? [a, b] : [b, a];
    const known = sums.get(low * n + high);
    if (known) return known;
    const made = sumPair(table, low, high);
    sums.set(low * n + high, made);
    return made;
  };
  const derived = findDerived(samples);
  const width = PAIR_MEASURES.length;
  const pairs = new Float32Array(candidates.length * width);
  const byCloseness = (i: number) =>
    [...candidates.subarray(offsets[i]!, offsets[i + 1]!)].sort(
      // ties by what does not depend on the order of the list
      (a, b) => sumsOf(i, b).closeness - sumsOf(i, a).closeness || oldestFirst(models[a]!, models[b]!),
    );
  const close = Array.from({ length: n }, (_, i) => byCloseness(i).slice(0, THIRDS));
  for (let child = 0; child < n; child++)
    for (let p = offsets[child]!; p < offsets[child + 1]!; p++) {
      const parent = candidates[p]!;
      const s = sumsOf(child, parent);
      const r = Math.sqrt(s.relative + FLOOR);
      const sign = child < parent ? 1 : -1;
      const thirds = [...new Set([...close[child]!, ...close[parent]!])].filter(
        (k) => k !== child && k !== parent,
      );
      const rivals = holdAgainstThirds(table, models, child, parent, thirds, (a, b) => sumsOf(a, b).relative);
      const traits = compareTraits(derived[child]!, derived[parent]!);
      pairs.set(
        [
          s.closeness,
          0.5 * Math.log(s.relative + FLOOR),
          0.5 * Math.log(s.relativeRaw + FLOOR),
          s.equalShare,
          s.untouched,
          s.cosine,
          s.spread,
          clip((sign * s.norm) / r, 3),
          clip((sign * s.norm) / (r * r), 3),
          clip((sign * s.kurtosis) / r, 5),
          s.rounded,
          ...rivals,
          traits.reversals,
          traits.shared,
        ],
        p * width,
      );
    }
  return {
    repos: models.map((m) => m.repo),
    createdAt: Float64Array.from(models, (m) => m.createdAt),
    nodes: measureNodes(models, samples, table, derived),
    offsets,
    candidates,
    pairs,
  };
}

/** Every pair in both orders: whoever is a candidate of one has that one as a candidate too, so direction is always weighed. */
function choosePairs(n: number, nearest: (model: number) => readonly number[]) {
  const wanted: Set<number>[] = Array.from({ length: n }, () => new Set());
  const add = (i: number, j: number) => {
    if (i === j) return;
    wanted[i]!.add(j);
    wanted[j]!.add(i);
  };
  if (n <= ALL_PAIRS_UP_TO) for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) add(i, j);
  else {
    const degree = new Int32Array(n);
    for (let i = 0; i < n; i++)
      for (const j of nearest(i).slice(0, NEAREST)) {
        add(i, j);
        degree[j]!++;
      }
    const hubs = [...degree.keys()].sort((a, b) => degree[b]! - degree[a]! || a - b).slice(0, HUBS);
    for (const hub of hubs) for (let i = 0; i < n; i++) add(i, hub);
  }
  const offsets = new Int32Array(n + 1);
  wanted.forEach((set, i) => {
    offsets[i + 1] = offsets[i]! + set.size;
  });
  const candidates = Int32Array.from(wanted.flatMap((set) => [...set].sort((a, b) => a - b)));
  return { offsets, candidates };
}

/**
 * The pair against third models k. `rivals`: log-odds that the child hangs from k rather than beside it from this parent, read from
 * where the three distances place it. `place`: where k branches off the segment parent .. child (0 = at the parent, 1 = at the child),
 * weighted against outgroups too far away to say. `between`: the log of how much longer the way over k is than the direct one, in
 * squared distances, which add along paths: 0 when k lies between.
 */
function holdAgainstThirds(
  table: PairTable,
  models: readonly LineageModel[],
  child: number,
  parent: number,
  thirds: readonly number[],
  squared: (a: number, b: number) => number,
): number[] {
  const edge = squared(parent, child) + FLOOR;
  let best = -25;
  let earlier = -25;
  let later = -25;
  let ahead = 0;
  let weight = 0;
  let place = 0;
  let atParent = 0;
  let atChild = 0;
  let between = Math.log(100);
  for (const k of thirds) {
    const point = measureBranchPoint(table, parent, k, child);
    const odds = point === null ? 0 : clip(branchLogOdds(point, DEFAULT_BRANCH_PRIORS), 25);
    best = Math.max(best, odds);
    if (existedBefore(models[k]!.createdAt, models[child]!.createdAt)) earlier = Math.max(earlier, odds);
    else later = Math.max(later, odds);
    if (odds > 1) ahead++;
    const toParent = squared(parent, k) + FLOOR;
    const toChild = squared(child, k) + FLOOR;
    between = Math.min(between, Math.log((toParent + toChild) / edge));
    const t = clip((toParent + edge - toChild) / (2 * edge), 3);
    const w = 1 / (0.01 + (0.07 * 0.07 * toParent) / edge);
    weight += w;
    place += w * t;
    if (t < 0.25) atParent += w;
    if (t > 0.75) atChild += w;
  }
  const total = weight || 1;
  const none = thirds.length === 0;
  return [
    none ? 0 : best,
    none ? 0 : ahead / thirds.length,
    none ? 0.5 : place / total,
    atParent / total,
    atChild / total,
    between,
    Math.log1p(thirds.length),
    earlier,
    later,
  ];
}

function measureNodes(
  models: readonly LineageModel[],
  samples: readonly ModelSamples[],
  table: PairTable,
  derived: readonly Traits[],
): Float32Array {
  const width = NODE_MEASURES.length;
  const nodes = new Float32Array(models.length * width);
  const centres = measureCentres(
    samples,
    (tensor: TensorSample) => table.power[table.names.get(tensor.name)!]!,
  );
  models.forEach((model, i) => {
    const { fingerprint: f } = model;
    const c = centres[i]!;
    nodes.set(
      [
        FINENESS[table.grid(i)],
        f.quantized ? 1 : 0,
        Math.log(f.widths.vocab ?? 1),
        Math.log(f.widths.layers ?? 1),
        c.logDistance,
        ...c.quantiles,
        c.logKurtosis,
        derived[i]!.states.size / (derived[i]!.tensors || 1),
        c.logNorm,
        c.kurtosis,
        c.gainsLogDistance,
        isStoredFiner(f.dtype, table.grid(i)) ? 1 : 0,
      ],
      i * width,
    );
  });
  return nodes;
}

/** A file in a finer format than its values: a copy cast upwards, which nobody trains from. */
function isStoredFiner(dtype: string, grid: Grid): boolean {
  return dtype === 'F32' ? grid !== 'F32' : dtype === 'F16' && grid === 'BF16';
}
