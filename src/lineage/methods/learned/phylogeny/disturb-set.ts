import { NODE_MEASURES, PAIR_MEASURES } from './set-table.ts';
import type { LabelledSet } from './train.ts';

/**
 * A set without some of its leaves: each epoch sees a different crawl of the same family. Only models
 * nobody descends from may go, so that no label changes.
 */
export function dropLeaves(set: LabelledSet, random: () => number): LabelledSet {
  const { table, parents } = set;
  const n = table.repos.length;
  const isParent = new Set(parents.flat());
  const share = random() * 0.5;
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => isParent.has(i) || random() >= share);
  if (kept.length === n || kept.length < 3) return set;
  const place = new Map(kept.map((from, to) => [from, to]));
  const [nodeWidth, pairWidth] = [NODE_MEASURES.length, PAIR_MEASURES.length];
  const nodes = new Float32Array(kept.length * nodeWidth);
  const offsets = new Int32Array(kept.length + 1);
  const candidates: number[] = [];
  const rows: number[] = [];
  kept.forEach((from, to) => {
    nodes.set(table.nodes.subarray(from * nodeWidth, (from + 1) * nodeWidth), to * nodeWidth);
    for (let e = table.offsets[from]!; e < table.offsets[from + 1]!; e++) {
      const candidate = place.get(table.candidates[e]!);
      if (candidate === undefined) continue;
      candidates.push(candidate);
      rows.push(e);
    }
    offsets[to + 1] = candidates.length;
  });
  const pairs = new Float32Array(rows.length * pairWidth);
  rows.forEach((e, k) => {
    pairs.set(table.pairs.subarray(e * pairWidth, (e + 1) * pairWidth), k * pairWidth);
  });
  return {
    family: set.family,
    parents: kept.map((i) => parents[i]!.flatMap((p) => place.get(p) ?? [])),
    table: {
      repos: kept.map((i) => table.repos[i]!),
      createdAt: Float64Array.from(kept, (i) => table.createdAt[i]!),
      nodes,
      offsets,
      candidates: Int32Array.from(candidates),
      pairs,
    },
  };
}

/** Columns switched off for a whole set, so that nothing hangs on one number: @returns which of `width` columns stay */
export function keepColumns(width: number, share: number, random: () => number): Uint8Array {
  return Uint8Array.from({ length: width }, () => (random() < share ? 0 : 1));
}

/** Noise of `sd` standard deviations on standardised rows, dropped columns set to their mean. In place. */
export function disturbRows(
  rows: Float32Array,
  kept: Uint8Array,
  sd: number,
  normal: () => number,
): Float32Array {
  const width = kept.length;
  for (let i = 0; i < rows.length; i++) rows[i] = kept[i % width] ? rows[i]! + sd * normal() : 0;
  return rows;
}
