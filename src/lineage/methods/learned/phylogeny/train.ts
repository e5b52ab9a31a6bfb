import type { Scalar } from '@tensorflow/tfjs';
import { createNormal, createRandom } from '../../../numeric/random.ts';
import type { Backend } from '../backend.ts';
import { startParameters } from '../tensor-spec.ts';
import { type TrainOptions, trainInEpochs } from '../train-in-epochs.ts';
import { startTraining } from '../training-state.ts';
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

/** Share of columns switched off in a step, and noise in standard deviations. */
const DROPPED_COLUMNS = 0.1;
const NOISE = 0.1;
/** Share of the averaged weights kept a step. */
const AVERAGED = 0.997;

/**
 * Trains on whole sets, one a step, and keeps the weights with the most right answers on the held-out sets. Same data, seed and backend,
 * same weights; interrupted between epochs and resumed, the same too.
 */
export async function trainPhylogeny(
  training: readonly LabelledSet[],
  heldOut: readonly LabelledSet[],
  { tf }: Backend,
  options: TrainOptions & { sizes?: PhylogenySizes },
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
  const forward = createForward(tf, sizes);
  const toModel = (weights: Float32Array): PhylogenyModel => ({
    sizes,
    nodeScale,
    pairScale,
    weights,
    calibration: { slope: 1, intercept: 0 },
  });

  const state = options.resume ?? startTraining(startParameters(specs, options.seed), options);
  const best = await trainInEpochs(
    tf,
    state,
    {
      specs,
      averaged: AVERAGED,
      *drawSteps(epoch) {
        for (const i of shuffle(sets.length, createRandom(options.seed * 7919 + epoch)))
          yield prepare(sets[i]!, options.seed * 104_729 + epoch * 7919 + i);
      },
      lossOf({ dense, target }, parameter) {
        const logits = forward(dense, parameter);
        // any true parent will do: a merge has several
        const wanted = tf.tensor2d(target, [dense.count, dense.count + 1]);
        const chosen = tf.logSumExp(tf.add(logits, wanted), 1);
        return tf.mean(tf.sub(tf.logSumExp(logits, 1), chosen)) as Scalar;
      },
      judge(weights) {
        const { loss, strict, right } = measureAccuracy(heldOut, (set) =>
          scorePairs(toFeatures(set.table), toModel(weights)),
        );
        // by answers, ties by loss: late epochs grow too sure of themselves, which the calibration takes back
        return { error: 1 - right + 1e-3 * loss, loss, strict };
      },
    },
    options,
  );
  return toModel(best);
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
