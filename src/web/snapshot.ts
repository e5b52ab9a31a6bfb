import { buildReport, type ReportMethod } from '../report/index.ts';
import type { Store, StoredRun, ViewRows } from '../store/index.ts';
import type { VerdictKind } from '../types/verdict.ts';
import type { ExplorerOptions } from './contract.ts';

/** What changes with a run and not with a request: counted once, shown on many pages. */
export interface Snapshot {
  /** newest first; enough to hold the last of every stage */
  runs: readonly StoredRun[];
  lastRun: StoredRun | null;
  /** the last run that brought conclusions */
  lastDone: StoredRun | null;
  /** models by subject and label, from the `counts` view */
  counts: Map<string, { label: string; models: number }[]>;
  failures: { stage: string; code: string; models: number }[];
  /** virtual parent -> the absent base its children declare, null when none is known */
  virtualLabels: Map<string, string | null>;
  method: ReportMethod;
}

/** Failed steps read for the groups on the failures page; beyond that the numbers are lower bounds. */
export const MAX_FAILURES_COUNTED = 200_000;
const MAX_RUNS = 500;
/** A long run changes rows while its own row stays the same. */
const MAX_AGE_MS = 300_000;

/** Reads the snapshot anew when a run has moved on, or after a few minutes; between that it is the same object. */
export function createSnapshots(options: ExplorerOptions, now: () => Date): () => Promise<Snapshot> {
  let key = '';
  let readAt = 0;
  let current: Promise<Snapshot> | null = null;
  return async () => {
    const runs = await options.store.listRuns(5);
    const wanted = JSON.stringify(runs.map((run) => [run.runId, run.status, run.finishedAt]));
    if (current === null || wanted !== key || now().getTime() - readAt > MAX_AGE_MS) {
      key = wanted;
      readAt = now().getTime();
      current = readSnapshot(options, runs);
      current.catch(() => {
        current = null;
      });
    }
    return current;
  };
}

async function readSnapshot(options: ExplorerOptions, runs: readonly StoredRun[]): Promise<Snapshot> {
  const { store } = options;
  const rows = await store.readView('counts', { order: 'subject, models DESC, label' });
  const parents = await store.loadVirtualParents();
  return {
    runs: await store.listRuns(MAX_RUNS),
    lastRun: runs[0] ?? null,
    lastDone: runs.find((run) => run.finishedAt !== null && run.verdicts > 0) ?? null,
    counts: Map.groupBy(rows, (row) => row.subject),
    failures: await countFailures(store),
    virtualLabels: new Map(parents.map((parent) => [parent.id, parent.declaredLabel])),
    method: readMethod(options),
  };
}

async function countFailures(store: Store): Promise<Snapshot['failures']> {
  const rows: ViewRows['failures'][] = await store.readView('failures', { limit: MAX_FAILURES_COUNTED });
  const groups = Map.groupBy(rows, (row) => `${row.stage}\n${row.error_code}`);
  return [...groups.values()]
    .map((group) => ({ stage: group[0]!.stage, code: group[0]!.error_code, models: group.length }))
    .sort((a, b) => b.models - a.models || (a.code < b.code ? -1 : 1));
}

/** The words reports use about method and disputes. */
function readMethod(options: ExplorerOptions): ReportMethod {
  const empty = {
    models: [],
    declaredBases: [],
    edges: [],
    evidence: [],
    families: [],
    verdicts: [],
    failures: [],
    runs: [],
  };
  return buildReport(empty, {
    hubUrl: options.hubUrl,
    method: options.method,
    contradictionPValue: options.contradictionPValue,
    disputeUrl: options.disputeUrl ?? null,
  }).method;
}

export function countOf(snapshot: Snapshot, subject: string, label: string): number {
  return snapshot.counts.get(subject)?.find((row) => row.label === label)?.models ?? 0;
}

export const countVerdicts = (snapshot: Snapshot, verdicts: readonly VerdictKind[]): number =>
  verdicts.reduce((sum, verdict) => sum + countOf(snapshot, 'verdict', verdict), 0);
