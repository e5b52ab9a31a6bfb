import { HublineageError } from '../types/errors.ts';
import type { DType } from '../types/weights.ts';
import { DTYPE_BITS, itemBytes } from './dtypes.ts';

const asFloat = new Float32Array(1);
const asWord = new Uint32Array(asFloat.buffer);

function toBits(value: number): number {
  asFloat[0] = value;
  return asWord[0] as number;
}

/** To the nearest whole number, halves to the even one (IEEE 754's default). */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest > 0.5 ? floor + 1 : floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** float32 -> bfloat16 bits, nearest even; NaN stays NaN. */
export function toBf16(value: number): number {
  const bits = toBits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** float32 -> IEEE binary16 bits, nearest even; overflow to infinity. */
export function toF16(value: number): number {
  const bits = toBits(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // Below 2^-14 the spacing is 2^-24: float32 values times 2^24 are exact in double.
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(asFloat[0] as number) * 2 ** 24);
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

const FLOAT8 = {
  F8_E4M3: { mantissaBits: 3, bias: 7, maxCode: 0x7e, overflow: 0x7f, fnuz: false },
  F8_E5M2: { mantissaBits: 2, bias: 15, maxCode: 0x7b, overflow: 0x7c, fnuz: false },
  F8_E4M3FNUZ: { mantissaBits: 3, bias: 8, maxCode: 0x7f, overflow: null, fnuz: true },
  F8_E5M2FNUZ: { mantissaBits: 2, bias: 16, maxCode: 0x7f, overflow: null, fnuz: true },
} as const;
type Float8 = keyof typeof FLOAT8;

/** float32 -> 8-bit float, nearest even. As torch: no saturation, overflow is NaN (infinity in E5M2). */
function toFloat8(value: number, dtype: Float8): number {
  const { mantissaBits, bias, maxCode, overflow, fnuz } = FLOAT8[dtype];
  const nan = fnuz ? 0x80 : 0x7f;
  const exact = Math.fround(value);
  if (Number.isNaN(exact)) return nan;
  const size = Math.abs(exact);
  const sign = exact < 0 || Object.is(exact, -0) ? 0x80 : 0;
  const exponent = size === 0 ? 1 - bias : Math.max(Math.floor(Math.log2(size)), 1 - bias);
  if (exponent > bias + 2) return overflow === null ? nan : sign | overflow;
  const steps = roundHalfEven(size / 2 ** (exponent - mantissaBits));
  // The mantissa's carry runs into the exponent by itself.
  const code = ((exponent + bias - 1) << mantissaBits) + steps;
  if (code > maxCode) return overflow === null ? nan : sign | overflow;
  return fnuz && code === 0 ? 0 : sign | code;
}

/** Encodes float values as little-endian `dtype`, rounding to nearest even; whole-number dtypes clamp to their range. */
export function encodeValues(dtype: DType, values: ArrayLike<number>): Uint8Array {
  const size = itemBytes(dtype);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  const write = writerOf(dtype);
  for (let i = 0; i < values.length; i++) write(view, i * size, values[i] as number);
  return bytes;
}

type Writer = (view: DataView, at: number, value: number) => void;

function writerOf(dtype: DType): Writer {
  switch (dtype) {
    case 'F64':
      return (view, at, value) => view.setFloat64(at, value, true);
    case 'F32':
      return (view, at, value) => view.setFloat32(at, value, true);
    case 'F16':
      return (view, at, value) => view.setUint16(at, toF16(value), true);
    case 'BF16':
      return (view, at, value) => view.setUint16(at, toBf16(value), true);
    case 'F8_E4M3':
    case 'F8_E5M2':
    case 'F8_E4M3FNUZ':
    case 'F8_E5M2FNUZ':
      return (view, at, value) => view.setUint8(at, toFloat8(value, dtype));
    case 'BOOL':
      return (view, at, value) => view.setUint8(at, value === 0 ? 0 : 1);
    case 'I64':
      return (view, at, value) => view.setBigInt64(at, BigInt(roundHalfEven(value)), true);
    case 'U64':
      return (view, at, value) => view.setBigUint64(at, BigInt(Math.max(0, roundHalfEven(value))), true);
    case 'I8':
    case 'I16':
    case 'I32':
    case 'U8':
    case 'U16':
    case 'U32':
      return (view, at, value) => writeInteger(view, at, dtype, value);
    default:
      throw new HublineageError('DtypeUnknown', `values cannot be written as ${dtype}`);
  }
}

function writeInteger(view: DataView, at: number, dtype: DType, value: number): void {
  const bits = DTYPE_BITS[dtype];
  const signed = dtype.startsWith('I');
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const whole = Math.min(Math.max(roundHalfEven(value), low), low + 2 ** bits - 1);
  if (bits === 8) view.setUint8(at, whole & 0xff);
  else if (bits === 16) view.setUint16(at, whole & 0xffff, true);
  else view.setUint32(at, whole >>> 0, true);
}
