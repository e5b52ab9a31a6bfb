import type { Outcome, Relation } from '../types/lineage.ts';
import type { ModelStatus, VerdictKind } from '../types/verdict.ts';

/**
 * The report document: what every renderer reads, and nothing else. Made by `buildReport` from rows, written as JSON by `renderJson`
 * and described by data/schemas/report.schema.json. Add fields freely (minor version); renaming or removing one is a major version.
 */
export const REPORT_SCHEMA_VERSION = '1.0.0';

export type ReportKind = 'ecosystem' | 'family' | 'model';

export interface ReportDocument {
  schemaVersion: typeof REPORT_SCHEMA_VERSION;
  kind: ReportKind;
  /** repo of a model report, root of a family report, null for the whole index */
  subject: string | null;
  title: string;
  /** ISO 8601; the reported run's end, so the same database gives the same bytes */
  generatedAt: string | null;
  snapshot: ReportSnapshot;
  coverage: ReportCoverage;
  /** all ten, most severe first, zeros included */
  verdictCounts: { verdict: VerdictKind; count: number }[];
  /** models that deserve a look (or the one asked for), most severe first, then by downloads */
  findings: ReportFinding[];
  /** findings there were before the cap was applied */
  findingsTotal: number;
  /** one line a model with a verdict, by repo */
  verdicts: VerdictLine[];
  /** largest first */
  families: ReportFamily[];
  changes: ReportChanges | null;
  failures: ReportFailures;
  method: ReportMethod;
}

export interface ReportSnapshot {
  runId: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  /** every other column of the run, by name: counts, requests by bucket, bytes */
  counts: { name: string; value: number | string }[];
}

export interface ReportCoverage {
  models: number;
  byStatus: { status: ModelStatus; count: number }[];
  byFamily: { family: string; count: number }[];
  /** models declaring at least one base (hints left out) */
  declaring: number;
  /** models with at least one inferred parent */
  withParent: number;
  families: number;
}

export interface ReportEdge {
  parent: string;
  /** what to call a virtual parent; the repo itself otherwise */
  label: string;
  relation: Relation;
  probability: number;
  rank: number;
  weight: number | null;
  method: string;
  kind: 'repo' | 'virtual';
}

export interface ReportEvidence {
  parent: string;
  probe: string;
  outcome: Outcome;
  value: number | null;
  logOdds: number;
  detail: string;
}

export interface ReportDeclaration {
  declared: string;
  resolved: string | null;
  relation: Relation | null;
  source: string;
}

export interface ReportCorrection {
  verdict: string;
  reason: string;
  link: string | null;
  by: string;
  date: string;
}

export interface VerdictLine {
  repo: string;
  verdict: VerdictKind;
  declared: string[];
  relationDeclared: Relation | null;
  inferred: string[];
  relationInferred: Relation | null;
  probability: number | null;
  reason: string;
  downloads: number | null;
  likes: number | null;
  family: string | null;
  familyRoot: string | null;
  /** a hand-made correction exists */
  corrected: boolean;
}

export interface ReportFinding extends VerdictLine {
  owner: string;
  architecture: string | null;
  params: number | null;
  dtype: string | null;
  format: string | null;
  createdAt: string | null;
  sha: string | null;
  status: ModelStatus;
  declarations: ReportDeclaration[];
  parents: ReportEdge[];
  ties: ReportEdge[];
  /** strongest first */
  evidence: ReportEvidence[];
  licences: LicenceStep[];
  correction: ReportCorrection | null;
  /** YAML front matter as a unified diff, for a person to send; null when nothing is suggested */
  cardPatch: string | null;
  /** plain sentences: what is unknown here and what would settle it */
  openQuestions: string[];
}

export interface LicenceStep {
  repo: string;
  licence: string | null;
}

/** A family as a flat tree in reading order: a node comes after its parent, `depth` says how far in. */
export interface ReportFamily {
  root: string;
  label: string;
  family: string | null;
  size: number;
  depth: number;
  downloads: number;
  relations: { relation: Relation; count: number }[];
  verdicts: { verdict: VerdictKind; count: number }[];
  nodes: FamilyNode[];
}

export interface FamilyNode {
  repo: string;
  label: string;
  kind: 'repo' | 'virtual';
  /** parent in this tree (for a merge, the one with the largest weight); null at the root */
  parent: string | null;
  /** further parents of a merge, by share */
  otherParents: { parent: string; label: string; weight: number | null; probability: number }[];
  relation: Relation | null;
  probability: number | null;
  /** share of `parent` in a merge, else null */
  weight: number | null;
  depth: number;
  children: number;
  /** models below it */
  descendants: number;
  verdict: VerdictKind | null;
  downloads: number | null;
}

export interface ReportChanges {
  sinceRun: string;
  since: string | null;
  newModels: string[];
  goneModels: string[];
  newEdges: { child: string; parent: string; relation: Relation }[];
  goneEdges: { child: string; parent: string; relation: Relation }[];
  flipped: { repo: string; from: VerdictKind; to: VerdictKind }[];
}

export interface ReportFailures {
  total: number;
  byCode: { stage: string; code: string; count: number }[];
  rows: {
    repo: string;
    stage: string;
    code: string;
    attempts: number;
    message: string | null;
    retryAfter: string | null;
  }[];
}

export interface ReportMethod {
  /** `lineage.method` of the run */
  name: string;
  /** chance below which `contradicted` is said */
  contradictionPValue: number;
  /** plain sentences */
  statements: string[];
  /** how and where to dispute */
  dispute: string;
  disputeUrl: string | null;
  /** origin of model links, no trailing slash */
  hubUrl: string;
}
