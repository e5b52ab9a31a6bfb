export {
  fromGgufLlamaName,
  fromHfLlamaName,
  fromMetaLlamaName,
  rotaryProjectionOf,
} from './llama.ts';
export { layerOf, roleOf } from './roles.ts';
export { createInterleavedRowMap, type RowMap } from './rows.ts';
export { createCanonicalTensor, toCanonicalShape } from './tensor.ts';
export { fromDiffusersUnetName, fromLdmUnetNames } from './unet.ts';
