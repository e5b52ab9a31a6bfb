import type { HubClient } from '../hub/index.ts';
import type { RunCounts, Store } from '../store/index.ts';
import type { Config } from '../types/config.ts';
import type { HublineageError } from '../types/errors.ts';
import type { EventSink } from './events.ts';

/** What every stage works with. Clock and network come in here and nowhere else. */
export interface RunContext {
  config: Config;
  store: Store;
  /** opened on first use: stages that only read the database never touch the network */
  hub: HubClient;
  /** id of this run in the store */
  runId: number;
  counts: RunCounts;
  emit: EventSink;
  now: () => Date;
  /** asked to stop: nothing new is begun, what is under way is finished */
  signal: AbortSignal;
  /** why the run will have to go on another time although it was not stopped, or null */
  unfinished: HublineageError | null;
}

export function emptyCounts(): RunCounts {
  return {
    reposSeen: 0,
    reposNew: 0,
    reposChanged: 0,
    reposGone: 0,
    fingerprinted: 0,
    shared: 0,
    failed: 0,
    edges: 0,
    verdicts: 0,
  };
}
