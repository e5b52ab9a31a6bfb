import { FINENESS, roundToGrid } from '../number-grid.ts';
import type { PairTable } from './pair-table.ts';

/** Values looked at a triple: a few hundred that tell are plenty, and a search asks for thousands of triples. */
const MAX_VALUES = 16_384;
/** Counts below this are mostly chance. */
const FEW = 20;
/** Log-odds a nat of the ratio of counts, and where the ratio ends to tell more: a good half of what a fit beside the cosines gave. */
const WEIGHT = 2;
const MAX_RATIO = 1.5;

/**
 * Log-odds that C is a child of Q rather than of Q's parent P, from values that a step left as they were: rows of tokens that never came
 * up, frozen parts, and everything a light step in a coarse format does not move. Where P and Q differ, C keeps the values of the one it
 * was made from; the other's it only meets by making the same step. All three are seen through the format of C.
 */
export function keptLogOdds(table: PairTable, p: number, q: number, c: number): number {
  const { ofP, ofQ } = countKept(table, p, q, c);
  const seen = ofP + ofQ;
  const ratio = (Math.log((ofQ + 1) / (ofP + 1)) * seen) / (seen + FEW);
  return WEIGHT * Math.max(-MAX_RATIO, Math.min(MAX_RATIO, ratio));
}

function countKept(table: PairTable, p: number, q: number, c: number): { ofP: number; ofQ: number } {
  const grid = table.grid(c);
  const each = Math.max(16, Math.ceil(MAX_VALUES / table.samples(c).tensors.length));
  const finest = Math.max(FINENESS[table.grid(p)], FINENESS[table.grid(q)]);
  const rounds = finest > FINENESS[grid];
  let ofP = 0;
  let ofQ = 0;
  for (let t = 0; t < table.tensorCount; t++) {
    const [inP, inQ, inC] = [table.values(p, t), table.values(q, t), table.values(c, t)];
    if (!inP || !inQ || !inC || inP.length !== inC.length || inQ.length !== inC.length) continue;
    const stride = Math.max(1, Math.floor(inC.length / each));
    for (let i = 0; i < inC.length; i += stride) {
      const value = inC[i]!;
      const x = inP[i]!;
      const y = inQ[i]!;
      if (x === y) continue;
      if (value === (rounds ? roundToGrid(x, grid) : x)) {
        if (!rounds || value !== roundToGrid(y, grid)) ofP++;
      } else if (value === (rounds ? roundToGrid(y, grid) : y)) ofQ++;
    }
  }
  return { ofP, ofQ };
}
