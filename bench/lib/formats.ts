/** Number formats of generated samples: rounding in place. */

export type StoredFormat = 'F32' | 'F16' | 'BF16';

const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** Round to nearest, ties to even. */
export function toBf16(value: number): number {
  scratch[0] = value;
  const b = bits[0]!;
  bits[0] = (b + 0x7fff + ((b >>> 16) & 1)) & 0xffff0000;
  return scratch[0]!;
}

/** Round to nearest, ties to even, with half precision's subnormals below 2^-14. */
export function toF16(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const ulp = 2 ** (exponent - 10);
  const scaled = value / ulp;
  let rounded = Math.round(scaled);
  if (Math.abs(scaled - Math.trunc(scaled)) === 0.5) rounded = 2 * Math.round(scaled / 2);
  return rounded * ulp;
}

export function roundToFormat(values: Float32Array, format: StoredFormat): void {
  if (format === 'F32') return;
  const round = format === 'BF16' ? toBf16 : toF16;
  for (let i = 0; i < values.length; i++) values[i] = round(values[i]!);
}
