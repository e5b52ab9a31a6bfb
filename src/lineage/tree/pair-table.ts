import type { TensorSample } from '../../types/fingerprint.ts';
import type { ModelSamples } from '../model-samples.ts';
import { askOne, NO_NOTES, type Notebook, type Notes, TOPICS } from '../notes.ts';
import { FINENESS, type Grid, readGrid, roundToGrid } from '../number-grid.ts';
import { createNumberTable } from '../numeric/number-table.ts';
import { sumOfSquares } from '../numeric/squared-distance.ts';
import { comparableKey } from '../pair-statistics.ts';

/** Squared distances of two models, tensor by tensor. Tensors are numbered by the table; 0 values mean "not common". */
export interface PairDistances {
  /** sum of squared differences */
  squared: Float64Array;
  /** common values */
  count: Uint16Array;
}

/**
 * What to do about number formats. `raw`: every difference counts. `forgiving`: values that become equal in the coarser format of the two
 * count as equal, other differences as they are. A format: what is finer is rounded to it first, as a third model of that format sees it.
 */
export type DistanceMode = 'raw' | 'forgiving' | Exclude<Grid, 'F32'>;

/**
 * Per-tensor squared distances between the models of a block, computed when asked for and kept.
 *
 * A half-precision child of a single-precision parent keeps the parent's values rounded: tensors that nobody touched must have distance 0.
 */
export interface PairTable {
  readonly size: number;
  readonly tensorCount: number;
  /** number of each tensor name */
  readonly names: ReadonlyMap<string, number>;
  /** weight of a tensor: its values, vectors capped so that gains read whole do not outweigh matrices read in part */
  readonly weights: Float64Array;
  grid(model: number): Grid;
  distances(a: number, b: number, mode?: DistanceMode): PairDistances;
  /** see `closenessOfPair` */
  closeness(a: number, b: number): number;
  /** sum of squares of a tensor's values, per value, averaged over models and rounded: the scale that distances are held against */
  readonly power: Float64Array;
  /** a model's values of a tensor, undefined where it has none */
  values(model: number, tensor: number): Float32Array | undefined;
  /** root of the sum of squares of these values, 0 where it has none */
  norm(model: number, tensor: number): number;
  samples(model: number): ModelSamples;
  /** about these models, whatever follows from their values alone */
  readonly notes: Notes;
  /** the same, and from the table's weights and power */
  readonly scaledNotes: Notes;
}

/** Where notes about a table's models are kept. */
export interface NotedModels {
  book: Notebook;
  /** content of each model, see `Notebook.open` */
  contents: readonly string[];
  /** what the samples are: a model's own, or its core cut into pieces */
  kind: 'samples' | 'cores';
}

const VECTOR_CAP = 64;
/** Power is rounded to this part of a factor of two: a mean over all models would make every number new when one is added. */
const POWER_STEPS = 8;
const GRIDS: readonly Grid[] = ['BF16', 'F16', 'F32'];
const MODES: readonly DistanceMode[] = ['raw', 'forgiving', 'BF16', 'F16'];
/** Beyond this a sum of squares is an overflown half's. */
const FINITE = 1e30;

export function createPairTable(
  models: readonly ModelSamples[],
  noted: NotedModels | null = null,
): PairTable {
  return new KeptDistances(models, noted);
}

/** A class, not closures: see decision 8 on machine code. */
class KeptDistances implements PairTable {
  readonly size: number;
  readonly tensorCount: number;
  readonly names: ReadonlyMap<string, number>;
  readonly weights: Float64Array;
  readonly power: Float64Array;
  readonly notes: Notes;
  readonly scaledNotes: Notes;
  private readonly models: readonly ModelSamples[];
  private readonly grids: readonly Grid[];
  // Looked up once a model rather than once a pair: tensors by number, and a number that is equal where tensors can be compared.
  private readonly byNumber: (TensorSample | undefined)[][] = [];
  private readonly layoutOf: Int32Array[] = [];
  /** by pair and mode: the place in `kept` */
  private readonly known = createNumberTable();
  private readonly kept: PairDistances[] = [];
  private readonly closest = createNumberTable();

  constructor(models: readonly ModelSamples[], noted: NotedModels | null) {
    this.models = models;
    this.size = models.length;
    // by name, so that sums over tensors are the same whoever else is in the table
    const all = new Set<string>();
    for (const model of models) for (const tensor of model.tensors) all.add(tensor.name);
    const names = new Map<string, number>();
    for (const name of [...all].sort()) names.set(name, names.size);
    this.names = names;
    this.tensorCount = all.size;
    this.weights = new Float64Array(all.size);
    this.power = new Float64Array(all.size);
    const seen = new Float64Array(all.size);
    const layouts = new Map<string, number>();
    for (const model of models) this.number(model, layouts, seen);
    for (let t = 0; t < all.size; t++) this.power[t] = roundPower(this.power[t]!);
    this.notes = noted?.book.open(noted.contents, noted.kind) ?? NO_NOTES;
    this.grids = models.map(
      (m, i) => GRIDS[askOne(this.notes, TOPICS.grid, [i], () => GRIDS.indexOf(readGrid(m.tensors)))]!,
    );
    this.scaledNotes =
      noted?.book.open(
        noted.contents,
        JSON.stringify([noted.kind, [...this.names.keys()], [...this.weights], [...this.power]]),
      ) ?? NO_NOTES;
  }

  grid(model: number): Grid {
    return this.grids[model]!;
  }

  values(model: number, tensor: number): Float32Array | undefined {
    return this.byNumber[model]![tensor]?.values;
  }

  norm(model: number, tensor: number): number {
    return this.byNumber[model]![tensor]?.stats.l2 ?? 0;
  }

