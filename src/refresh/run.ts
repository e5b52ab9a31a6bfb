import {
  createHubClient,
  createSystemClock,
  type HubBudget,
  type HubClient,
  type HubClock,
  type HubEvent,
} from '../hub/index.ts';
import { checkLineageMethod } from '../lineage/index.ts';
import type { ReportDocument } from '../report/index.ts';
import { openStore, type RunSpending, type RunStatus, type StageName, type Store } from '../store/index.ts';
import type { Config } from '../types/config.ts';
import { type HublineageError, isHublineageError, toHublineageError } from '../types/errors.ts';
import { VERSION } from '../types/version.ts';
import { audit } from './audit-stage.ts';
import { readClaims } from './claims-stage.ts';
import { emptyCounts, type RunContext } from './context.ts';
import { crawl } from './crawl.ts';
import { delayAbort } from './delay-abort.ts';
import type { EventSink, Stage } from './events.ts';
import { fingerprintPending } from './fingerprint-stage.ts';
import { infer } from './infer-stage.ts';
import { acquireLock } from './lock.ts';
import { writeMetrics } from './metrics-file.ts';
import { type WrittenReport, writeReports } from './report-stage.ts';
import { isLimit, isStopping, throwIfAborted } from './stopping.ts';

export interface RunOptions {
  config: Config;
  /** stages to run, in this order */
  stages: readonly Stage[];
  /** what the lock and the run's row call it */
  name: StageName;
  emit: EventSink;
  signal: AbortSignal;
  now?: () => Date;
  /** what requests wait by; the machine's clock when absent */
  hubClock?: HubClock;
  /** longest that work under way may go on after `signal`; 8,000 when absent */
  graceMs?: number;
  /** crawl: walk everything again; infer: rebuild even where nothing changed */
  full?: boolean;
}

export interface RunOutcome {
  runId: number;
  status: RunStatus;
  counts: RunContext['counts'];
  spending: RunSpending;
  /** repos that could not be read and still count as failed */
  failures: { repo: string; stage: string; code: string; message: string }[];
  reports: WrittenReport[];
  /** what they were made of; null where no report was due, or it was not reached */
  document: ReportDocument | null;
  /** why it ended early, when it did */
  stoppedBy: HublineageError | null;
  /** no repo was new or changed, and nothing was read */
  nothingNew: boolean;
}

/** Work under way at the first SIGTERM is to end within ten seconds; what is still waiting for the Hub then is given up. */
const GRACE_MS = 8000;
/** Stages that ask the Hub: after a limit of the run they are left out, and the others conclude from what is there. */
const ONLINE: readonly Stage[] = ['crawl', 'claims', 'fingerprint'];

const USER_AGENT_URL = 'https://www.npmjs.com/package/hublineage';

/** What the Hub's people see of us: the tool, its version, and how to reach whoever runs it. */
function describeUserAgent(contact: string | null): string {
  return `hublineage/${VERSION} (${contact ?? USER_AGENT_URL})`;
}

/** The instant a time of day such as `06:00` comes next, ms since epoch, local time. */
function nextTimeOfDay(time: string, now: Date): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const at = new Date(now);
  at.setHours(hours, minutes, 0, 0);
  if (at.getTime() <= now.getTime()) at.setDate(at.getDate() + 1);
  return at.getTime();
}

export function createRunHub(
  config: Config,
  options: { emit: EventSink; signal?: AbortSignal; now: () => Date; clock?: HubClock | undefined },
): HubClient {
  const budget: HubBudget = {
    maxRequests: config.run.maxRequests,
    maxBytes: config.run.maxBytes,
    deadlineAt: config.run.deadline === null ? null : nextTimeOfDay(config.run.deadline, options.now()),
  };
  return createHubClient({
    ...config.hub,
    userAgent: describeUserAgent(config.hub.contact),
    clock: options.clock ?? createSystemClock(),
    budget,
    signal: options.signal,
    onEvent: (event) => tellHubEvent(event, options.emit),
  });
}

function tellHubEvent(event: HubEvent, emit: EventSink): void {
  if (event.type === 'wait' && event.waitMs >= 1000)
    emit({ type: 'wait', message: event.message, waitMs: event.waitMs });
  else if (event.type === 'renamed')
    emit({ type: 'remark', message: `${event.from} is called ${event.to} today` });
  else if (event.type === 'remark') emit({ type: 'remark', message: `${event.where}: ${event.message}` });
}

/**
 * Runs stages under the database's lock. An early end (quota, limit, deadline, interruption, Hub out of reach) is an outcome, not an
 * exception: whatever was finished is kept, and the same call goes on from there.
 * @throws HublineageError LockHeld, DatabaseInvalid, or what a stage could not foresee
 */
