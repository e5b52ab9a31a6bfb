import type { ResolvedClaim } from '../types/claims.ts';
import type { ErrorCode } from '../types/errors.ts';
import type { FingerprintSummary } from '../types/fingerprint.ts';
import type { HubFile, HubRepo } from '../types/hub.ts';
import type { Edge, Evidence, FamilyMember, LineageModel, VirtualParent } from '../types/lineage.ts';
import type { ModelStatus, Verdict, VerdictKind } from '../types/verdict.ts';
import type { ViewName, ViewRows } from '../types/view-rows.ts';
import type { Family } from '../types/weights.ts';

/** Stages that leave a mark on each repo and have a queue of what is not done. */
export type WorkStage = 'claims' | 'fingerprint';
/** Stages a failure or a run may belong to. */
export type StageName = 'refresh' | 'crawl' | 'claims' | 'fingerprint' | 'infer' | 'audit' | 'report';

export interface OpenOptions {
  /** Never writes, never creates, never migrates; every changing method throws DatabaseInvalid. */
  readonly?: boolean;
  /** For timestamps of rows; the system's clock when absent. */
  now?: () => Date;
  /** How long a statement waits for another writer, ms; 10,000 when absent. */
  busyTimeoutMs?: number;
}

/** A repo as the index knows it: what the Hub said last, and how far the work on it is. */
export interface StoredRepo {
  hubId: string;
  repo: string;
  owner: string;
  family: Family | null;
  status: ModelStatus;
  /** one plain sentence saying why the status is what it is, or null */
  statusDetail: string | null;
  /** the listing row as it came, normalised */
  hub: HubRepo;
  /** hash over the weight files' sha256 of the current revision, once its files are known */
  weightsKey: string | null;
  /** version of the analyser that last dealt with the current revision; 0 = none */
  fingerprintVersion: number;
  claimsVersion: number;
}

export interface FoundRepo {
  hubId: string;
  /** its name today */
  repo: string;
  /** true when the name asked for is a former one */
  renamed: boolean;
}

export interface UpsertOptions {
  /** family whose filter listed these rows; a fingerprint knows better and wins later */
  family?: Family;
  /** false: kept, but no work is queued for it (declared bases outside the scope, say) */
  inScope?: boolean;
  /** saved in the same transaction as the rows: after a crash the cursor is never ahead of them */
  cursor?: { key: string; value: unknown };
}

export interface UpsertCounts {
  seen: number;
  /** of those, rows this run had not seen before: listings overlap */
  first: number;
  new: number;
  /** sha, or where there is none the date of the last change, differs from the one known before */
  changed: number;
  renamed: number;
}

export interface RepoFilter {
  families?: readonly Family[];
  statuses?: readonly ModelStatus[];
  /** leave out repos the Hub no longer has; true when absent */
  presentOnly?: boolean;
}

export interface PendingQuery {
  stage: WorkStage;
  /** analyser version: repos dealt with at a lower one are pending */
  version: number;
  /** rows returned at most */
  limit: number;
  /** `key` of the last item seen, to go on after it; null or absent starts over */
  afterKey?: string | null;
  families?: readonly Family[];
}

export interface PendingRepo {
  /** hand back as `afterKey` */
  key: string;
  hubId: string;
  repo: string;
  sha: string | null;
  family: Family | null;
  hub: HubRepo;
  /** failed tries of this stage so far */
  attempts: number;
}

export interface FingerprintRow {
  hubId: string;
  sha: string | null;
  version: number;
  /** from `toWeightsKey` over the sha256 of the files read; equal keys share one row */
  weightsKey: string;
  /** encoded samples, opaque to the store */
  blob: Uint8Array;
  /** its `core` is stored beside it as float32 */
  summary: FingerprintSummary;
  status?: 'fingerprinted' | 'adapter';
}

/** What inference needs of every model; samples come through `loadBlobs`. */
export interface StoredModel extends LineageModel {
  hubId: string;
  sha: string | null;
  weightsKey: string;
}

export interface FailureInput {
  hubId: string;
  stage: StageName;
  /** analyser version: once the budget is spent the repo rests until its sha or this version changes */
  version: number;
  error: { code: ErrorCode; message: string };
  /** ISO 8601; not tried again before; null = as soon as possible */
  retryAfter?: string | null;
}

export interface FailureState {
  attempts: number;
  /** no try is left */
  exhausted: boolean;
}

export interface StoredFailure extends FailureState {
  hubId: string;
  repo: string;
  stage: StageName;
  code: ErrorCode;
  message: string;
  /** the first error of the series: later ones are often its consequence */
  first: { code: ErrorCode; message: string; at: string };
  retryAfter: string | null;
  at: string;
}

