import type { VirtualGgufType } from './model.ts';
import type { TensorSpec } from './tensor-spec.ts';

export type StoredFormat = VirtualGgufType;

/** Bytes of a file: given ones, or one tensor in some number format. Gaps between segments read as zero. */
export type Segment = { offset: number; length: number } & (
  | { bytes: Uint8Array }
  | { tensor: TensorSpec; format: StoredFormat; ggufOrder: boolean }
);

/** A file that exists as a layout: shared by every model of one shape, format and container. */
export interface FilePlan {
  path: string;
  size: number;
  /** ascending, not overlapping */
  segments: Segment[];
}

/** Values a block, bytes a block. */
export const FORMAT_BLOCKS: Record<StoredFormat, { values: number; bytes: number }> = {
  F32: { values: 1, bytes: 4 },
  F16: { values: 1, bytes: 2 },
  BF16: { values: 1, bytes: 2 },
  Q8_0: { values: 32, bytes: 34 },
  Q4_0: { values: 32, bytes: 18 },
  Q4_1: { values: 32, bytes: 20 },
  Q5_0: { values: 32, bytes: 22 },
  Q5_1: { values: 32, bytes: 24 },
};

export function tensorBytes(valueCount: number, format: StoredFormat): number {
  const block = FORMAT_BLOCKS[format];
  return (valueCount / block.values) * block.bytes;
}
