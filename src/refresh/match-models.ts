import { normalizeRepoName } from '../claims/index.ts';
import type { Store } from '../store/index.ts';

/** Names somebody used, held against the repos of the index. */
export interface MatchedModels {
  /** name as given -> today's name of the repo; one name a repo */
  repos: Map<string, string>;
  /** names that lead to no repo */
  unknown: string[];
  /** names of a repo that another name already stands for: which of them was meant cannot be told */
  repeated: { name: string; repo: string }[];
}

/**
 * Finds the repos that names mean, as it is done for declared bases: addresses and revisions are taken off, case is folded, renames are
 * followed. Where several names mean one repo, its own name wins, else the first.
 */
export async function matchModels(store: Store, names: readonly string[]): Promise<MatchedModels> {
  const found: { name: string; repo: string }[] = [];
  const unknown: string[] = [];
  for (const name of names) {
    const normalized = normalizeRepoName(name);
    const repo = normalized === null ? null : await store.findRepo(normalized);
    if (repo === null) unknown.push(name);
    else found.push({ name, repo: repo.repo });
  }
  const exact = new Set(found.filter(({ name, repo }) => name === repo).map(({ repo }) => repo));
  const repos = new Map<string, string>();
  const taken = new Set<string>();
  const repeated: MatchedModels['repeated'] = [];
  for (const { name, repo } of found) {
    if (taken.has(repo) || (exact.has(repo) && name !== repo)) {
      repeated.push({ name, repo });
      continue;
    }
    taken.add(repo);
    repos.set(name, repo);
  }
  return { repos, unknown, repeated };
}
