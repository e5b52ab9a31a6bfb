import type { Relation } from '../types/lineage.ts';
import type { ModelStatus, VerdictKind } from '../types/verdict.ts';
import type { ViewRows } from '../types/view-rows.ts';

/** Rows exactly as the public SQL views give them: JSON text for arrays. */
export type ModelRow = ViewRows['models'];
export type DeclaredBaseRow = ViewRows['declared_bases'];
export type EdgeRow = ViewRows['edges'];
export type EdgeEvidenceRow = ViewRows['edge_evidence'];
export type FamilyRow = ViewRows['families'];
export type VerdictRow = ViewRows['verdicts'];
export type FailureRow = ViewRows['failures'];
export type RunRow = ViewRows['runs'];

/** Virtual parents have no row in `models`; their label is what most of their children declare. */
export interface VirtualParentRow {
  id: string;
  declared_label: string | null;
}

/** A hand-made correction (data/corrections.json), as src/audit's `Correction`. */
export interface CorrectionRow {
  repo: string;
  verdict: string;
  reason: string;
  link: string | null;
  by: string;
  date: string;
}

/** The earlier state a report is compared with. */
export interface PreviousSnapshot {
  run_id: string | number;
  finished_at: string | null;
  models: readonly { repo: string; status: ModelStatus }[];
  edges: readonly Pick<EdgeRow, 'child' | 'parent' | 'relation' | 'rank'>[];
  verdicts: readonly { repo: string; verdict: VerdictKind }[];
}

/** Changes as the store keeps them (edge_history, verdict_history), when there is no whole earlier snapshot. */
export interface ChangeRows {
  since_run: string | number;
  since: string | null;
  new_models: readonly string[];
  gone_models: readonly string[];
  edges: readonly { change: 'added' | 'removed'; child: string; parent: string; relation: Relation }[];
  verdicts: readonly { repo: string; from: VerdictKind | null; to: VerdictKind }[];
}

export interface ReportRows {
  models: readonly ModelRow[];
  declaredBases: readonly DeclaredBaseRow[];
  edges: readonly EdgeRow[];
  evidence: readonly EdgeEvidenceRow[];
  families: readonly FamilyRow[];
  verdicts: readonly VerdictRow[];
  failures: readonly FailureRow[];
  /** newest last; the last one is the run reported on */
  runs: readonly RunRow[];
  virtualParents?: readonly VirtualParentRow[];
  corrections?: readonly CorrectionRow[];
  previous?: PreviousSnapshot | null;
  /** instead of `previous` */
  changes?: ChangeRows | null;
}
