import type { RunContext } from './context.ts';
import { readRepo } from './read-repo.ts';
import { isHubTrouble, throwIfAborted } from './stopping.ts';

/** A narrowed scope leaves most of an index unseen: it is asked about over several nights, so that new repos are not kept waiting. */
const MAX_LOOKUPS_A_RUN = 5000;

/**
 * After a full walk: whoever was not seen is asked for by name. Deleted and private repos never show in lists.
 * @returns false when some could not be asked for, or not all this time
 */
export async function findGone(context: RunContext, walkId: number): Promise<boolean> {
  const { store, counts, emit } = context;
  const unseen = await store.listUnseen(walkId, context.config.scope.families);
  let all = unseen.length <= MAX_LOOKUPS_A_RUN;
  for (const { hubId, repo: name } of unseen.slice(0, MAX_LOOKUPS_A_RUN)) {
    throwIfAborted(context.signal);
    try {
      const repo = await readRepo(context, name);
      if (repo?.hubId === hubId) {
        await store.upsertRepos([repo], walkId);
        continue;
      }
      counts.reposGone += await store.setGone([hubId], context.runId);
      emit({
        type: 'remark',
        message: `${name} is gone from the Hub (deleted or private); its history stays`,
      });
      // the name belongs to another repo now; the walk would have seen it, were it of our scope
      if (repo !== null) await store.upsertRepos([repo], walkId, { inScope: false });
    } catch (error) {
      if (!isHubTrouble(error)) throw error;
      all = false;
      emit({ type: 'remark', message: `whether ${name} is gone could not be asked: ${error.message}` });
    }
  }
  return all;
}
