import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Backend,
  type BackendName,
  type EpochProgress,
  fitCalibration,
  fromCheckpointFile,
  fromLineageCheckpointFile,
  type LabelledImages,
  type LabelledSet,
  loadBackend,
  measureAccuracy,
  measureLineage,
  scorePairs,
  type TrainingState,
  type TrainOptions,
  toCheckpointFile,
  toFeatures,
  toLineageCheckpointFile,
  trainLineage,
  trainPhylogeny,
} from '../../lineage/index.ts';
import { HublineageError, isHublineageError } from '../../types/errors.ts';
import {
  DETECTOR_FOLDER,
  readImages,
  readSets,
  readSmall,
  writeLineageModel,
  writePhylogenyModel,
  writeWhole,
} from './files.ts';

export const DETECTOR_KINDS = ['phylogeny', 'lineage'] as const;
export type DetectorKind = (typeof DETECTOR_KINDS)[number];

export interface TrainDetectorOptions {
  kind: DetectorKind;
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
  kind: DetectorKind;
  backend: BackendName;
  epochs: number;
  heldOutLoss: number;
  heldOutAccuracy: number;
  files: string[];
}

/** Families that were really trained are few: they are shown as often as this many generated ones. */
const REPEATS_OF_REAL = 3;
const PATIENCE = 6;

/** What one kind needs to be trained; `Set` is its own. */
interface Recipe<Set> {
  read: (folder: string, name: string) => Promise<Set[]>;
  fromCheckpoint: (bytes: Uint8Array) => TrainingState;
  toCheckpoint: (state: TrainingState) => Uint8Array;
  rate: number;
  /** trains, writes the files, and tells how it does on the held-out sets */
  train: (
    training: Set[],
    stop: Set[],
    backend: Backend,
    run: TrainOptions,
    write: { folder: string; facts: () => Record<string, unknown> },
  ) => Promise<{ loss: number; strict: number; files: string[] }>;
}

const PHYLOGENY: Recipe<LabelledSet> = {
  read: readSets,
  fromCheckpoint: fromCheckpointFile,
  toCheckpoint: toCheckpointFile,
  rate: 2e-3,
  async train(training, stop, backend, run, { folder, facts }) {
    const model = await trainPhylogeny(training, stop, backend, run);
    const rate = (set: LabelledSet) => scorePairs(toFeatures(set.table), model);
    model.calibration = fitCalibration(stop, rate);
    await writePhylogenyModel(folder, model, facts());
    const { loss, strict } = measureAccuracy(stop, rate);
    return { loss, strict, files: ['phylogeny.json', 'phylogeny.bin'] };
  },
};

const LINEAGE: Recipe<LabelledImages> = {
  read: readImages,
  fromCheckpoint: fromLineageCheckpointFile,
  toCheckpoint: toLineageCheckpointFile,
  rate: 3e-3,
  async train(training, stop, backend, run, { folder, facts }) {
    const model = await trainLineage(training, stop, backend, run);
    await writeLineageModel(folder, model, facts());
    const { loss, strict } = measureLineage(stop, model);
    return { loss, strict, files: ['lineage.bin'] };
  },
};

/**
 * Trains a detector on the shipped sets and writes its weights and, after every epoch, a checkpoint. Interrupted (and the checkpoint
 * kept) when the signal fires.
 */
export function trainDetector(options: TrainDetectorOptions): Promise<TrainedDetector> {
  return options.kind === 'phylogeny' ? trainWith(PHYLOGENY, options) : trainWith(LINEAGE, options);
}

async function trainWith<Set>(recipe: Recipe<Set>, options: TrainDetectorOptions): Promise<TrainedDetector> {
  const { kind, out } = options;
  const data = options.data ?? DETECTOR_FOLDER;
  const checkpoint = join(out, `${kind}.checkpoint`);
  const real = await recipe.read(data, `${kind}-zoo-train`).catch((error: unknown) => {
    if (isHublineageError(error, 'FileMissing')) return [];
    throw error;
  });
  const training = await recipe.read(data, `${kind}-train`);
  for (let i = 0; i < REPEATS_OF_REAL; i++) training.push(...real);
  const stop = await recipe.read(data, `${kind}-stop`);
  const resume = options.resume ? recipe.fromCheckpoint(await readSmall(checkpoint)) : undefined;
  const backend = await loadBackend(options.backend);
  await mkdir(out, { recursive: true });
  let epochs = resume?.epoch ?? 0;
  const run: TrainOptions = {
    rate: recipe.rate,
    seed: options.seed,
    epochs: options.epochs,
    patience: PATIENCE,
    ...(resume ? { resume } : {}),
    signal: options.signal,
    onEpoch: async (progress, state) => {
      epochs = progress.epoch;
      options.onEpoch(progress);
      await writeWhole(checkpoint, recipe.toCheckpoint(state()));
    },
  };
  const facts = () => ({ seed: options.seed, epochs, backend: backend.name, sets: training.length });
  const { loss, strict, files } = await recipe
    .train(training, stop, backend, run, { folder: out, facts })
    .catch((error: unknown) => {
      if (!options.signal.aborted) throw error;
      throw new HublineageError('Interrupted', 'training was interrupted', {
        where: checkpoint,
        hint: 'go on with --resume and the same --kind, --seed, --epochs and --out',
        cause: error,
      });
    });
  await rm(checkpoint, { force: true });
  return {
    kind,
    backend: backend.name,
    epochs,
    heldOutLoss: loss,
    heldOutAccuracy: strict,
    files: files.map((name) => join(out, name)),
  };
}
