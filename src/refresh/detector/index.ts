export { type DetectorFigures, type DetectorRow, evaluateDetector } from './evaluate-detector.ts';
export { readLineageModel, readPhylogenyModel } from './files.ts';
export {
  DETECTOR_KINDS,
  type DetectorKind,
  type TrainDetectorOptions,
  type TrainedDetector,
  trainDetector,
} from './train-detector.ts';