export async function runStages(options: RunOptions): Promise<RunOutcome> {
  const now = options.now ?? (() => new Date());
  const { config, emit, signal } = options;
  // a night's crawl must not end at a misspelt name
  if (options.stages.includes('infer')) checkLineageMethod(config.lineage.method);
  const lock = acquireLock(config.database.file, options.name, now);
  let store: Store | null = null;
  let hub: HubClient | null = null;
  const grace = delayAbort(signal, options.graceMs ?? GRACE_MS);
  try {
    store = await openStore(config.database.file, { now });
    hub = createRunHub(config, { emit, signal: grace.signal, now, clock: options.hubClock });
    const runId = await store.startRun(options.name);
    const context: RunContext = {
      config,
      store,
      hub,
      runId,
      counts: emptyCounts(),
      emit,
      now,
      signal,
      unfinished: null,
    };
    let stoppedBy: HublineageError | null = null;
    let written: Awaited<ReturnType<typeof writeReports>> | null = null;
    for (const stage of options.stages) {
      if (stoppedBy !== null && ONLINE.includes(stage)) continue;
      try {
        throwIfAborted(signal);
        if (stage === 'report') {
          // the report tells about this run: what it counted must be in its row first
          await store.updateRun(runId, { ...context.counts, ...spendingOf(hub) });
          written = await writeReports(context);
        } else await runStage(context, stage, options.full === true);
      } catch (cause) {
        const error = toHublineageError(cause);
        if (!isStopping(error)) {
          await store.finishRun(runId, 'failed', context.counts, spendingOf(hub));
          await writeMetrics(store, config);
          throw cause;
        }
        stoppedBy = error;
        if (!isLimit(error)) break;
      }
    }
    stoppedBy ??= context.unfinished;
    const failures = await store.listFailures();
    const status = endStatus(stoppedBy, failures.length);
    await store.finishRun(runId, status, context.counts, spendingOf(hub));
    await writeMetrics(store, config);
    const { counts } = context;
    return {
      runId,
      status,
      counts,
      spending: spendingOf(hub),
      failures: failures.map(({ repo, stage, code, message }) => ({ repo, stage, code, message })),
      reports: written?.reports ?? [],
      document: written?.document ?? null,
      stoppedBy,
      nothingNew:
        counts.reposNew +
          counts.reposChanged +
          counts.reposGone +
          counts.fingerprinted +
          counts.shared +
          counts.failed ===
        0,
    };
  } finally {
    grace.end();
    await hub?.close();
    await store?.close();
    lock.release();
  }
}

function endStatus(stoppedBy: HublineageError | null, failures: number): RunStatus {
  if (isHublineageError(stoppedBy, 'Interrupted')) return 'interrupted';
  if (stoppedBy !== null) return 'stopped';
  return failures > 0 ? 'partial' : 'done';
}

function spendingOf(hub: HubClient): RunSpending {
  const { requestsByBucket, bytes } = hub.stats();
  return {
    requestsApi: requestsByBucket.api,
    requestsResolvers: requestsByBucket.resolvers,
    requestsPages: requestsByBucket.pages,
    requestsCdn: requestsByBucket.cdn,
    bytes,
  };
}

async function runStage(context: RunContext, stage: Stage, full: boolean): Promise<void> {
  const startedAt = context.now().getTime();
  if (stage !== 'fingerprint') context.emit({ type: 'stage-start', stage, total: null });
  const summary = await STAGE_WORK[stage](context, full);
  await context.store.updateRun(context.runId, context.counts);
  context.emit({ type: 'stage-end', stage, summary, elapsedMs: context.now().getTime() - startedAt });
}

const STAGE_WORK: Record<Stage, (context: RunContext, full: boolean) => Promise<string>> = {
  async crawl(context, full) {
    await crawl(context, { full });
    const { reposSeen, reposNew, reposChanged, reposGone } = context.counts;
    return `${reposSeen} repos seen, ${reposNew} new, ${reposChanged} changed${reposGone > 0 ? `, ${reposGone} gone` : ''}`;
  },
  async claims(context) {
    return `${await readClaims(context)} cards read`;
  },
  async fingerprint(context) {
    await fingerprintPending(context);
    const { fingerprinted, shared, failed } = context.counts;
    if (fingerprinted + shared + failed === 0) return 'nothing new to read';
    return `${fingerprinted} read, ${shared} known by their file hashes, ${failed} failed`;
  },
  async infer(context, full) {
    const changed = await infer(context, { all: full });
    return changed ? `${context.counts.edges} edges` : `nothing new; ${context.counts.edges} edges stand`;
  },
  async audit(context) {
    await audit(context);
    return `${context.counts.verdicts} verdicts`;
  },
  async report() {
    return '';
  },
};
