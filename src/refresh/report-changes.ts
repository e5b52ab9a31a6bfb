import type { ChangeRows } from '../report/index.ts';
import type { Store, StoredRun } from '../store/index.ts';

/** Runs looked through for the last one that got to its report. */
const RUNS_LOOKED_AT = 200;

/**
 * What changed since an earlier run, from the histories the index keeps; without `sinceRun`, since the last refresh that finished before
 * the newest one. Null when there is no such run: on a first night everything is new, which is not a change.
 */
export async function readChanges(store: Store, sinceRun?: number): Promise<ChangeRows | null> {
  const run = sinceRun === undefined ? await findRunBefore(store) : await findRun(store, sinceRun);
  if (run === null) return null;
  const repos = await store.listRepoChanges(run.runId);
  const named = (change: 'new' | 'gone') =>
    repos.filter((row) => row.change === change).map((row) => row.repo);
  return {
    since_run: run.runId,
    since: run.finishedAt,
    new_models: named('new'),
    gone_models: named('gone'),
    edges: netEdges(await store.listEdgeChanges(run.runId)),
    verdicts: netVerdicts(await store.listVerdictChanges(run.runId)),
  };
}

/** The refresh a report compares with: the newest one that finished, the run reported on itself left out. */
async function findRunBefore(store: Store): Promise<StoredRun | null> {
  const [, ...before] = await store.listRuns(RUNS_LOOKED_AT, 'refresh');
  // a run that was stopped half-way told nobody what it had found
  return before.find(({ status }) => status === 'done' || status === 'partial') ?? null;
}

async function findRun(store: Store, runId: number): Promise<StoredRun | null> {
  return (await store.listRuns(Number.MAX_SAFE_INTEGER)).find((run) => run.runId === runId) ?? null;
}

/** Over several runs, what came and went again is no change. */
function netEdges(changes: Awaited<ReturnType<Store['listEdgeChanges']>>): ChangeRows['edges'] {
  const net = new Map<string, { first: string; last: (typeof changes)[number] }>();
  for (const row of changes) {
    const key = `${row.child}\n${row.parent}\n${row.relation}`;
    net.set(key, { first: net.get(key)?.first ?? row.change, last: row });
  }
  return [...net.values()].flatMap(({ first, last }) =>
    first === last.change
      ? [
          {
            change: last.change,
            child: last.child,
            parent: last.parent,
            relation: last.relation as ChangeRows['edges'][number]['relation'],
          },
        ]
      : [],
  );
}

/** From the verdict a model had then to the one it has now. */
function netVerdicts(changes: Awaited<ReturnType<Store['listVerdictChanges']>>): ChangeRows['verdicts'] {
  const net = new Map<string, ChangeRows['verdicts'][number]>();
  for (const { repo, from, to } of changes)
    net.set(repo, { repo, from: net.has(repo) ? net.get(repo)!.from : from, to });
  return [...net.values()];
}
