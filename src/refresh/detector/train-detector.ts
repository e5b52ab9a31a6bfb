import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BackendName,
  type EpochProgress,
  fitCalibration,
  fromCheckpointFile,
  loadBackend,
  measureAccuracy,
  scorePairs,
  toCheckpointFile,
  toFeatures,
  trainPhylogeny,
} from '../../lineage/index.ts';
import { HublineageError, isHublineageError } from '../../types/errors.ts';
import { DETECTOR_FOLDER, readSets, readSmall, writePhylogenyModel, writeWhole } from './files.ts';

export interface TrainDetectorOptions {
  /** where the training sets are; default: the package's own */
  data?: string;
  /** where weights and checkpoints go */
  out: string;
  seed: number;
  epochs: number;
  /** goes on from the checkpoint in `out` */
  resume: boolean;
  backend?: BackendName;
  signal: AbortSignal;
  onEpoch: (progress: EpochProgress) => void;
}

export interface TrainedDetector {
  backend: BackendName;
  epochs: number;
  heldOutLoss: number;
  heldOutAccuracy: number;
  files: string[];
}

const RATE = 2e-3;
const PATIENCE = 6;
/** Families that were really trained are few: they are shown as often as this many generated ones. */
const REPEATS_OF_REAL = 3;

/**
 * Trains the phylogeny detector on the shipped sets and writes `phylogeny.json`, `phylogeny.bin` and, after every epoch, a checkpoint.
 * Interrupted (and the checkpoint kept) when the signal fires.
 */
export async function trainDetector(options: TrainDetectorOptions): Promise<TrainedDetector> {
  const data = options.data ?? DETECTOR_FOLDER;
  const checkpoint = join(options.out, 'phylogeny.checkpoint');
  const real = await readSets(data, 'phylogeny-zoo-train').catch((error: unknown) => {
    if (isHublineageError(error, 'FileMissing')) return [];
    throw error;
  });
  const training = await readSets(data, 'phylogeny-train');
  for (let i = 0; i < REPEATS_OF_REAL; i++) training.push(...real);
  const stop = await readSets(data, 'phylogeny-stop');
  const resume = options.resume ? fromCheckpointFile(await readSmall(checkpoint)) : undefined;
  const backend = await loadBackend(options.backend);
  await mkdir(options.out, { recursive: true });
  let last: EpochProgress | null = null;
  const model = await trainPhylogeny(training, stop, backend, {
    seed: options.seed,
    epochs: options.epochs,
    rate: RATE,
    patience: PATIENCE,
    ...(resume ? { resume } : {}),
    signal: options.signal,
    onEpoch: async (progress, state) => {
      last = progress;
      options.onEpoch(progress);
      await writeWhole(checkpoint, toCheckpointFile(state()));
    },
  }).catch((error: unknown) => {
    if (!options.signal.aborted) throw error;
    throw new HublineageError('Interrupted', 'training was interrupted', {
      where: checkpoint,
      hint: 'go on with --resume and the same --seed, --epochs and --out',
      cause: error,
    });
  });
  const rate = (set: (typeof stop)[number]) => scorePairs(toFeatures(set.table), model);
  model.calibration = fitCalibration(stop, rate);
  const { loss, strict } = measureAccuracy(stop, rate);
  await writePhylogenyModel(options.out, model, {
    seed: options.seed,
    epochs: last === null ? (resume?.epoch ?? 0) : (last as EpochProgress).epoch,
    backend: backend.name,
    sets: training.length,
    heldOutLoss: loss,
  });
  await rm(checkpoint, { force: true });
  return {
    backend: backend.name,
    epochs: last === null ? (resume?.epoch ?? 0) : (last as EpochProgress).epoch,
    heldOutLoss: loss,
    heldOutAccuracy: strict,
    files: ['phylogeny.json', 'phylogeny.bin'].map((name) => join(options.out, name)),
  };
}
