export { BACKENDS, type Backend, type BackendName, loadBackend, type Tensorflow } from './backend.ts';
export { fitCalibration, pairLogOdds } from './phylogeny/calibrate.ts';
export { type DetectorScore, measureAccuracy, type Share } from './phylogeny/evaluate.ts';
export { type SetFeatures, toFeatures } from './phylogeny/features.ts';
export { measureSet } from './phylogeny/measure-set.ts';
export type { PhylogenyModel } from './phylogeny/model.ts';
export {
  fromCheckpointFile,
  fromModelFiles,
  toCheckpointFile,
  toModelFiles,
} from './phylogeny/model-codec.ts';
export {
  createPhylogenyScorer,
  PHYLOGENY_DETECTOR,
  phylogenyDetector,
} from './phylogeny/phylogeny-scorer.ts';
export { rateNearestEarlier } from './phylogeny/rate-nearest-earlier.ts';
export { type PairLogits, scorePairs } from './phylogeny/score-pairs.ts';
export type { SetTable } from './phylogeny/set-table.ts';
export { fromSetsFile, toSetsFile } from './phylogeny/sets-codec.ts';
export {
  type EpochProgress,
  type LabelledSet,
  type PhylogenyCheckpoint,
  type TrainOptions,
  trainPhylogeny,
} from './phylogeny/train.ts';
