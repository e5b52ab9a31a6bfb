import type { Tensor } from '@tensorflow/tfjs';
import { createNormal, createRandom } from '../../../numeric/random.ts';
import { type AdamState, startAdam, stepAdam } from '../adam.ts';
import type { Backend } from '../backend.ts';
import { layOut, startParameters } from '../tensor-spec.ts';
import { disturbRows, dropLeaves, keepColumns } from './disturb-set.ts';
import { measureAccuracy } from './evaluate.ts';
import { toFeatures } from './features.ts';
import { createForward, type DenseSet, toDense } from './forward.ts';
import type { PhylogenyModel } from './model.ts';
import { DEFAULT_SIZES, type PhylogenySizes, phylogenyParameters } from './network.ts';
import { type FeatureScale, scorePairs } from './score-pairs.ts';
import type { SetTable } from './set-table.ts';

/** A set with what is known about it. */
export interface LabelledSet {
  /** which family or families it shows: sets are split by this, never by child */
  family: string;
  table: SetTable;
  /** true parents of each model by index in the set; none = root, or its parent is not in the set */
  parents: readonly (readonly number[])[];
}

export interface TrainOptions {
  seed: number;
  epochs: number;
  rate: number;
  /** epochs without more right answers on the held-out sets before it stops */
  patience: number;
  sizes?: PhylogenySizes;
  /** goes on from here; the rest of the run is the one that was interrupted */
  resume?: PhylogenyCheckpoint;
  /** told after every epoch; a promise is waited for (checkpoints) */
  onEpoch?: (progress: EpochProgress, checkpoint: () => PhylogenyCheckpoint) => void | Promise<void>;
  signal?: AbortSignal;
}

export interface EpochProgress {
  epoch: number;
  epochs: number;
  trainLoss: number;
  heldOutLoss: number;
  heldOutAccuracy: number;
  best: boolean;
}

/** Everything that is needed to go on after an epoch. */
export interface PhylogenyCheckpoint {
  epoch: number;
  weights: Float32Array;
  adam: AdamState;
  /** moving average of the weights */
  average: Float32Array;
  best: Float32Array;
  bestError: number;
  sinceBest: number;
}

/** Share of columns switched off in a step, and noise in standard deviations. */
const DROPPED_COLUMNS = 0.1;
const NOISE = 0.1;
/** Share of the averaged weights kept a step: judged and kept is the average, which generalises better than any one step's weights. */
const AVERAGED = 0.997;

/**
 * Trains on whole sets, one a step, and keeps the weights with the most right answers on the held-out sets. Same data, seed and backend,
 * same weights; interrupted between epochs and resumed, the same too.
 */
