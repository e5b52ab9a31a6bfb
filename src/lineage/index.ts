export { type Calibration, DEFAULT_CALIBRATION } from './calibration.ts';
export { explainPair, type PairSide } from './explain-pair.ts';
export { checkLineageMethod, inferLineage, LINEAGE_METHODS } from './infer-lineage.ts';
export type { InferenceMemory } from './memory.ts';
export * from './methods/learned/index.ts';
export * from './methods/phylolm/index.ts';
export type {
  LineageMethod,
  LineageOptions,
  PositionsOf,
  RoundTrip,
  SamplePositions,
} from './options.ts';
export { type Placement, placeModel, type Relative } from './place-model.ts';
export { type ComparedModel, relatedness } from './relatedness.ts';
export { LINEAGE_VERSION } from './version.ts';
