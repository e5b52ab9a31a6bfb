import { normalizeRepoName } from '../claims/index.ts';
import { classifyFamily } from './classify-family.ts';
import type { RunContext } from './context.ts';
import { readRepo } from './read-repo.ts';
import { isHubTrouble, throwIfAborted } from './stopping.ts';

/** How long a name that was not on the Hub is not asked for again. */
const MISSING_NAME_MS = 7 * 86_400_000;
/** Anybody can declare any number of names; each costs a request. Most declared first, the rest on other nights. */
const MAX_LOOKUPS_A_RUN = 5000;
/** Names of one repo that are worth a request; the largest merges on the Hub have a few dozen parents. */
const MAX_NAMES_A_REPO = 50;
const ROWS_A_READ = 10_000;

/**
 * Declared names that no indexed repo carries are asked for once, so that "not on the Hub" is the Hub's word and not ours. What exists is
 * kept as a repo outside the scope; what does not is remembered for a week.
 * @param asked names asked for in this run, each once
 * @returns whether a repo was found, whose own claims are now due
 */
export async function lookUpNames(context: RunContext, asked: Set<string>): Promise<boolean> {
  const { store, emit } = context;
  await store.resolveClaims();
  let found = 0;
  let left = 0;
  for (const name of await listUnknownNames(context)) {
    throwIfAborted(context.signal);
    if (asked.has(name)) continue;
    const key = `missing:${context.config.hub.endpoint}|${name.toLowerCase()}`;
    const missingSince = await store.getCursor<string>(key);
    if (missingSince !== null && context.now().getTime() - Date.parse(missingSince) < MISSING_NAME_MS)
      continue;
    if (asked.size === MAX_LOOKUPS_A_RUN) {
      left++;
      continue;
    }
    asked.add(name);
    try {
      const repo = await readRepo(context, name);
      if (repo === null) {
        await store.saveCursor(key, context.now().toISOString());
        continue;
      }
      const family = classifyFamily(repo);
      await store.upsertRepos([repo], context.runId, { inScope: false, ...(family ? { family } : {}) });
      // asked by a former name, the Hub answers with today's
      if (repo.repo.toLowerCase() !== name.toLowerCase())
        await store.saveFormerName(repo.hubId, name, context.runId);
      if (missingSince !== null) await store.clearCursor(key);
      found++;
    } catch (error) {
      if (!isHubTrouble(error)) throw error;
      emit({ type: 'remark', message: `whether ${name} is on the Hub could not be asked: ${error.message}` });
    }
  }
  if (left > 0) emit({ type: 'remark', message: `${left} declared names are left to ask for another night` });
  if (found > 0) await store.resolveClaims();
  return found > 0;
}

/** Names that lead nowhere yet, most declared first; read in pages, since rows may be many more than names. */
async function listUnknownNames(context: RunContext): Promise<string[]> {
  const counts = new Map<string, { name: string; repos: number }>();
  let repo = '';
  let namesOfRepo = 0;
  for (let offset = 0; ; offset += ROWS_A_READ) {
    const rows = await context.store.readView('declared_bases', {
      where: 'resolved_repo IS NULL',
      order: 'repo, source, declared',
      limit: ROWS_A_READ,
      offset,
    });
    for (const row of rows) {
      if (row.repo !== repo) {
        repo = row.repo;
        namesOfRepo = 0;
      }
      const name = normalizeRepoName(row.declared);
      if (name === null || ++namesOfRepo > MAX_NAMES_A_REPO) continue;
      const folded = name.toLowerCase();
      const known = counts.get(folded);
      if (known === undefined) counts.set(folded, { name, repos: 1 });
      else known.repos++;
    }
    if (rows.length < ROWS_A_READ) break;
  }
  return [...counts.values()]
    .sort((a, b) => b.repos - a.repos || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}
