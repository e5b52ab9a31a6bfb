import type { TensorSample } from '../../../../types/fingerprint.ts';
import type { LineageModel } from '../../../../types/lineage.ts';
import type { ModelSamples } from '../../../model-samples.ts';
import { FINENESS, type Grid, roundToGrid } from '../../../number-grid.ts';
import { areComparable, comparePair } from '../../../pair-statistics.ts';
import { branchLogOdds, DEFAULT_BRANCH_PRIORS, measureBranchPoint } from '../../../tree/branch-point.ts';
import { closenessOfPair, createPairTable, type PairTable } from '../../../tree/pair-table.ts';
import { measureCentres } from './measure-centre.ts';
import { NODE_MEASURES, PAIR_MEASURES, type SetTable } from './set-table.ts';

/** Below this many models every pair is measured; above it each model is held against its nearest and the set's hubs. */
const ALL_PAIRS_UP_TO = 48;
const NEAREST = 24;
const HUBS = 8;
/** Third models an ordered pair is held against: those nearest to either end. */
const THIRDS = 12;
const HOUR = 3_600_000;
/** Log distances end here: bit-equal tensors have none. */
const FLOOR = 1e-8;

/** Symmetric sums over all common tensors of a pair, each tensor weighted by its values. */
interface PairSums {
  closeness: number;
  /** mean squared distance relative to power, forgiving rounding to the coarser format */
  relative: number;
  relativeRaw: number;
  equalShare: number;
  untouched: number;
  cosine: number;
  spread: number;
  /** mean over matrices of log |a| / |b|, of kurtosis a - b */
  norm: number;
  kurtosis: number;
  rounded: number;
}

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
      (a, b) =>
        sumsOf(i, b).closeness - sumsOf(i, a).closeness ||
        models[a]!.createdAt - models[b]!.createdAt ||
        (models[a]!.repo < models[b]!.repo ? -1 : 1),
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

function sumPair(table: PairTable, a: number, b: number): PairSums {
  const [x, y] = [table.samples(a), table.samples(b)];
  const { squared, count } = table.distances(a, b, 'forgiving');
  const raw = table.distances(a, b, 'raw');
  let weight = 0;
  let relative = 0;
  let relativeRaw = 0;
  let untouched = 0;
  const logs: [log: number, weight: number][] = [];
  for (let t = 0; t < table.tensorCount; t++) {
    const values = count[t]!;
    if (values === 0) continue;
    const w = Math.min(table.weights[t]!, values);
    const power = table.power[t]! || 1e-12;
    const mean = squared[t]! / values / power;
    weight += w;
    relative += w * Math.min(mean, 100);
    relativeRaw += w * Math.min(raw.squared[t]! / values / power, 100);
    if (squared[t] === 0) untouched += w;
    else logs.push([0.5 * Math.log(mean + FLOOR), w]);
  }
  weight = weight || 1;
  const statistics = comparePair(x, y);
  let norm = 0;
  let kurtosis = 0;
  let dot = 0;
  let matrices = 0;
  for (const pair of statistics.tensors) {
    if (pair.vector) continue;
    const power = Math.sqrt(pair.childPower * pair.parentPower);
    if (!(power > 0)) continue;
    matrices += pair.count;
    norm += pair.count * 0.5 * Math.log(pair.childPower / pair.parentPower);
    dot += pair.count * (pair.dot / power);
    const [s, t] = [x.byName.get(pair.name)!, y.byName.get(pair.name)!];
    kurtosis += pair.count * clip(s.stats.kurtosis - t.stats.kurtosis, 20);
  }
  matrices = matrices || 1;
  const equalShare = statistics.equal / (statistics.count || 1);
  return {
    closeness: closenessOfPair(table, a, b),
    relative: relative / weight,
    relativeRaw: relativeRaw / weight,
    equalShare,
    untouched: untouched / weight,
    cosine: dot / matrices,
    spread: weightedSd(logs),
    norm: norm / matrices,
    kurtosis: kurtosis / matrices,
    rounded: table.grid(a) === table.grid(b) ? equalShare : shareEqualAfterRounding(table, a, b),
  };
}

function shareEqualAfterRounding(table: PairTable, a: number, b: number): number {
  const [fine, coarse] = FINENESS[table.grid(a)] > FINENESS[table.grid(b)] ? [a, b] : [b, a];
  const grid = table.grid(coarse);
  let equal = 0;
  let count = 0;
  for (const tensor of table.samples(fine).tensors) {
    const other = table.samples(coarse).byName.get(tensor.name);
    if (!other || !areComparable(tensor, other)) continue;
    // every eighth value decides a share well enough
    for (let i = 0; i < tensor.values.length; i += 8) {
      count++;
      if (roundToGrid(tensor.values[i]!, grid) === other.values[i]) equal++;
    }
  }
  return equal / (count || 1);
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
    if (models[k]!.createdAt <= models[child]!.createdAt + HOUR) earlier = Math.max(earlier, odds);
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

/**
 * Cladistics: tensors are characters, the commonest content of each is taken for the ancestral state, everything else is derived.
 * Returned by model: tensor name -> hash, of derived states only, and how many tensors it has.
 */
function findDerived(samples: readonly ModelSamples[]): { states: Map<string, string>; tensors: number }[] {
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

type Traits = ReturnType<typeof findDerived>[number];

/** Share of tensors in which the parent is derived and the child is not, and in which both have the same derived state. */
function compareTraits(child: Traits, parent: Traits): { reversals: number; shared: number } {
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

function weightedSd(values: readonly (readonly [number, number])[]): number {
  let weight = 0;
  let sum = 0;
  let squares = 0;
  for (const [value, w] of values) {
    weight += w;
    sum += w * value;
    squares += w * value * value;
  }
  if (weight === 0) return 0;
  return Math.sqrt(Math.max(0, squares / weight - (sum / weight) ** 2));
}

function clip(value: number, limit: number): number {
  return Number.isFinite(value) ? Math.max(-limit, Math.min(limit, value)) : 0;
}
