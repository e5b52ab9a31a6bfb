export {
  decodeCore,
  decodeFingerprint,
  decodeSamples,
  type EncodedFingerprint,
  encodeFingerprint,
} from './codec.ts';
export { CORE_VALUES } from './core.ts';
export { fingerprintModel, planModel } from './fingerprint-model.ts';
export { type MeteredFiles, meterFiles, type ReadUsage } from './meter.ts';
export { type Segment, samplePositions } from './positions.ts';
export {
  DEFAULT_SAMPLING,
  type SamplingBudget,
  type SamplingOptions,
  type SamplingScheme,
  SCHEME_VERSION,
  schemeId,
} from './scheme.ts';
