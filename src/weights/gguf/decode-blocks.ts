import { HublineageError } from '../../types/errors.ts';
import { decodeValues } from '../dtypes.ts';
import { K_QUANT_DECODERS } from './decode-k-quants.ts';
import { LEGACY_DECODERS } from './decode-legacy.ts';
import type { GgmlType } from './ggml-types.ts';

const DECODERS = { ...LEGACY_DECODERS, ...K_QUANT_DECODERS };

/** Codebook types (IQ1, IQ2, IQ3), ternary ones and NVFP4 are known by name and size only. */
export function canDecode(type: GgmlType): boolean {
  return type.plain || Object.hasOwn(DECODERS, type.name);
}

/** The values of whole blocks, float32 as ggml computes them. ContainerUnsupported for types without a decoder. */
export function decodeBlocks(type: GgmlType, bytes: Uint8Array, blocks: number): Float32Array {
  if (type.plain) return decodeValues(type.dtype, bytes, blocks);
  const decode = Object.hasOwn(DECODERS, type.name) ? DECODERS[type.name] : undefined;
  if (decode === undefined) {
    throw new HublineageError('ContainerUnsupported', `${type.name} values cannot be decoded`);
  }
  if (bytes.length < blocks * type.blockBytes) {
    throw new HublineageError(
      'BodyTruncated',
      `${blocks} ${type.name} blocks need ${blocks * type.blockBytes} bytes, got ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(blocks * type.blockValues);
  for (let block = 0; block < blocks; block++) {
    decode(view, block * type.blockBytes, values, block * type.blockValues);
  }
  return values;
}
