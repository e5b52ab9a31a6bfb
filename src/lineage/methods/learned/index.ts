export { BACKENDS, type Backend, type BackendName, loadBackend, type Tensorflow } from './backend.ts';
export { fromImagesFile, toImagesFile } from './lineage/images-codec.ts';
export { createLineageScorer, LINEAGE_DETECTOR, lineageDetector } from './lineage/lineage-scorer.ts';
export {
  fromLineageCheckpointFile,
  fromLineageModelFile,
  toLineageCheckpointFile,
  toLineageModelFile,
} from './lineage/model-codec.ts';
export type { LineageDetectorModel } from './lineage/rate-candidates.ts';
export {
  type LabelledImages,
  measureLineage,
  measurePlainSimilarity,
  trainLineage,
} from './lineage/train.ts';
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
export { type LabelledSet, trainPhylogeny } from './phylogeny/train.ts';
export type { EpochProgress, TrainOptions } from './train-in-epochs.ts';
export type { TrainingState } from './training-state.ts';
