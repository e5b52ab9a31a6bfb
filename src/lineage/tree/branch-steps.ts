import { askOne, NOTHING, TOPICS } from '../notes.ts';
import { createNumberTable } from '../numeric/number-table.ts';
import {
  type BranchPriors,
  branchLogOdds,
  DEFAULT_BRANCH_PRIORS,
  measureBranchPoint,
} from './branch-point.ts';
import { keptLogOdds } from './kept-values.ts';
import type { PairTable } from './pair-table.ts';

/** One model's evidence from one edge is capped: beyond this the model, not the data, is being tested. */
const EDGE_CAP = 25;
/** Where the angles are this sure, the values are not looked at one by one; and both together are no surer, since both see who lies near. */
const DECIDED = 6;

/** Log-odds that `c` is a child of `q` rather than of q's parent `p`, capped; 0 where nothing tells. */
export type BranchStep = (p: number, q: number, c: number) => number;

/**
 * Kept by triple: the search asks for the same ones in every round and from every start, and each costs three distances and a walk over
 * all tensors.
 */
export function createBranchSteps(table: PairTable, priors: BranchPriors): BranchStep {
  const n = table.size;
  const known = createNumberTable(16 * n);
  const further = priors === DEFAULT_BRANCH_PRIORS ? NOTHING : Object.values(priors);
  const measure = (p: number, q: number, c: number): number => {
    const point = measureBranchPoint(table, p, q, c);
    if (point === null) return 0;
    const angles = branchLogOdds(point, priors);
    if (Math.abs(angles) >= DECIDED) return Math.max(-EDGE_CAP, Math.min(EDGE_CAP, angles));
    return Math.max(-DECIDED, Math.min(DECIDED, angles + keptLogOdds(table, p, q, c)));
  };
  return (p, q, c) => {
    const key = (p * n + q) * n + c;
    const kept = known.get(key);
    if (!Number.isNaN(kept)) return kept;
    const step = askOne(table.scaledNotes, TOPICS.branchStep, [p, q, c], () => measure(p, q, c), further);
    known.set(key, step);
    return step;
  };
}
