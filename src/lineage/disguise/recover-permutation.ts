import type { TensorSample } from '../../types/fingerprint.ts';
import type { ModelSamples } from '../model-samples.ts';
import type { PositionsOf } from '../options.ts';

export interface RecoveredPermutation {
  /** unit i of the disguised model is unit `order[i]` of the other */
  order: Int32Array;
  /** share of units that are each other's nearest by a clear margin */
  matched: number;
  /** median over units of distance to the match over distance to the second best */
  contrast: number;
}

const MIN_UNITS = 16;
const MIN_VECTORS = 3;
/** Signatures longer than this only cost time. */
const MAX_VECTORS = 24;

/**
 * Permuting the residual stream moves every norm gain vector alike, so each hidden unit keeps its signature: its gains in all norms.
 * Units are matched by nearest signature (each vector scaled to unit variance); for models trained apart the nearest is hardly nearer
 * than the second nearest. Null when there are too few gain vectors of hidden size with a spread.
 */
export function recoverPermutation(
  disguised: ModelSamples,
  other: ModelSamples,
): RecoveredPermutation | null {
  const pairs: [TensorSample, TensorSample][] = [];
  let units = 0;
  for (const tensor of other.tensors) {
    if (tensor.shape.length !== 1 || !/norm/.test(tensor.name)) continue;
    const mine = disguised.byName.get(tensor.name);
    if (!mine || mine.values.length !== tensor.values.length || mine.shape[0] !== tensor.shape[0]) continue;
    if (mine.values.length < MIN_UNITS || !(tensor.stats.std > 1e-4) || !(mine.stats.std > 1e-4)) continue;
    if (units === 0) units = mine.values.length;
    // q/k norms are of head size: another permutation
    if (mine.values.length === units) pairs.push([mine, tensor]);
  }
  if (pairs.length < MIN_VECTORS) return null;
  const step = Math.max(1, pairs.length / MAX_VECTORS);
  const used = Array.from(
    { length: Math.min(pairs.length, MAX_VECTORS) },
    (_, k) => pairs[Math.floor(k * step)]!,
  );
  const k = used.length;
  const signature = (pick: 0 | 1) => {
    const out = new Float32Array(units * k);
    used.forEach((pair, j) => {
      const { values } = pair[pick];
      const { mean, std } = pair[1].stats;
      for (let i = 0; i < units; i++) out[i * k + j] = (values[i]! - mean) / std;
    });
    return out;
  };
  const a = signature(0);
  const b = signature(1);
  const nearestOf = (x: Float32Array, y: Float32Array) => {
    const best = new Int32Array(units);
    const contrast = new Float64Array(units);
    for (let i = 0; i < units; i++) {
      let first = Infinity;
      let second = Infinity;
      for (let j = 0; j < units; j++) {
        let d = 0;
        for (let t = 0; t < k && d < second; t++) {
          const e = x[i * k + t]! - y[j * k + t]!;
          d += e * e;
        }
        if (d < first) {
          second = first;
          first = d;
          best[i] = j;
        } else if (d < second) second = d;
      }
      contrast[i] = second > 0 ? Math.sqrt(first / second) : 1;
    }
    return { best, contrast };
  };
  const forward = nearestOf(a, b);
  const backward = nearestOf(b, a);
  const order = new Int32Array(units).fill(-1);
  let matched = 0;
  for (let i = 0; i < units; i++) {
    const j = forward.best[i]!;
    if (backward.best[j] !== i) continue;
    order[i] = j;
    matched++;
  }
  const sorted = Array.from(forward.contrast).sort((x, y) => x - y);
  return { order, matched: matched / units, contrast: sorted[Math.floor(units / 2)]! };
}

/** By chance about half the units are mutual nearest neighbours with contrast .8-.95; permuted relatives match nearly all, below .5. */
export function isPermuted(found: RecoveredPermutation | null): boolean {
  if (found === null || found.matched < 0.75 || found.contrast > 0.6) return false;
  let moved = 0;
  for (let i = 0; i < found.order.length; i++) if (found.order[i]! >= 0 && found.order[i] !== i) moved++;
  return moved > 0.5 * found.matched * found.order.length;
}

/**
 * The disguised model with its units put back, as far as samples allow: gain vectors whole; of matrices whose columns are the residual
 * stream, the values whose column was sampled in both. Everything else is left out (rows permuted within the MLP cannot be placed).
 */
export function undoPermutation(
  disguised: ModelSamples,
  found: RecoveredPermutation,
  positions: PositionsOf | undefined,
): ModelSamples {
  const units = found.order.length;
  const inverse = new Int32Array(units).fill(-1);
  found.order.forEach((to, from) => {
    if (to >= 0) inverse[to] = from;
  });
  const tensors: TensorSample[] = [];
  for (const tensor of disguised.tensors) {
    if (tensor.shape.length === 1 && tensor.values.length === units && /norm/.test(tensor.name)) {
      const values = Float32Array.from(tensor.values, (_, i) =>
        inverse[i]! >= 0 ? tensor.values[inverse[i]!]! : Number.NaN,
      );
      tensors.push({ ...tensor, values, hash: '' });
      continue;
    }
    const byColumn =
      /(?:embed_tokens|lm_head|[qkv]_proj)\.weight$/.test(tensor.name) && tensor.shape[1] === units;
    const byRow = /o_proj\.weight$/.test(tensor.name) && tensor.shape[0] === units;
    const at = (byColumn || byRow) && positions ? positions(tensor.role, tensor.shape) : null;
    if (!at || at.rows.length !== tensor.values.length) continue;
    const where = new Map<number, number>();
    const cols = tensor.shape[1]!;
    for (let i = 0; i < at.rows.length; i++) where.set(at.rows[i]! * cols + at.cols[i]!, i);
    let placed = 0;
    const values = new Float32Array(tensor.values.length).fill(Number.NaN);
    for (let i = 0; i < values.length; i++) {
      const row = byRow ? inverse[at.rows[i]!]! : at.rows[i]!;
      const col = byColumn ? inverse[at.cols[i]!]! : at.cols[i]!;
      if (row < 0 || col < 0) continue;
      const source = where.get(row * cols + col);
      if (source === undefined) continue;
      values[i] = tensor.values[source]!;
      placed++;
    }
    if (placed >= 8) tensors.push({ ...tensor, values, hash: '' });
  }
  return { repo: disguised.repo, tensors, byName: new Map(tensors.map((t) => [t.name, t])) };
}
