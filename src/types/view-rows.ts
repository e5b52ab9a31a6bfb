import type { Outcome, Relation } from './lineage.ts';
import type { ModelStatus, VerdictKind } from './verdict.ts';
import type { Family } from './weights.ts';

/** Rows of the public views, as SQL returns them: timestamps are ISO 8601 text in UTC, lists are JSON text. */
export interface ViewRows {
  models: {
    repo: string;
    hub_id: string;
    owner: string;
    family: Family | null;
    architecture: string | null;
    params: number | null;
    dtype: string | null;
    format: string | null;
    created_at: string;
    last_modified: string | null;
    sha: string | null;
    downloads: number;
    likes: number;
    license: string | null;
    gated: 'no' | 'auto' | 'manual';
    status: ModelStatus;
    family_root: string | null;
  };
  declared_bases: {
    repo: string;
    declared: string;
    resolved_repo: string | null;
    relation: Relation | null;
    source: string;
  };
  edges: {
    child: string;
    parent: string;
    relation: Relation;
    probability: number;
    rank: number;
    weight: number | null;
    method: string;
    parent_kind: 'repo' | 'virtual';
  };
  edge_evidence: {
    child: string;
    parent: string;
    probe: string;
    outcome: Outcome;
    value: number | null;
    log_odds: number;
    detail: string;
  };
  ancestors: { repo: string; ancestor: string; depth: number };
  families: { family: Family | null; root: string; repo: string; depth: number };
  verdicts: {
    repo: string;
    verdict: VerdictKind;
    declared: string;
    relation_declared: Relation | null;
    inferred: string;
    relation_inferred: Relation | null;
    probability: number | null;
    reason: string;
  };
  failures: {
    repo: string;
    stage: string;
    error_code: string;
    attempts: number;
    last_error: string;
    retry_after: string | null;
  };
  runs: {
    run_id: number;
    started_at: string;
    finished_at: string | null;
    stage: string;
    repos_seen: number;
    repos_new: number;
    repos_changed: number;
    repos_gone: number;
    fingerprinted: number;
    shared: number;
    failed: number;
    edges: number;
    verdicts: number;
    requests_api: number;
    requests_resolvers: number;
    requests_pages: number;
    requests_cdn: number;
    bytes: number;
    status: string;
  };
  behaviour: {
    repo: string;
    other: string;
    similarity: number;
    distance: number;
    shared_prompts: number;
    completions: number;
    other_completions: number;
    prompts_hash: string;
    source: string;
    compared_at: string;
    detail: string;
  };
  roots: {
    root: string;
    family: Family | null;
    models: number;
    max_depth: number;
  };
  counts: { subject: string; label: string; models: number };
  edge_history: {
    child: string;
    parent: string;
    relation: string;
    first_run: number;
    first_seen: string;
    last_run: number | null;
    last_seen: string | null;
  };
  verdict_history: {
    repo: string;
    run_id: number;
    at: string;
    verdict: VerdictKind;
    previous: VerdictKind | null;
    inferred: string;
    reason: string;
  };
}

export type ViewName = keyof ViewRows;
