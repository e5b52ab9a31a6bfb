import type { DType } from '../../types/weights.ts';

export interface GgmlType {
  readonly name: string;
  /** values in a block; 1 for plain types */
  readonly blockValues: number;
  /** bytes of a block */
  readonly blockBytes: number;
  /** For plain types the number format; for block types what codes are stored as. */
  readonly dtype: DType;
  readonly plain: boolean;
}

const plain = (name: DType, bytes: number): GgmlType => ({
  name,
  blockValues: 1,
  blockBytes: bytes,
  dtype: name,
  plain: true,
});

const blocks = (name: string, blockValues: number, blockBytes: number, dtype: DType = 'U8'): GgmlType => ({
  name,
  blockValues,
  blockBytes,
  dtype,
  plain: false,
});

/** Type ids of ggml.h with block sizes of ggml-common.h; 4, 5, 31-33 and 36-38 were withdrawn and never come back. */
const BY_ID: Readonly<Record<number, GgmlType>> = {
  0: plain('F32', 4),
  1: plain('F16', 2),
  2: blocks('Q4_0', 32, 18),
  3: blocks('Q4_1', 32, 20),
  6: blocks('Q5_0', 32, 22),
  7: blocks('Q5_1', 32, 24),
  8: blocks('Q8_0', 32, 34, 'I8'),
  9: blocks('Q8_1', 32, 36, 'I8'),
  10: blocks('Q2_K', 256, 84),
  11: blocks('Q3_K', 256, 110),
  12: blocks('Q4_K', 256, 144),
  13: blocks('Q5_K', 256, 176),
  14: blocks('Q6_K', 256, 210),
  15: blocks('Q8_K', 256, 292, 'I8'),
  16: blocks('IQ2_XXS', 256, 66),
  17: blocks('IQ2_XS', 256, 74),
  18: blocks('IQ3_XXS', 256, 98),
  19: blocks('IQ1_S', 256, 50),
  20: blocks('IQ4_NL', 32, 18),
  21: blocks('IQ3_S', 256, 110),
  22: blocks('IQ2_S', 256, 82),
  23: blocks('IQ4_XS', 256, 136),
  24: plain('I8', 1),
  25: plain('I16', 2),
  26: plain('I32', 4),
  27: plain('I64', 8),
  28: plain('F64', 8),
  29: blocks('IQ1_M', 256, 56),
  30: plain('BF16', 2),
  34: blocks('TQ1_0', 256, 54),
  35: blocks('TQ2_0', 256, 66),
  39: blocks('MXFP4', 32, 17),
  40: blocks('NVFP4', 64, 36),
  41: blocks('Q1_0', 128, 18),
  42: blocks('Q2_0', 64, 18),
};

/** Null for an id that is withdrawn or not published yet: the tensor's size cannot be told then. */
export function toGgmlType(id: number): GgmlType | null {
  return BY_ID[id] ?? null;
}
