export { type Calibration, DEFAULT_CALIBRATION } from './calibration.ts';
export { type BlockConclusions, type BlockTask, concludeBlock } from './conclude-block.ts';
export { explainPair, type PairSide } from './explain-pair.ts';
export { createGate, type Gate, nextTurn } from './gate.ts';
export { checkLineageMethod, inferLineage, LINEAGE_METHODS } from './infer-lineage.ts';
export type { InferenceMemory } from './memory.ts';
export * from './methods/learned/index.ts';
export * from './methods/phylolm/index.ts';
export { createSampleCache } from './model-samples.ts';
export type {
  BlockRunner,
  LineageMethod,
  LineageOptions,
  PositionsOf,
  RoundTrip,
  SamplePositions,
} from './options.ts';
export { type Placement, placeModel, type Relative } from './place-model.ts';
export { type ComparedModel, relatedness } from './relatedness.ts';
export { LINEAGE_VERSION } from './version.ts';
