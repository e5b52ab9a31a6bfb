export { openGguf } from './open-gguf.ts';
export { SCALAR_BYTES } from './parse-values.ts';
export {
  type BlockType,
  dequantise,
  type QuantisedBlocks,
  quantise,
  ROUND_TO_NEAREST_TYPES,
  ROUND_TRIP,
  type RoundToNearestType,
  toBlockBytes,
} from './quantize.ts';
export { toGgufWeights } from './to-model-weights.ts';
export type { GgufContents, GgufTensor, GgufValue } from './types.ts';
