export { layerOf, roleOf } from './canonical/index.ts';
export { DTYPE_BITS, decodeValues, toDType } from './dtypes.ts';
export type { KnownFacts } from './facts.ts';
export { openModel } from './open-model.ts';
