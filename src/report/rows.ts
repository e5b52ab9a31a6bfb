import type { Outcome, Relation } from '../types/lineage.ts';
import type { ModelStatus, VerdictKind } from '../types/verdict.ts';

/** Rows exactly as the public SQL views give them (names, nulls, 0/1 for booleans, JSON text for arrays). */

export interface ModelRow {
  repo: string;
  hub_id: string | null;
  owner: string;
  family: string | null;
  architecture: string | null;
  params: number | null;
  dtype: string | null;
  format: string | null;
  created_at: string | null;
  last_modified: string | null;
  sha: string | null;
  downloads: number | null;
  likes: number | null;
  license: string | null;
  /** the Hub's word: `auto`, `manual`, or a false in any of SQLite's spellings */
  gated: string | number | boolean | null;
  status: ModelStatus;
  family_root: string | null;
}

export interface DeclaredBaseRow {
  repo: string;
  declared: string;
  resolved_repo: string | null;
  relation: Relation | null;
  source: string;
}

export interface EdgeRow {
  child: string;
  parent: string;
  relation: Relation;
  probability: number;
  rank: number;
  weight: number | null;
  method: string;
  parent_kind: 'repo' | 'virtual';
}

export interface EdgeEvidenceRow {
  child: string;
  parent: string;
  probe: string;
  outcome: Outcome;
  value: number | null;
  log_odds: number;
  detail: string;
}

export interface FamilyRow {
  family: string;
  root: string;
  repo: string;
  depth: number;
}

export interface VerdictRow {
  repo: string;
  verdict: VerdictKind;
  /** JSON array of strings */
  declared: string;
  relation_declared: Relation | null;
  /** JSON array of strings */
  inferred: string;
  relation_inferred: Relation | null;
  probability: number | null;
  reason: string;
}

export interface FailureRow {
  repo: string;
  stage: string;
  error_code: string;
  attempts: number;
  last_error: string | null;
  retry_after: string | null;
}

/** Counts, requests by bucket and bytes follow as further columns. */
export interface RunRow {
  run_id: string | number;
  started_at: string;
  finished_at: string | null;
  stage: string | null;
  [column: string]: string | number | null;
}

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
