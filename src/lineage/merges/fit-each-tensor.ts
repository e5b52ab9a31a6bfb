import type { TensorSample } from '../../types/fingerprint.ts';
import { askOne, TOPICS } from '../notes.ts';
import { residualOf, solveNonNegative } from '../numeric/nnls.ts';
import type { PairTable } from '../tree/pair-table.ts';

/** Values a tensor must have for each weight. */
export const VALUES_PER_WEIGHT = 4;

/** Mean squared residual over floors when every tensor has weights of its own, and a free share of the base (slerp's sum exceeds 1). */
export function fitEachTensor(
  table: PairTable,
  child: number,
  base: number,
  parents: readonly number[],
  shared: Float64Array,
): number {
  const counted = table.samples(child).tensors.flatMap(({ name }, i) => {
    const t = table.names.get(name);
    return t === undefined || shared[t] === 0 ? [] : [i, shared[t]!];
  });
  const work = () => measureFit(table, child, base, parents, shared);
  return askOne(table.notes, TOPICS.fitEachTensor, [child, base, ...parents], work, counted);
}

function measureFit(
  table: PairTable,
  child: number,
  base: number,
  parents: readonly number[],
  shared: Float64Array,
): number {
  const c = table.samples(child);
  const b = table.samples(base);
  const others = parents.map((p) => table.samples(p));
  let residual = 0;
  let values = 0;
  for (const tensor of c.tensors) {
    const t = table.names.get(tensor.name);
    if (t === undefined || shared[t] === 0) continue;
    const origin = b.byName.get(tensor.name)!;
    const columns: TensorSample[] = others.map((o) => o.byName.get(tensor.name)!);
    const k = columns.length + 1;
    const gram = new Float64Array(k * k);
    const target = new Float64Array(k);
    let power = 0;
    let n = 0;
    const row = new Float64Array(k);
    for (let i = 0; i < tensor.values.length; i++) {
      const x0 = origin.values[i]!;
      const y = tensor.values[i]! - x0;
      let usable = y * 0 === 0;
      for (let j = 0; j < columns.length; j++) {
        row[j] = columns[j]!.values[i]! - x0;
        usable = usable && row[j]! * 0 === 0;
      }
      if (!usable) continue;
      row[k - 1] = x0;
      n++;
      power += y * y;
      for (let p = 0; p < k; p++) {
        target[p]! += row[p]! * y;
        for (let q = 0; q < k; q++) gram[p * k + q]! += row[p]! * row[q]!;
      }
    }
    if (n < VALUES_PER_WEIGHT * k) continue;
    // tensors nobody changed make singular equations: a ridge far below any real step
    const ridge = 1e-14 * Math.max(...Array.from({ length: k }, (_, p) => gram[p * k + p]!)) + 1e-300;
    for (let p = 0; p < k; p++) gram[p * k + p]! += ridge;
    const free = Array.from({ length: k }, () => true);
    const weights = solveNonNegative(gram, target, free);
    residual += residualOf(gram, target, power, weights) * shared[t]! * (n / (n - k));
    values += n;
  }
  return values > 0 ? residual / values : Infinity;
}
