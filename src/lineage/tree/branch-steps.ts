import { askOne, NOTHING, TOPICS } from '../notes.ts';
import { createNumberTable, type NumberTable } from '../numeric/number-table.ts';
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

/** For each triple, what it tells about where the third branches off. */
export interface BranchSteps {
  /** log-odds that `c` is a child of `q` rather than of q's parent `p`, capped; 0 where nothing tells */
  of(p: number, q: number, c: number): number;
}

/**
 * Kept by triple: the search asks for the same ones in every round and from every start, and each costs three distances and a walk over
 * all tensors.
 */
export function createBranchSteps(table: PairTable, priors: BranchPriors): BranchSteps {
  return new KeptSteps(table, priors);
}

class KeptSteps implements BranchSteps {
  private readonly table: PairTable;
  private readonly priors: BranchPriors;
  private readonly known: NumberTable;
  private readonly further: readonly number[];

  constructor(table: PairTable, priors: BranchPriors) {
    this.table = table;
    this.priors = priors;
    this.known = createNumberTable(16 * table.size);
    this.further = priors === DEFAULT_BRANCH_PRIORS ? NOTHING : Object.values(priors);
  }

  of(p: number, q: number, c: number): number {
    const n = this.table.size;
    const key = (p * n + q) * n + c;
    const kept = this.known.get(key);
    if (!Number.isNaN(kept)) return kept;
    const work = () => measure(this.table, this.priors, p, q, c);
    const step = askOne(this.table.scaledNotes, TOPICS.branchStep, [p, q, c], work, this.further);
    this.known.set(key, step);
    return step;
  }
}

function measure(table: PairTable, priors: BranchPriors, p: number, q: number, c: number): number {
  const point = measureBranchPoint(table, p, q, c);
  if (point === null) return 0;
  const angles = branchLogOdds(point, priors);
  if (Math.abs(angles) >= DECIDED) return Math.max(-EDGE_CAP, Math.min(EDGE_CAP, angles));
  return Math.max(-DECIDED, Math.min(DECIDED, angles + keptLogOdds(table, p, q, c)));
}
