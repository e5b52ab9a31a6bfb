import { type AdamState, startAdam } from './adam.ts';
import { fromFloatBytes, fromHeadedBytes, toFloatBytes, toHeadedBytes } from './headed-bytes.ts';

/** Everything that is needed to go on after an epoch. */
export interface TrainingState {
  /** of the run it belongs to: another seed or length draws and slows down otherwise */
  seed: number;
  epochs: number;
  epoch: number;
  weights: Float32Array;
  adam: AdamState;
  /** moving average of the weights: what is judged and kept */
  average: Float32Array;
  /** the average that did best on the held-out sets */
  best: Float32Array;
  /** what it was judged by, smaller is better */
  bestError: number;
  /** epochs since */
  sinceBest: number;
}

export function startTraining(
  weights: Float32Array,
  { seed, epochs }: Pick<TrainingState, 'seed' | 'epochs'>,
): TrainingState {
  return {
    seed,
    epochs,
    epoch: 0,
    weights: weights.slice(),
    adam: startAdam(weights.length),
    average: weights.slice(),
    best: weights.slice(),
    bestError: Number.POSITIVE_INFINITY,
    sinceBest: 0,
  };
}

/** A checkpoint: a line of JSON that begins with the format, then weights, Adam's two moments, the average and the best so far. */
export function toTrainingStateFile(format: string, state: TrainingState): Uint8Array {
  const { seed, epochs, epoch, bestError, sinceBest, weights, adam, average, best } = state;
  return toHeadedBytes(
    {
      format,
      seed,
      epochs,
      epoch,
      bestError: Number.isFinite(bestError) ? bestError : null,
      sinceBest,
      step: adam.step,
      size: weights.length,
    },
    toFloatBytes([weights, adam.first, adam.second, average, best]),
  );
}

/** The error of `refuse` for anything but a whole checkpoint of this format and number of weights. */
export function fromTrainingStateFile(
  bytes: Uint8Array,
  format: string,
  size: number,
  refuse: (why: string) => Error,
): TrainingState {
  const { head, body } = fromHeadedBytes(bytes, refuse);
  if (head.format !== format || head.size !== size) throw refuse('the checkpoint is of another version');
  const [weights, first, second, average, best] = fromFloatBytes(body, Array<number>(5).fill(size), refuse);
  const number = (value: unknown) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw refuse('a number is missing');
    return value;
  };
  return {
    seed: number(head.seed),
    epochs: number(head.epochs),
    epoch: number(head.epoch),
    bestError: head.bestError === null ? Number.POSITIVE_INFINITY : number(head.bestError),
    sinceBest: number(head.sinceBest),
    weights: weights!,
    adam: { step: number(head.step), first: first!, second: second! },
    average: average!,
    best: best!,
  };
}
