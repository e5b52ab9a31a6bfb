import type { Scalar, Tensor } from '@tensorflow/tfjs';
import { HublineageError } from '../../../types/errors.ts';
import { stepAdam } from './adam.ts';
import type { Tensorflow } from './backend.ts';
import { layOut, type ParameterSpec } from './tensor-spec.ts';
import type { TrainingState } from './training-state.ts';

export interface EpochProgress {
  epoch: number;
  epochs: number;
  trainLoss: number;
  heldOutLoss: number;
  heldOutAccuracy: number;
  best: boolean;
}

export interface TrainOptions {
  seed: number;
  epochs: number;
  rate: number;
  /** epochs without a better answer on the held-out sets before it stops */
  patience: number;
  /** goes on from here; the rest of the run is the one that was interrupted */
  resume?: TrainingState;
  /** told after every epoch; a promise is waited for (checkpoints) */
  onEpoch?: (progress: EpochProgress, checkpoint: () => TrainingState) => void | Promise<void>;
  signal?: AbortSignal;
}

/** What one network adds to the loop. */
export interface Training<Step> {
  specs: readonly ParameterSpec[];
  /** share of the averaged weights kept a step: the average generalises better than any one step's weights */
  averaged: number;
  /** what is learned from in an epoch, in order: everything drawn must follow from the seed and the epoch */
  drawSteps: (epoch: number) => Iterable<Step>;
  /** mean loss of a step, with the parameters by name */
  lossOf: (step: Step, parameter: (name: string) => Tensor) => Scalar;
  /** judges weights on the held-out sets; the smallest error is kept */
  judge: (weights: Float32Array) => { error: number; loss: number; strict: number };
}

/**
 * The loop both detectors are trained by: Adam with a cosine rate and averaged weights, judged after every epoch, stopped early, and
 * resumable between epochs with the same result bit for bit. Works on `state` in place and @returns its best weights. UsageInvalid for the
 * state of a run with another seed or number of epochs.
 */
export async function trainInEpochs<Step>(
  tf: Tensorflow,
  state: TrainingState,
  { specs, averaged, drawSteps, lossOf, judge }: Training<Step>,
  options: TrainOptions,
): Promise<Float32Array> {
  const { parameters, size } = layOut(specs);
  if (state.seed !== options.seed || state.epochs !== options.epochs)
    throw new HublineageError('UsageInvalid', 'the checkpoint belongs to another run', {
      hint: `go on with --seed ${state.seed} --epochs ${state.epochs}, or begin anew without --resume`,
    });

  const learnFrom = (step: Step, rate: number): number => {
    const { loss, gradient } = tf.tidy(() => {
      const tensors = parameters.map((p) =>
        tf.tensor(state.weights.subarray(p.offset, p.offset + p.size), p.shape),
      );
      const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
        const byName = new Map(parameters.map((p, i) => [p.name, values[i]!]));
        return lossOf(step, (name) => byName.get(name)!);
      })(tensors);
      const flat = new Float32Array(size);
      grads.forEach((g, i) => {
        flat.set(g.dataSync() as Float32Array, parameters[i]!.offset);
      });
      return { loss: (value.dataSync() as Float32Array)[0]!, gradient: flat };
    });
    stepAdam(state.weights, gradient, state.adam, { rate, decay: 0.01, maxNorm: 2 });
    // the first steps are forgotten sooner
    const kept = Math.min(averaged, (1 + state.adam.step) / (10 + state.adam.step));
    for (let i = 0; i < size; i++)
      state.average[i] = kept * state.average[i]! + (1 - kept) * state.weights[i]!;
    return loss;
  };

  while (state.epoch < options.epochs && state.sinceBest < options.patience) {
    options.signal?.throwIfAborted();
    // cosine from the full rate to a fiftieth
    const rate = options.rate * (0.02 + 0.49 * (1 + Math.cos((Math.PI * state.epoch) / options.epochs)));
    let sum = 0;
    let steps = 0;
    for (const step of drawSteps(state.epoch)) {
      options.signal?.throwIfAborted();
      sum += learnFrom(step, rate);
      steps++;
      // progress, signals and timers get their turn
      await new Promise((resolve) => setImmediate(resolve));
    }
    state.epoch++;
    const { error, loss, strict } = judge(state.average);
    const best = error < state.bestError;
    if (best) {
      state.bestError = error;
      state.best = state.average.slice();
      state.sinceBest = 0;
    } else state.sinceBest++;
    await options.onEpoch?.(
      {
        epoch: state.epoch,
        epochs: options.epochs,
        trainLoss: sum / (steps || 1),
        heldOutLoss: loss,
        heldOutAccuracy: strict,
        best,
      },
      () => structuredClone(state),
    );
  }
  return state.best;
}