export interface DerivedRows {
  edges: readonly Edge[];
  evidence: readonly Evidence[];
  families: readonly FamilyMember[];
  virtualParents: readonly VirtualParent[];
}

/** A comparison of models by how they answer prompts (PhyloLM). */
export interface BehaviourInput {
  /** host that was asked, or name of the file of completions; shown to whoever reads the index */
  source: string;
  /** distinct prompts, and 64 hex digits that tell them from others */
  prompts: number;
  promptsHash: string;
  completions: number;
  pairs: readonly BehaviourPair[];
}

export interface BehaviourPair {
  /** names of today */
  first: string;
  second: string;
  /** Nei's, 0 to 1 */
  similarity: number;
  /** -ln of it, floored */
  distance: number;
  sharedPrompts: number;
  /** completions of each to the shared prompts */
  firstCompletions: number;
  secondCompletions: number;
}

export interface RunCounts {
  reposSeen: number;
  reposNew: number;
  reposChanged: number;
  reposGone: number;
  fingerprinted: number;
  /** repos that took the fingerprint of equal files at no bytes */
  shared: number;
  failed: number;
  edges: number;
  verdicts: number;
}

export interface RunSpending {
  requestsApi: number;
  requestsResolvers: number;
  requestsPages: number;
  requestsCdn: number;
  /** bytes received */
  bytes: number;
}

export type RunStatus = 'running' | 'done' | 'partial' | 'stopped' | 'interrupted' | 'failed';

export interface StoredRun extends RunCounts, RunSpending {
  runId: number;
  stage: StageName;
  status: RunStatus;
  startedAt: string;
  finishedAt: string | null;
}

export interface VerdictChange {
  repo: string;
  runId: number;
  /** ISO 8601 */
  at: string;
  /** verdict before, null when this is the first */
  from: VerdictKind | null;
  to: VerdictKind;
  inferred: string[];
  reason: string;
}

export interface EdgeChange {
  change: 'added' | 'removed';
  child: string;
  parent: string;
  relation: string;
  runId: number;
  /** ISO 8601 */
  at: string;
}

export interface RepoChange {
  change: 'new' | 'gone';
  repo: string;
}

export interface ViewQuery {
  /** SQL condition over the view's columns, from code and never from people; values go into params */
  where?: string;
  params?: readonly unknown[] | Record<string, unknown>;
  /** SQL ordering, from code */
  order?: string;
  limit?: number;
  offset?: number;
}

/**
 * Everything a program does with the index. Each changing method is one transaction. (This file is over 300 lines because it is the one place
 * that another database would have to fulfil.)
 */
export interface Store {
  readonly path: string;
  readonly readonly: boolean;

  // what the Hub said
  upsertRepos(rows: readonly HubRepo[], runId: number, options?: UpsertOptions): Promise<UpsertCounts>;
  findRepo(name: string): Promise<FoundRepo | null>;
  suggestRepos(name: string, limit?: number): Promise<string[]>;
  /** by `owner/name` (case folded, renames followed) or hubId */
  getRepo(nameOrHubId: string): Promise<StoredRepo | null>;
  /** in hubId order, read in pages: rows may be written meanwhile */
  iterateRepos(filter?: RepoFilter): AsyncIterable<StoredRepo>;
  countRepos(filter?: RepoFilter): Promise<number>;
  /** The Hub leads this name to the repo: whoever declares it means that one, unless another repo carries the name today. */
  saveFormerName(hubId: string, name: string, runId: number): Promise<void>;
  setGone(hubIds: readonly string[], runId: number): Promise<number>;
  /** repos in scope that the run did not see, for a complete crawl to check and set gone */
  listUnseen(runId: number, families?: readonly Family[]): Promise<FoundRepo[]>;
  setStatus(
    hubId: string,
    sha: string | null,
    version: number,
    status: ModelStatus,
    detail?: string | null,
  ): Promise<void>;

  // where a crawl stands
  getCursor<T = unknown>(key: string): Promise<T | null>;
  saveCursor(key: string, value: unknown): Promise<void>;
  clearCursor(key: string): Promise<void>;

  // files
  /** Replaces the repo's file list. `carriedVersion` is not null when the weights are those of the revision before: its fingerprint stays. */
  saveFiles(
    hubId: string,
    sha: string | null,
    files: readonly HubFile[],
  ): Promise<{ weightsKey: string | null; carriedVersion: number | null }>;
  getFiles(hubId: string): Promise<HubFile[]>;
  /** repos that hold every one of these files (lower-case hex), oldest first */
  findReposBySha256(
    sha256s: readonly string[],
  ): Promise<{ hubId: string; repo: string; createdAt: string }[]>;

