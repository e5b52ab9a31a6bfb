export { layerOf, roleOf } from './canonical/index.ts';
export { type Candidate, chooseFiles } from './choose-files.ts';
export { DTYPE_BITS, decodeValues, itemBytes, toDType } from './dtypes.ts';
export { encodeValues } from './encode.ts';
export type { KnownFacts } from './facts.ts';
export { ROUND_TRIP, SCALAR_BYTES } from './gguf/index.ts';
export { openModel } from './open-model.ts';
export {
  layoutSafetensors,
  type SafetensorsLayout,
  type TensorLayout,
  type TensorToWrite,
  writeSafetensors,
} from './safetensors/write.ts';
