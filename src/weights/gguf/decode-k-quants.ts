import { fromF16 } from '../dtypes.ts';
import { type BlockDecoder, IQ4_LEVELS } from './decode-legacy.ts';

/** Super-blocks of 256 values (ggml-quants.c, `dequantize_row_*`): small scales of sub-blocks under one or two float16. */
const f = Math.fround;
const half = (view: DataView, at: number) => fromF16(view.getUint16(at, true));

/** {scales[16], qs[64], d, dmin}: 16 sub-blocks of 16, each byte of `scales` = scale | minimum << 4. */
function q2k(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 80);
  const dmin = half(view, at + 82);
  for (let sub = 0; sub < 16; sub++) {
    const packed = view.getUint8(at + sub);
    const scale = f(d * (packed & 15));
    const min = f(dmin * (packed >> 4));
    const codes = at + 16 + (sub >> 3) * 32 + (sub & 1) * 16;
    const shift = ((sub >> 1) & 3) * 2;
    for (let l = 0; l < 16; l++) {
      const code = (view.getUint8(codes + l) >> shift) & 3;
      out[to + sub * 16 + l] = f(scale * code) - min;
    }
  }
}

/** 6-bit scale `sub` of the 12 bytes at `at`: four low bits in halves of bytes 0-7, two high bits in bytes 8-11. */
function q3Scale(view: DataView, at: number, sub: number): number {
  const low = view.getUint8(at + (sub & 7));
  const high = view.getUint8(at + 8 + (sub & 3)) >> (2 * (sub >> 2));
  return ((sub < 8 ? low & 15 : low >> 4) | ((high & 3) << 4)) - 32;
}

/** {hmask[32], qs[64], scales[12], d}: a set bit in `hmask` means that 4 is not to be subtracted. */
function q3k(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 108);
  for (let sub = 0; sub < 16; sub++) {
    const scale = f(d * q3Scale(view, at + 96, sub));
    const inHalf = (sub & 1) * 16;
    const codes = at + 32 + (sub >> 3) * 32 + inHalf;
    const shift = ((sub >> 1) & 3) * 2;
    for (let l = 0; l < 16; l++) {
      const high = (view.getUint8(at + inHalf + l) >> (sub >> 1)) & 1;
      const code = ((view.getUint8(codes + l) >> shift) & 3) - (high ? 0 : 4);
      out[to + sub * 16 + l] = scale * code;
    }
  }
}

/** Scale and minimum, 6 bits each, of sub-block `sub` (0..7) in the 12 bytes at `at` (`get_scale_min_k4`). */
function k4Scale(view: DataView, at: number, sub: number): [scale: number, min: number] {
  const byte = (i: number) => view.getUint8(at + i);
  if (sub < 4) return [byte(sub) & 63, byte(sub + 4) & 63];
  return [(byte(sub + 4) & 15) | ((byte(sub - 4) >> 6) << 4), (byte(sub + 4) >> 4) | ((byte(sub) >> 6) << 4)];
}

/** {d, dmin, scales[12], [qh[32],] qs[128]}: 8 sub-blocks of 32, two of them in the halves of the same 32 bytes. */
function q4or5k(view: DataView, at: number, out: Float32Array, to: number, fifthBits: boolean): void {
  const d = half(view, at);
  const dmin = half(view, at + 2);
  const codesAt = at + 16 + (fifthBits ? 32 : 0);
  for (let sub = 0; sub < 8; sub++) {
    const [scale6, min6] = k4Scale(view, at + 4, sub);
    const scale = f(d * scale6);
    const min = f(dmin * min6);
    for (let l = 0; l < 32; l++) {
      const byte = view.getUint8(codesAt + (sub >> 1) * 32 + l);
      const fifth = fifthBits ? (view.getUint8(at + 16 + l) >> sub) & 1 : 0;
      const code = (sub & 1 ? byte >> 4 : byte & 15) + fifth * 16;
      out[to + sub * 32 + l] = f(scale * code) - min;
    }
  }
}

/** {ql[128], qh[64], i8 scales[16], d}: per 128 values four runs of 32 share 64 low and 32 high bytes. */
function q6k(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 208);
  for (let run = 0; run < 8; run++) {
    const part = run >> 2;
    const inPart = run & 3;
    const lowAt = at + part * 64 + (inPart & 1) * 32;
    const highAt = at + 128 + part * 32;
    for (let l = 0; l < 32; l++) {
      const scale = f(d * view.getInt8(at + 192 + part * 8 + inPart * 2 + (l >> 4)));
      const low = view.getUint8(lowAt + l);
      const high = (view.getUint8(highAt + l) >> (2 * inPart)) & 3;
      out[to + run * 32 + l] = scale * (((inPart < 2 ? low & 15 : low >> 4) | (high << 4)) - 32);
    }
  }
}

/** {d, scales_h u16, scales_l[4], qs[128]}: 8 sub-blocks of 32 with 6-bit scales around 32. */
function iq4xs(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at);
  const highBits = view.getUint16(at + 2, true);
  for (let sub = 0; sub < 8; sub++) {
    const low = (view.getUint8(at + 4 + (sub >> 1)) >> (4 * (sub & 1))) & 15;
    const scale = f(d * ((low | (((highBits >> (2 * sub)) & 3) << 4)) - 32));
    for (let j = 0; j < 16; j++) {
      const byte = view.getUint8(at + 8 + sub * 16 + j);
      out[to + sub * 32 + j] = scale * IQ4_LEVELS[byte & 15]!;
      out[to + sub * 32 + j + 16] = scale * IQ4_LEVELS[byte >> 4]!;
    }
  }
}

/** Super-blocks of 256, by ggml type name. */
export const K_QUANT_DECODERS: Readonly<Record<string, BlockDecoder>> = {
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: (view, at, out, to) => q4or5k(view, at, out, to, false),
  Q5_K: (view, at, out, to) => q4or5k(view, at, out, to, true),
  Q6_K: q6k,
  IQ4_XS: iq4xs,
};
