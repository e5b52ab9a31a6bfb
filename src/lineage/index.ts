export { type Calibration, DEFAULT_CALIBRATION } from './calibration.ts';
export { inferLineage, LINEAGE_METHODS } from './infer-lineage.ts';
export type {
  LineageMethod,
  LineageOptions,
  PairExplanation,
  PositionsOf,
  RoundTrip,
  SamplePositions,
} from './options.ts';
export { type ComparedModel, relatedness } from './relatedness.ts';
export { LINEAGE_VERSION } from './version.ts';
