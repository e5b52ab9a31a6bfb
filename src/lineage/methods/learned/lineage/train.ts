import type { Scalar, Tensor } from '@tensorflow/tfjs';
import { createRandom } from '../../../numeric/random.ts';
import type { Backend } from '../backend.ts';
import { measureAccuracy } from '../phylogeny/evaluate.ts';
import type { PairLogits } from '../phylogeny/score-pairs.ts';
import { completePairs } from '../phylogeny/sets-codec.ts';
import type { LabelledSet } from '../phylogeny/train.ts';
import { startParameters, viewParameters } from '../tensor-spec.ts';
import { type TrainOptions, trainInEpochs } from '../train-in-epochs.ts';
import { startTraining } from '../training-state.ts';
import { createForward } from './forward.ts';
import { type ImageSet, imageDistance, toPairImages } from './images.ts';
import { lineageParameters, startDifferences } from './network.ts';
import { type LineageDetectorModel, rateCandidates } from './rate-candidates.ts';

/** Images of a family with what is known about it. */
export interface LabelledImages {
  family: string;
  images: ImageSet;
  /** true parents of each model by index */
  parents: readonly (readonly number[])[];
}

/** Children whose gradients are averaged in a step, and candidates a child is shown. */
const BATCH = 8;
const CANDIDATES = 11;
/** Share of the averaged weights kept a step. */
const AVERAGED = 0.99;

/** Trains on children, each with candidates that do not descend from it: in Neural Lineage's task the direction is given. */
export async function trainLineage(
  training: readonly LabelledImages[],
  heldOut: readonly LabelledImages[],
  { tf }: Backend,
  options: TrainOptions,
): Promise<LineageDetectorModel> {
  const specs = lineageParameters();
  const forward = createForward(tf);
  const first = startParameters(specs, options.seed);
  startDifferences(viewParameters(specs, first));
  // a root whose whole set descends from it is no question
  const questions = training.flatMap((set) =>
    set.parents.flatMap((_, child) => (eligible(set, child).length > 0 ? [{ set, child }] : [])),
  );

  const show = (batch: readonly { set: LabelledImages; child: number }[], random: () => number) =>
    batch.map(({ set, child }) => {
      const candidates = drawCandidates(set, child, random);
      const parents = set.parents[child]!;
      return {
        count: candidates.length,
        weights: toPairImages(set.images.weights, child, candidates),
        features: toPairImages(set.images.features, child, candidates),
        target: Float32Array.from({ length: candidates.length + 1 }, (_, k) =>
          (k < candidates.length ? parents.includes(candidates[k]!) : parents.length === 0) ? 0 : -1e9,
        ),
      };
    });
  const best = await trainInEpochs(
    tf,
    options.resume ?? startTraining(first, options),
    {
      specs,
      averaged: AVERAGED,
      *drawSteps(epoch) {
        const random = createRandom(options.seed * 7919 + epoch);
        const order = questions.map((q) => [random(), q] as const).sort((a, b) => a[0] - b[0]);
        for (let at = 0; at < order.length; at += BATCH)
          yield show(
            order.slice(at, at + BATCH).map(([, q]) => q),
            random,
          );
      },
      lossOf(shown, parameter) {
        let total: Tensor = tf.scalar(0);
        for (const child of shown) {
          const logits = forward(child, parameter);
          const right = tf.logSumExp(tf.add(logits, tf.tensor1d(child.target)));
          total = tf.add(total, tf.sub(tf.logSumExp(logits), right));
        }
        return tf.div(total, shown.length) as Scalar;
      },
      judge(weights) {
        const { loss, strict } = measureLineage(heldOut, { weights });
        return { error: loss, loss, strict };
      },
    },
    options,
  );
  return { weights: best };
}

/** Models that do not descend from the child: who may be asked about in the paper's task. */
function eligible({ parents }: LabelledImages, child: number): number[] {
  const below = new Set([child]);
  for (let grew = true; grew; ) {
    grew = false;
    parents.forEach((row, i) => {
      if (!below.has(i) && row.some((p) => below.has(p))) {
        below.add(i);
        grew = true;
      }
    });
  }
  return parents.map((_, i) => i).filter((i) => !below.has(i));
}

/** The true parents and, of the others, half the nearest and half anybody. */
function drawCandidates(set: LabelledImages, child: number, random: () => number): number[] {
  const all = eligible(set, child);
  const parents = set.parents[child]!.filter((p) => all.includes(p));
  const others = all
    .filter((i) => !parents.includes(i))
    .map((i) => [imageDistance(set.images.weights, i, child), i] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, i]) => i);
  const near = others.splice(0, CANDIDATES >> 1);
  while (parents.length + near.length < CANDIDATES && others.length > 0)
    near.push(...others.splice(Math.floor(random() * others.length), 1));
  return [...parents, ...near];
}

/** The paper's task on labelled sets, scored like every other method. */
export function measureLineage(sets: readonly LabelledImages[], model: LineageDetectorModel) {
  return measureTask(sets, (set, child, candidates) => {
    const logits = rateCandidates(set.images, child, candidates, model);
    return { candidates: logits.subarray(0, candidates.length), none: logits[candidates.length]! };
  });
}

/** Plain similarity on the same images: the nearest candidate in the weights of the one role. */
export function measurePlainSimilarity(sets: readonly LabelledImages[]) {
  return measureTask(sets, (set, child, candidates) => ({
    candidates: Float32Array.from(candidates, (c) => -imageDistance(set.images.weights, c, child)),
    none: -1e6,
  }));
}

function measureTask(
  sets: readonly LabelledImages[],
  rate: (
    set: LabelledImages,
    child: number,
    candidates: number[],
  ) => { candidates: Float32Array; none: number },
) {
  const byTable = new Map<LabelledSet, LabelledImages>();
  const asSets = sets.map((set): LabelledSet => {
    const labelled: LabelledSet = {
      family: set.family,
      parents: set.parents,
      table: {
        repos: set.images.repos,
        createdAt: set.images.createdAt,
        nodes: new Float32Array(0),
        pairs: new Float32Array(0),
        ...completePairs(set.images.repos.length),
      },
    };
    byTable.set(labelled, set);
    return labelled;
  });
  const rateSet = (labelled: LabelledSet): PairLogits => {
    const set = byTable.get(labelled)!;
    const { offsets, candidates } = labelled.table;
    const pairs = new Float32Array(candidates.length).fill(-1e9);
    const none = new Float32Array(set.parents.length);
    set.parents.forEach((_, child) => {
      const asked = eligible(set, child);
      if (asked.length === 0) return;
      const answer = rate(set, child, asked);
      none[child] = answer.none;
      for (let e = offsets[child]!; e < offsets[child + 1]!; e++) {
        const place = asked.indexOf(candidates[e]!);
        if (place >= 0) pairs[e] = answer.candidates[place]!;
      }
    });
    return { pairs, none };
  };
  return measureAccuracy(
    asSets,
    rateSet,
    (labelled, child) => eligible(byTable.get(labelled)!, child).length > 0,
  );
}
