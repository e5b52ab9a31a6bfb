export { type DetectorFigures, type DetectorRow, evaluateDetector } from './evaluate-detector.ts';
export { DETECTOR_FOLDER, readPhylogenyModel } from './files.ts';
export { type TrainDetectorOptions, type TrainedDetector, trainDetector } from './train-detector.ts';
