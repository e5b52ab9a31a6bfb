import { toWeightsKey } from '../store/index.ts';
import type { RunContext } from './context.ts';
import { expectedWeightFiles } from './expected-weight-files.ts';
import { yieldToSignals } from './stopping.ts';

/** Set before the first new fingerprint or gated repo is saved, cleared after linking: a killed run links the next time. */
const DUE_KEY = 'gated-links-due';
const REPOS_BETWEEN_YIELDS = 500;

/** To be called before anything is saved that a gated repo could be linked by. */
export async function noteNewFingerprints({ store }: Pick<RunContext, 'store'>): Promise<void> {
  if ((await store.getCursor(DUE_KEY)) === null) await store.saveCursor(DUE_KEY, true);
}

/** A gated repo whose files an open repo holds too takes that one's fingerprint; looked at whenever either of them is new. */
export async function linkGated(context: RunContext, version: number): Promise<void> {
  const { store, counts, signal } = context;
  if ((await store.getCursor(DUE_KEY)) === null) return;
  const families = context.config.scope.families;
  let seen = 0;
  for await (const repo of store.iterateRepos({ statuses: ['gated'], families })) {
    if (++seen % REPOS_BETWEEN_YIELDS === 0) await yieldToSignals(signal);
    const key = toWeightsKey(expectedWeightFiles(await store.getFiles(repo.hubId), repo.repo));
    if (key === null) continue;
    if (await store.linkFingerprint({ hubId: repo.hubId, sha: repo.hub.sha, version, weightsKey: key }))
      counts.shared++;
  }
  await store.clearCursor(DUE_KEY);
}
