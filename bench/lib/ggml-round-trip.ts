/** ggml's Q8_0 and Q4_0 applied to values and undone: blocks of 32, one half-precision scale each, round to nearest. */
import { toF16 } from './formats.ts';

const BLOCK = 32;

function eachBlock(
  values: Float32Array,
  work: (block: Float32Array, out: Float32Array) => void,
): Float32Array {
  const out = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += BLOCK)
    work(values.subarray(at, at + BLOCK), out.subarray(at, at + BLOCK));
  return out;
}

export const roundTripBlocks = {
  Q8_0: (values: Float32Array) =>
    eachBlock(values, (block, out) => {
      let top = 0;
      for (const v of block) top = Math.max(top, Math.abs(v));
      const scale = top / 127;
      const inverse = scale ? 1 / scale : 0;
      const stored = toF16(scale);
      for (let i = 0; i < block.length; i++) {
        const x = block[i]! * inverse;
        out[i] = stored * Math.sign(x) * Math.round(Math.abs(x));
      }
    }),
  Q4_0: (values: Float32Array) =>
    eachBlock(values, (block, out) => {
      let extreme = 0;
      for (const v of block) if (Math.abs(v) > Math.abs(extreme)) extreme = v;
      const scale = extreme / -8;
      const inverse = scale ? 1 / scale : 0;
      const stored = toF16(scale);
      for (let i = 0; i < block.length; i++)
        out[i] = stored * (Math.min(15, Math.floor(block[i]! * inverse + 8.5)) - 8);
    }),
};
