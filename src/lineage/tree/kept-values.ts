import { FINENESS, type Grid, roundToGrid } from '../number-grid.ts';
import type { PairTable } from './pair-table.ts';

/** Neighbouring values that must all be kept: one or two meet by chance where steps are a unit of a coarse format, eight hardly ever. */
const RUN = 8;
/** Counts below this, two rows of an embedding as it is sampled, may be an accident. */
const FEW = 60;
/** Log-odds a nat of the ratio of counts, and where the ratio ends to tell more. */
const WEIGHT = 3;
const MAX_RATIO = 2;

/** How close the ratios of neighbours to their parent's values are where weight decay alone shrank them, and how far it may. */
const SAME_RATIO = 2e-6;
const LEAST_RATIO = 0.9;

/** Marks of a value that lies in a kept run. */
const OF_P = 1;
const OF_Q = 2;

/** Whether the child's i-th value is the parent's, as far as the child's format tells. */
type IsKept = (parent: Float32Array, child: Float32Array, i: number) => boolean;

/**
 * Log-odds that C is a child of Q rather than of Q's parent P, from runs of values that a step left as they were: rows of tokens that
 * never came up, frozen parts, and whatever a light step in a coarse format does not move. Where P and Q differ, C keeps the values of the
 * one it was made from; the other's it only meets by making the same step. All three are seen through the format of C.
 */
export function keptLogOdds(table: PairTable, p: number, q: number, c: number): number {
  const { ofP, ofQ } = countKept(table, p, q, c);
  const seen = ofP + ofQ;
  const ratio = (Math.log((ofQ + 1) / (ofP + 1)) * seen) / (seen + FEW);
  return WEIGHT * Math.max(-MAX_RATIO, Math.min(MAX_RATIO, ratio));
}

/** Values in which P and Q differ and C lies in a run of one of them alone. */
function countKept(table: PairTable, p: number, q: number, c: number): { ofP: number; ofQ: number } {
  const grid = table.grid(c);
  const isOfP = keptIn(grid, table.grid(p));
  const isOfQ = keptIn(grid, table.grid(q));
  let ofP = 0;
  let ofQ = 0;
  for (let t = 0; t < table.tensorCount; t++) {
    const [inP, inQ, inC] = [table.values(p, t), table.values(q, t), table.values(c, t)];
    if (!inP || !inQ || !inC || inP.length !== inC.length || inQ.length !== inC.length) continue;
    const runsOfP = findRuns(inP, inC, isOfP);
    const runsOfQ = findRuns(inQ, inC, isOfQ);
    if (runsOfP.length + runsOfQ.length === 0) continue;
    const marks = new Uint8Array(inC.length);
    for (const [from, to] of runsOfP) marks.fill(OF_P, from, to);
    for (const [from, to] of runsOfQ) for (let i = from; i < to; i++) marks[i]! += OF_Q;
    for (let i = 0; i < marks.length; i++) {
      if (marks[i] !== OF_P && marks[i] !== OF_Q) continue;
      if (roundToGrid(inP[i]!, grid) === roundToGrid(inQ[i]!, grid)) continue;
      if (marks[i] === OF_P) ofP++;
      else ofQ++;
    }
  }
  return { ofP, ofQ };
}

function keptIn(child: Grid, parent: Grid): IsKept {
  if (child === 'F32') return isKeptOrShrunk;
  if (FINENESS[parent] <= FINENESS[child]) return (from, to, i) => to[i] === from[i];
  return (from, to, i) => to[i] === roundToGrid(from[i]!, child);
}

/** Single precision shows that weight decay shrank a value and its neighbour alike; in a coarser format both mostly stay as they are. */
function isKeptOrShrunk(parent: Float32Array, child: Float32Array, i: number): boolean {
  const ratio = child[i]! / parent[i]!;
  if (child[i] === parent[i]) return true;
  if (!(ratio > LEAST_RATIO && ratio < 1)) return false;
  const isSame = (j: number) => Math.abs(child[j]! / parent[j]! - ratio) < SAME_RATIO;
  return isSame(i - 1) || isSame(i + 1);
}

/** Runs of kept values, in order. Every run holds one value in eight, so these are looked at first: most tensors were moved from end to end. */
function findRuns(parent: Float32Array, child: Float32Array, isKept: IsKept): [from: number, to: number][] {
  const runs: [from: number, to: number][] = [];
  for (let i = RUN - 1; i < child.length; i += RUN) {
    if (!isKept(parent, child, i)) continue;
    let from = i;
    let to = i + 1;
    while (from > 0 && isKept(parent, child, from - 1)) from--;
    while (to < child.length && isKept(parent, child, to)) to++;
    while (i + RUN < to) i += RUN;
    if (to - from >= RUN) runs.push([from, to]);
  }
  return runs;
}