  samples(model: number): ModelSamples {
    return this.models[model]!;
  }

  distances(a: number, b: number, asked: DistanceMode = 'forgiving'): PairDistances {
    const low = a < b ? a : b;
    const high = a < b ? b : a;
    const mode = this.modeOf(low, high, asked);
    const key = (low * this.size + high) * MODES.length + MODES.indexOf(mode);
    const at = this.known.get(key);
    if (at >= 0) return this.kept[at]!;
    const found = this.measure(low, high, mode);
    this.known.set(key, this.kept.length);
    this.kept.push(found);
    return found;
  }

  closeness(a: number, b: number): number {
    const low = a < b ? a : b;
    const high = a < b ? b : a;
    const key = low * this.size + high;
    const found = this.closest.get(key);
    if (!Number.isNaN(found)) return found;
    const work = () => measureCloseness(this, a, b);
    const value = askOne(this.scaledNotes, TOPICS.closeness, [low, high], work);
    this.closest.set(key, value);
    return value;
  }

  private number(model: ModelSamples, layouts: Map<string, number>, seen: Float64Array): void {
    const { weights, power, tensorCount } = this;
    const mine: (TensorSample | undefined)[] = new Array(tensorCount).fill(undefined);
    const layout = new Int32Array(tensorCount).fill(-1);
    for (const tensor of model.tensors) {
      const t = this.names.get(tensor.name)!;
      const key = comparableKey(tensor);
      let number = layouts.get(key);
      if (number === undefined) {
        number = layouts.size;
        layouts.set(key, number);
      }
      mine[t] = tensor;
      layout[t] = number;
      const vector = tensor.shape.length < 2;
      weights[t] = Math.max(
        weights[t]!,
        vector ? Math.min(tensor.values.length, VECTOR_CAP) : tensor.values.length,
      );
      // spread about the mean: gains sit around 1 and only their spread tells models apart
      const scale = vector ? tensor.stats.std ** 2 + 1e-4 * tensor.stats.mean ** 2 : tensor.stats.std ** 2;
      power[t] = (power[t]! * seen[t]! + scale) / (seen[t]! + 1);
      seen[t]!++;
    }
    this.byNumber.push(mine);
    this.layoutOf.push(layout);
  }

  /** What a mode comes to for this pair: most differences in format do not concern it. */
  private modeOf(low: number, high: number, mode: DistanceMode): DistanceMode {
    const { grids } = this;
    if (mode === 'forgiving') return grids[low] === grids[high] ? 'raw' : mode;
    if (mode === 'raw') return mode;
    const finest = Math.max(FINENESS[grids[low]!], FINENESS[grids[high]!]);
    return finest > FINENESS[mode] ? mode : 'raw';
  }

  private measure(low: number, high: number, mode: DistanceMode): PairDistances {
    const { grids, tensorCount } = this;
    const coarser = FINENESS[grids[low]!] < FINENESS[grids[high]!] ? grids[low]! : grids[high]!;
    const grid = mode === 'BF16' || mode === 'F16' ? mode : coarser;
    const squared = new Float64Array(tensorCount);
    const count = new Uint16Array(tensorCount);
    const [mine, theirs] = [this.byNumber[low]!, this.byNumber[high]!];
    const [myLayout, theirLayout] = [this.layoutOf[low]!, this.layoutOf[high]!];
    for (let t = 0; t < tensorCount; t++) {
      const tensor = mine[t];
      const other = theirs[t];
      if (!tensor || !other || myLayout[t] !== theirLayout[t]) continue;
      // equal hashes are equal values: most tensors of a copy or of an adapter merged in
      if (tensor.hash !== '' && tensor.hash === other.hash && tensor.shape[0] === other.shape[0]) {
        count[t] = Math.min(tensor.stats.count, 65535);
        continue;
      }
      const x = tensor.values;
      const y = other.values;
      if (mode === 'raw') {
        // nearly always every value is there: one sum without a look at each, checked at the end
        const sum = sumOfSquares(x, y);
        if (sum < FINITE) {
          squared[t] = sum;
          count[t] = Math.min(x.length, 65535);
          continue;
        }
      }
      let sum = 0;
      let n = 0;
      for (let i = 0; i < x.length; i++) {
        let d = x[i]! - y[i]!;
        if (!(d * d < FINITE)) continue;
        n++;
        if (mode !== 'raw' && d !== 0) {
          const rounded = roundToGrid(x[i]!, grid) - roundToGrid(y[i]!, grid);
          if (mode !== 'forgiving' || rounded === 0) d = rounded;
        }
        sum += d * d;
      }
      squared[t] = sum;
      count[t] = Math.min(n, 65535);
    }
    return { squared, count };
  }
}

function roundPower(power: number): number {
  return power > 0 ? 2 ** (Math.round(POWER_STEPS * Math.log2(power)) / POWER_STEPS) : 0;
}

/**
 * How much closer than chance, in nats a value: mean over tensors of half the log of expected over measured squared distance.
 * For an unknown step size, n times this is the profile log-likelihood of "one is the other plus Gaussian steps", tensor by tensor.
 */
export function closenessOfPair(table: PairTable, a: number, b: number): number {
  return table.closeness(a, b);
}

function measureCloseness(table: PairTable, a: number, b: number): number {
  const { squared, count } = table.distances(a, b);
  let weight = 0;
  let sum = 0;
  for (let t = 0; t < table.tensorCount; t++) {
    const n = count[t]!;
    if (n === 0) continue;
    const w = Math.min(table.weights[t]!, n);
    const power = table.power[t]! || 1e-12;
    weight += w;
    sum += w * 0.5 * Math.log((2 * power) / (squared[t]! / n + 1e-7 * power));
  }
  return weight > 0 ? sum / weight : 0;
}