  // claims
  /** Replaces the repo's claims and marks the claims stage done at `version`. */
  replaceClaims(
    hubId: string,
    sha: string | null,
    claims: readonly ResolvedClaim[],
    version?: number,
  ): Promise<void>;
  /** Points every claim at the repo it names today; returns how many changed. */
  resolveClaims(): Promise<number>;
  getClaims(hubId: string): Promise<ResolvedClaim[]>;
  /** all claims by repo name, repos without claims absent */
  loadClaims(): Promise<Map<string, ResolvedClaim[]>>;

  // work
  takePending(query: PendingQuery): Promise<PendingRepo[]>;
  countPending(query: Omit<PendingQuery, 'limit' | 'afterKey'>): Promise<number>;

  // fingerprints
  saveFingerprint(row: FingerprintRow): Promise<void>;
  /** Gives the repo the stored fingerprint of equal files; false when there is none. */
  linkFingerprint(row: {
    hubId: string;
    sha: string | null;
    version: number;
    weightsKey: string;
  }): Promise<boolean>;
  hasFingerprint(weightsKey: string, version: number): Promise<boolean>;
  /** every model with a fingerprint at `version` (any when absent), in repo order */
  loadSummaries(version?: number): AsyncIterable<StoredModel>;
  loadSummary(repo: string): Promise<StoredModel | null>;
  /** encoded samples by repo name; repos without any absent */
  loadBlobs(repos: readonly string[]): Promise<Map<string, Uint8Array>>;
  /** Deletes fingerprints no repo points to; returns how many. */
  pruneFingerprints(): Promise<number>;

  // conclusions of former inferences, by a hash over what they follow from
  recallInference(key: string): Promise<Uint8Array | null>;
  keepInference(key: string, value: Uint8Array): Promise<void>;
  /** Deletes all but the keys given; returns how many. */
  pruneInference(used: ReadonlySet<string>): Promise<number>;

  // failures
  recordFailure(failure: FailureInput): Promise<FailureState>;
  clearFailure(hubId: string, stage?: StageName): Promise<void>;
  listFailures(stage?: StageName): Promise<StoredFailure[]>;

  // conclusions
  replaceDerived(rows: DerivedRows, runId: number): Promise<void>;
  replaceVerdicts(verdicts: readonly Verdict[], runId: number): Promise<void>;
  loadEdges(): Promise<Edge[]>;
  loadEvidence(child: string, parent?: string): Promise<Evidence[]>;
  loadFamilies(): Promise<FamilyMember[]>;
  loadVirtualParents(): Promise<VirtualParent[]>;
  loadVerdicts(): Promise<Verdict[]>;
  /** verdict changes of runs after `sinceRun`, oldest first */
  listVerdictChanges(sinceRun: number): Promise<VerdictChange[]>;
  listVerdictHistory(repo: string): Promise<VerdictChange[]>;
  listEdgeChanges(sinceRun: number): Promise<EdgeChange[]>;
  /** repos that runs after `sinceRun` saw first, and those they found gone; in name order */
  listRepoChanges(sinceRun: number): Promise<RepoChange[]>;

  // behaviour: kept beside the conclusions, never a part of them
  /** Keeps these comparisons; a pair compared before is replaced. ModelUnknown for names no repo carries. */
  saveBehaviour(input: BehaviourInput): Promise<void>;
  /** models this one was compared with, those that answer most alike first, rough comparisons last */
  loadBehaviour(repo: string, options?: { other?: string; limit?: number }): Promise<ViewRows['behaviour'][]>;

  // runs
  startRun(stage: StageName): Promise<number>;
  updateRun(runId: number, counts: Partial<RunCounts & RunSpending>): Promise<void>;
  finishRun(
    runId: number,
    status: RunStatus,
    counts?: Partial<RunCounts>,
    spending?: Partial<RunSpending>,
  ): Promise<void>;
  /** newest first */
  listRuns(limit?: number, stage?: StageName): Promise<StoredRun[]>;

  // reading
  readView<V extends ViewName>(view: V, query?: ViewQuery): Promise<ViewRows[V][]>;
  countView(view: ViewName, query?: Pick<ViewQuery, 'where' | 'params'>): Promise<number>;

  // care
  /** A consistent copy while others read and write. */
  backup(path: string): Promise<void>;
  /** Problems found, none = []. */
  integrityCheck(): Promise<string[]>;
  close(): Promise<void>;
}
