import type { TensorSample } from '../types/fingerprint.ts';
import type { ModelSamples } from './model-samples.ts';
import type { PositionsOf } from './options.ts';

/** Head sizes tried where the model does not tell its own: only grouped-query attention needs one. */
const HEAD_SIZES = [128, 64, 32, 16];
const MIN_PRODUCTS = 256;

/**
 * Does an adapter write where this model listens? B of a value projection starts at 0 and is trained by gradients that come back through
 * the output projection, so its columns lean towards the rows of the base's o_proj, which share no directions with another model's.
 * Returns the mean squared cosine over what chance gives (1), in standard errors; null when rows of o_proj and of B do not overlap
 * enough in the samples (large models).
 */
export function measureOutputFit(
  adapter: ModelSamples,
  base: ModelSamples,
  positions: PositionsOf | undefined,
  headDim: number | null,
): number | null {
  let best: number | null = null;
  for (const head of headDim === null ? HEAD_SIZES : [headDim]) {
    let sum = 0;
    let count = 0;
    for (const factor of adapter.tensors) {
      const layer = /layers\.(\d+)\..*v_proj.*lora_B/.exec(factor.name)?.[1];
      if (layer === undefined || factor.shape.length !== 2) continue;
      const output = base.byName.get(`model.layers.${layer}.self_attn.o_proj.weight`);
      if (output?.shape.length !== 2) continue;
      const found = alignFactor(factor, output, head, positions);
      sum += found.sum;
      count += found.count;
    }
    if (count < MIN_PRODUCTS) continue;
    const z = (sum / count - 1) / Math.sqrt(2 / count);
    if (best === null || z > best) best = z;
  }
  return best;
}

function alignFactor(
  factor: TensorSample,
  output: TensorSample,
  head: number,
  positions: PositionsOf | undefined,
): { sum: number; count: number } {
  const none = { sum: 0, count: 0 };
  const [out, rank] = factor.shape as [number, number];
  const width = output.shape[1]!;
  const groups = width / out;
  if (!Number.isInteger(groups) || out % head !== 0) return none;
  const at = whereIs(output, positions);
  const inFactor = whereIs(factor, positions);
  if (!at || !inFactor) return none;
  const place = new Map<number, number>();
  for (let i = 0; i < inFactor.rows.length; i++) place.set(inFactor.rows[i]! * rank + inFactor.cols[i]!, i);
  // products of one row of o_proj within one head with one column of B
  const blocks = new Map<number, number[]>();
  for (let i = 0; i < at.rows.length; i++) {
    const key = at.rows[i]! * (width / head) + Math.floor(at.cols[i]! / head);
    const block = blocks.get(key);
    if (block) block.push(i);
    else blocks.set(key, [i]);
  }
  let sum = 0;
  let count = 0;
  for (const block of blocks.values()) {
    if (block.length < 8) continue;
    for (let k = 0; k < rank; k++) {
      let dot = 0;
      let ww = 0;
      let bb = 0;
      let n = 0;
      for (const i of block) {
        const col = at.cols[i]!;
        const row = Math.floor(col / head / groups) * head + (col % head);
        const j = place.get(row * rank + k);
        if (j === undefined) continue;
        const w = output.values[i]!;
        const b = factor.values[j]!;
        if (!(w * b * 0 === 0)) continue;
        dot += w * b;
        ww += w * w;
        bb += b * b;
        n++;
      }
      if (n < 8 || ww === 0 || bb === 0) continue;
      sum += ((dot * dot) / (ww * bb)) * n;
      count++;
    }
  }
  return { sum, count };
}

function whereIs(tensor: TensorSample, positions: PositionsOf | undefined) {
  const [rows, cols] = tensor.shape as [number, number];
  if (tensor.values.length === rows * cols)
    return {
      rows: Int32Array.from(tensor.values, (_, i) => Math.floor(i / cols)),
      cols: Int32Array.from(tensor.values, (_, i) => i % cols),
    };
  const at = positions?.(tensor.role, tensor.shape) ?? null;
  return at && at.rows.length === tensor.values.length ? at : null;
}
