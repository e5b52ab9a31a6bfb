import { HublineageError } from '../types/errors.ts';
import type { DType } from '../types/weights.ts';

/** Bits of one stored value; names and widths are those of safetensors 0.6. */
export const DTYPE_BITS: Readonly<Record<DType, number>> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  C64: 64,
};

/** Spellings met in files beside the reference list. */
const ALIASES: Readonly<Record<string, DType>> = {
  F8_E4M3FN: 'F8_E4M3',
  F8_E5M2FN: 'F8_E5M2',
  E8M0: 'F8_E8M0',
  UE8: 'F8_E8M0',
};

/** The DType a file's spelling stands for, or null. */
export function toDType(text: string): DType | null {
  if (Object.hasOwn(DTYPE_BITS, text)) return text as DType;
  return Object.hasOwn(ALIASES, text) ? (ALIASES[text] ?? null) : null;
}

/** Bytes of one value; throws DtypeUnknown for dtypes narrower than a byte. */
export function itemBytes(dtype: DType): number {
  const bits = DTYPE_BITS[dtype];
  if (bits % 8 !== 0) throw new HublineageError('DtypeUnknown', `${dtype} values are not whole bytes`);
  return bits / 8;
}

/** True when `decodeValues` can read it: every whole-byte real dtype. */
export function isDecodable(dtype: DType): boolean {
  return DTYPE_BITS[dtype] % 8 === 0 && dtype !== 'C64';
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

const fromBits = (bits: number): number => {
  word[0] = bits;
  return wordAsFloat[0] as number;
};

/** IEEE binary16 bits to their value, exact. */
export function fromF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * The 256 values of an 8-bit float (OCP FP8; FNUZ variants of arXiv:2206.02915: bias one higher, 0x80 is the only NaN, no -0).
 * E4M3 has no infinities (S.1111.111 is NaN); E5M2 follows IEEE.
 */
function createFloat8Table(exponentBits: 4 | 5, fnuz: boolean): Float32Array {
  const mantissaBits = 7 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - (fnuz ? 0 : 1);
  const maxExponent = 2 ** exponentBits - 1;
  return Float32Array.from({ length: 256 }, (_, code) => {
    const sign = code & 0x80 ? -1 : 1;
    const exponent = (code & 0x7f) >> mantissaBits;
    const mantissa = code & (2 ** mantissaBits - 1);
    if (fnuz && code === 0x80) return Number.NaN;
    if (!fnuz && exponentBits === 4 && (code & 0x7f) === 0x7f) return Number.NaN;
    if (!fnuz && exponentBits === 5 && exponent === maxExponent) {
      return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    }
    const unit = 2 ** (1 - bias - mantissaBits);
    if (exponent === 0) return sign * mantissa * unit;
    return sign * (2 ** mantissaBits + mantissa) * unit * 2 ** (exponent - 1);
  });
}

/** Code -> value, for the four 8-bit floats and the power-of-two scale. */
const BYTE_FLOAT_TABLES: Readonly<
  Record<'F8_E4M3' | 'F8_E5M2' | 'F8_E4M3FNUZ' | 'F8_E5M2FNUZ' | 'F8_E8M0', Float32Array>
> = {
  F8_E4M3: createFloat8Table(4, false),
  F8_E5M2: createFloat8Table(5, false),
  F8_E4M3FNUZ: createFloat8Table(4, true),
  F8_E5M2FNUZ: createFloat8Table(5, true),
  F8_E8M0: Float32Array.from({ length: 256 }, (_, code) => (code === 255 ? Number.NaN : 2 ** (code - 127))),
};

/**
 * `count` little-endian values from the start of `bytes`. Exact for every format that fits in float32; F64, I32, I64, U32 and U64
 * are rounded to the nearest float32. BOOL gives 0 or 1. DtypeUnknown for sub-byte and complex dtypes, BodyTruncated when bytes run short.
 */
export function decodeValues(dtype: DType, bytes: Uint8Array, count: number): Float32Array {
  if (!isDecodable(dtype)) throw new HublineageError('DtypeUnknown', `${dtype} values cannot be decoded`);
  const size = itemBytes(dtype);
  if (bytes.length < count * size) {
    throw new HublineageError(
      'BodyTruncated',
      `${count} ${dtype} values need ${count * size} bytes, got ${bytes.length}`,
    );
  }
  const values = new Float32Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readerOf(dtype, view);
  for (let i = 0; i < count; i++) values[i] = read(i);
  return values;
}

function readerOf(dtype: DType, view: DataView): (index: number) => number {
  switch (dtype) {
    case 'F64':
      return (i) => view.getFloat64(i * 8, true);
    case 'F32':
      return (i) => view.getFloat32(i * 4, true);
    case 'F16':
      return (i) => fromF16(view.getUint16(i * 2, true));
    case 'BF16':
      return (i) => fromBits(view.getUint16(i * 2, true) << 16);
    case 'F8_E4M3':
    case 'F8_E5M2':
    case 'F8_E4M3FNUZ':
    case 'F8_E5M2FNUZ':
    case 'F8_E8M0': {
      const table = BYTE_FLOAT_TABLES[dtype];
      return (i) => table[view.getUint8(i)] as number;
    }
    case 'I64':
      return (i) => Number(view.getBigInt64(i * 8, true));
    case 'I32':
      return (i) => view.getInt32(i * 4, true);
    case 'I16':
      return (i) => view.getInt16(i * 2, true);
    case 'I8':
      return (i) => view.getInt8(i);
    case 'U64':
      return (i) => Number(view.getBigUint64(i * 8, true));
    case 'U32':
      return (i) => view.getUint32(i * 4, true);
    case 'U16':
      return (i) => view.getUint16(i * 2, true);
    case 'U8':
      return (i) => view.getUint8(i);
    case 'BOOL':
      return (i) => (view.getUint8(i) === 0 ? 0 : 1);
    default:
      throw new HublineageError('DtypeUnknown', `${dtype} values cannot be decoded`);
  }
}
