export { layerOf, roleOf } from './canonical/index.ts';
export { DTYPE_BITS, decodeValues, toDType } from './dtypes.ts';