export async function trainPhylogeny(
  training: readonly LabelledSet[],
  heldOut: readonly LabelledSet[],
  { tf }: Backend,
  options: TrainOptions,
): Promise<PhylogenyModel> {
  const sizes = options.sizes ?? DEFAULT_SIZES;
  const features = training.map((set) => toFeatures(set.table));
  const nodeScale = fitScale(
    features.map((f) => f.nodes),
    sizes.nodeWidth,
  );
  const pairScale = fitScale(
    features.map((f) => f.pairs),
    sizes.pairWidth,
  );
  /** what a step sees of a set: some leaves and columns missing, and noise, all drawn from the seed, the epoch and the set */
  const prepare = (set: LabelledSet, seed: number): { dense: DenseSet; target: Float32Array } => {
    const random = createRandom(seed);
    const seen = dropLeaves(set, random);
    const dense = toDense(toFeatures(seen.table), sizes, nodeScale, pairScale);
    const normal = createNormal(random);
    disturbRows(dense.nodes, keepColumns(sizes.nodeWidth, DROPPED_COLUMNS, random), NOISE, normal);
    disturbRows(dense.pairs, keepColumns(sizes.pairWidth, DROPPED_COLUMNS, random), NOISE, normal);
    return { dense, target: toTarget(seen) };
  };
  const sets = training.filter((set) => set.table.repos.length > 1);
  const specs = phylogenyParameters(sizes);
  const { parameters, size } = layOut(specs);
  const forward = createForward(tf, sizes);
  const state: PhylogenyCheckpoint = options.resume ?? {
    epoch: 0,
    weights: startParameters(specs, options.seed),
    adam: startAdam(size),
    average: startParameters(specs, options.seed),
    best: new Float32Array(size),
    bestError: Number.POSITIVE_INFINITY,
    sinceBest: 0,
  };
  const toModel = (weights: Float32Array): PhylogenyModel => ({
    sizes,
    nodeScale,
    pairScale,
    weights,
    calibration: { slope: 1, intercept: 0 },
  });

  const learnFrom = (set: LabelledSet, seed: number, rate: number): number => {
    const { dense, target } = prepare(set, seed);
    const { loss, gradient } = tf.tidy(() => {
      const tensors = parameters.map((p) =>
        tf.tensor(state.weights.subarray(p.offset, p.offset + p.size), p.shape),
      );
      const wanted = tf.tensor2d(target, [dense.count, dense.count + 1]);
      const lossOf = (...values: Tensor[]) => {
        const byName = new Map(parameters.map((p, i) => [p.name, values[i]!]));
        const logits = forward(dense, (name) => byName.get(name)!);
        // any true parent will do: a merge has several
        const chosen = tf.logSumExp(tf.add(logits, wanted), 1);
        return tf.mean(tf.sub(tf.logSumExp(logits, 1), chosen)) as ReturnType<typeof tf.scalar>;
      };
      const { value, grads } = tf.valueAndGrads(lossOf)(tensors);
      const flat = new Float32Array(size);
      grads.forEach((g, i) => {
        flat.set(g.dataSync() as Float32Array, parameters[i]!.offset);
      });
      return { loss: (value.dataSync() as Float32Array)[0]!, gradient: flat };
    });
    stepAdam(state.weights, gradient, state.adam, { rate, decay: 0.01, maxNorm: 2 });
    const kept = Math.min(AVERAGED, (1 + state.adam.step) / (10 + state.adam.step));
    for (let i = 0; i < size; i++)
      state.average[i] = kept * state.average[i]! + (1 - kept) * state.weights[i]!;
    return loss;
  };

  while (state.epoch < options.epochs && state.sinceBest < options.patience) {
    options.signal?.throwIfAborted();
    const order = shuffle(sets.length, createRandom(options.seed * 7919 + state.epoch));
    // cosine from the full rate to a fiftieth
    const rate = options.rate * (0.02 + 0.49 * (1 + Math.cos((Math.PI * state.epoch) / options.epochs)));
    let sum = 0;
    for (const i of order) {
      options.signal?.throwIfAborted();
      sum += learnFrom(sets[i]!, options.seed * 104_729 + state.epoch * 7919 + i, rate);
      // progress, signals and timers get their turn
      await new Promise((resolve) => setImmediate(resolve));
    }
    state.epoch++;
    const { loss, strict, right } = measureAccuracy(heldOut, (set) =>
      scorePairs(toFeatures(set.table), toModel(state.average)),
    );
    // by answers, ties by loss: late epochs grow too sure of themselves, which the calibration takes back
    const error = 1 - right + 1e-3 * loss;
    const better = error < state.bestError;
    if (better) {
      state.bestError = error;
      state.best = state.average.slice();
      state.sinceBest = 0;
    } else state.sinceBest++;
    await options.onEpoch?.(
      {
        epoch: state.epoch,
        epochs: options.epochs,
        trainLoss: sum / sets.length,
        heldOutLoss: loss,
        heldOutAccuracy: strict,
        best: better,
      },
      () => structuredClone(state),
    );
  }
  return toModel(state.best);
}

/** 0 at true parents (or at "none" where there are none), -1e9 elsewhere: added to logits before a log-sum-exp. */
function toTarget({ table, parents }: LabelledSet): Float32Array {
  const n = table.repos.length;
  const target = new Float32Array(n * (n + 1)).fill(-1e9);
  parents.forEach((row, child) => {
    if (row.length === 0) target[child * (n + 1) + n] = 0;
    for (const parent of row) target[child * (n + 1) + parent] = 0;
  });
  return target;
}

function fitScale(blocks: readonly Float32Array[], width: number): FeatureScale {
  const mean = new Float32Array(width);
  const sd = new Float32Array(width);
  for (let k = 0; k < width; k++) {
    let count = 0;
    let sum = 0;
    let squares = 0;
    for (const block of blocks)
      for (let i = k; i < block.length; i += width) {
        count++;
        sum += block[i]!;
        squares += block[i]! ** 2;
      }
    mean[k] = sum / (count || 1);
    sd[k] = Math.sqrt(Math.max(0, squares / (count || 1) - mean[k]! ** 2)) + 1e-3;
  }
  return { mean, sd };
}

function shuffle(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
