import { classifyFamily } from './classify-family.ts';
import type { RunContext } from './context.ts';
import { readRepo } from './read-repo.ts';
import { isHubTrouble, throwIfAborted } from './stopping.ts';

/** Reads the repos of `scope.repos`, which no listing need hold. */
export async function readExplicitRepos(context: RunContext): Promise<void> {
  const { counts, emit } = context;
  for (const name of context.config.scope.repos) {
    throwIfAborted(context.signal);
    try {
      const repo = await readRepo(context, name);
      if (repo === null) {
        emit({ type: 'remark', message: `${name} of scope.repos is not on the Hub (or private)` });
        continue;
      }
      const family = classifyFamily(repo);
      const saved = await context.store.upsertRepos([repo], context.runId, family ? { family } : {});
      counts.reposSeen += saved.first;
      counts.reposNew += saved.new;
      counts.reposChanged += saved.changed;
    } catch (error) {
      if (!isHubTrouble(error)) throw error;
      context.unfinished ??= error;
      emit({ type: 'remark', message: `${name} of scope.repos could not be asked for: ${error.message}` });
    }
  }
}
