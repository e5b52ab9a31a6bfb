import type { TensorSample } from '../types/fingerprint.ts';
import { areComparable } from './pair-statistics.ts';

/** Two models' gain vectors compared as multisets: what stays the same when units are permuted. */
export interface UnorderedGains {
  /** median over vectors of rms(sorted a - sorted b) / std: 0 for a permuted copy, above .1 for models trained apart */
  distance: number;
  /** the same in place: small for relatives whose units were not moved */
  inPlace: number;
  vectors: number;
}

const MIN_VALUES = 32;

/** Null when there are no vectors with a spread to compare (untrained gains are all 1). */
export function compareGainsUnordered(
  a: readonly TensorSample[],
  b: readonly TensorSample[],
): UnorderedGains | null {
  const byName = new Map(b.filter((t) => t.shape.length === 1).map((t) => [t.name, t]));
  const sorted: number[] = [];
  const placed: number[] = [];
  for (const tensor of a) {
    if (tensor.shape.length !== 1 || tensor.values.length < MIN_VALUES) continue;
    const other = byName.get(tensor.name);
    if (!other || !areComparable(tensor, other)) continue;
    const spread = Math.min(tensor.stats.std, other.stats.std);
    if (!(spread > 1e-3 * Math.abs(tensor.stats.mean)) || spread === 0) continue;
    sorted.push(rmsDifference(tensor.values.slice().sort(), other.values.slice().sort()) / spread);
    placed.push(rmsDifference(tensor.values, other.values) / spread);
  }
  if (sorted.length === 0) return null;
  return { distance: median(sorted), inPlace: median(placed), vectors: sorted.length };
}

/** Equal as multisets, different in place: the mark of permuted units. An alarm, never by itself an edge. */
export function looksPermuted(gains: UnorderedGains | null): boolean {
  return (
    gains !== null && gains.vectors >= 3 && gains.distance < 0.05 && gains.inPlace > 5 * gains.distance + 0.2
  );
}

function rmsDifference(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum / a.length);
}

function median(values: number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)]!;
}
