import { quantise, toBlockBytes } from '../../weights/gguf/quantize.ts';
import { encodeValues } from '../../weights/index.ts';
import type { FilePlan, Segment, StoredFormat } from './file-plan.ts';
import { FORMAT_BLOCKS } from './file-plan.ts';
import type { VirtualDtype } from './model.ts';
import type { TensorSpec } from './tensor-spec.ts';
import type { Recipe } from './values.ts';
import { readValues } from './values.ts';

/** Any bytes of a planned file, filled with the values of a recipe: the same bytes however a range is cut. */
export function readPlan(plan: FilePlan, recipe: Recipe, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  const end = offset + length;
  for (let i = firstSegmentAt(plan.segments, offset); i < plan.segments.length; i++) {
    const segment = plan.segments[i]!;
    if (segment.offset >= end) break;
    const from = Math.max(offset, segment.offset) - segment.offset;
    const to = Math.min(end, segment.offset + segment.length) - segment.offset;
    if (to <= from) continue;
    const bytes =
      'bytes' in segment ? segment.bytes.subarray(from, to) : encodeSlice(segment, recipe, from, to);
    out.set(bytes, segment.offset + from - offset);
  }
  return out;
}

/** Index of the first segment that ends beyond `offset`. */
function firstSegmentAt(segments: readonly Segment[], offset: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { offset: start, length } = segments[middle]!;
    if (start + length <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function encodeSlice(
  segment: Extract<Segment, { tensor: TensorSpec }>,
  recipe: Recipe,
  from: number,
  to: number,
): Uint8Array {
  const { tensor, format, ggufOrder } = segment;
  const block = FORMAT_BLOCKS[format];
  const firstBlock = Math.floor(from / block.bytes);
  const lastBlock = Math.ceil(to / block.bytes);
  const start = firstBlock * block.values;
  const count = (lastBlock - firstBlock) * block.values;
  const values =
    ggufOrder && tensor.permutedHeads !== undefined
      ? readPermuted(recipe, tensor, tensor.permutedHeads, start, count)
      : readValues(recipe, tensor, start, count);
  const bytes = toBytes(values, format, recipe.dtype);
  const skip = from - firstBlock * block.bytes;
  return bytes.subarray(skip, skip + to - from);
}

/** Values are on the grid of `dtype` already; only another format has to round again. */
function toBytes(values: Float32Array, format: StoredFormat, dtype: VirtualDtype): Uint8Array {
  if (format === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (format !== 'F16' && format !== 'BF16') return toBlockBytes(quantise(values, format));
  if (format !== 'BF16' || dtype !== 'BF16') return encodeValues(format, values);
  // the upper half of each float: five times as fast as encoding, and whole models are read through here
  const halves = new Uint16Array(values.buffer, values.byteOffset, 2 * values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = halves[2 * i + 1]!;
  return new Uint8Array(out.buffer);
}

/** Rows in llama.cpp's order: within a head, GGUF row 2i+j is row j*headDim/2+i of the HF matrix. */
function readPermuted(
  recipe: Recipe,
  tensor: TensorSpec,
  heads: number,
  start: number,
  count: number,
): Float32Array {
  const [rows, cols] = [tensor.shape[0]!, tensor.shape[1]!];
  const headDim = rows / heads;
  const out = new Float32Array(count);
  let filled = 0;
  while (filled < count) {
    const row = Math.floor((start + filled) / cols);
    const col = (start + filled) % cols;
    const take = Math.min(cols - col, count - filled);
    const inHead = row % headDim;
    const hfRow = row - inHead + (inHead % 2) * (headDim / 2) + (inHead >> 1);
    out.set(readValues(recipe, tensor, hfRow * cols + col, take), filled);
    filled += take;
  }
  return out;
}
