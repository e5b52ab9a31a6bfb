import type { DerivedBaseModels } from './base-models.ts';
import { deriveBaseModels } from './base-models.ts';
import { createRecord } from './create-record.ts';
import type { RepoRecord, RepoSeed } from './record.ts';

/** All repos of the server, with what is derived across them. */
export interface RepoIndex {
  all(): readonly RepoRecord[];
  /** by `_id` ascending, the order of a walk by createdAt */
  byHubId(): readonly RepoRecord[];
  get(id: string): RepoRecord | undefined;
  /** exact, another case, a former name, or a bare legacy name */
  find(id: string): { repo: RepoRecord; exact: boolean } | undefined;
  /** tags with `base_model:*`, and baseModels */
  derived(repo: RepoRecord): DerivedBaseModels & { allTags: string[] };
  set(seed: RepoSeed): RepoRecord;
  remove(id: string): void;
  rename(from: string, to: string): void;
  /** forget what was derived, after a repo was changed in place */
  touch(): void;
}

export function createRepoIndex(seeds: Iterable<RepoSeed>, renames: Record<string, string>): RepoIndex {
  const repos = new Map<string, RepoRecord>();
  const folded = new Map<string, string>();
  const formerNames = new Map<string, string>();
  const bareNames = new Map<string, string>();
  let sorted: RepoRecord[] | null = null;
  let derivedCache = new WeakMap<RepoRecord, DerivedBaseModels & { allTags: string[] }>();
  const touch = () => {
    sorted = null;
    derivedCache = new WeakMap();
  };

  const index: RepoIndex = {
    all: () => [...repos.values()],
    byHubId() {
      sorted ??= [...repos.values()].sort((a, b) => (a.hubId < b.hubId ? -1 : a.hubId > b.hubId ? 1 : 0));
      return sorted;
    },
    get: (id) => repos.get(id),
    find(id) {
      const exact = repos.get(id);
      if (exact !== undefined) return { repo: exact, exact: true };
      const key = id.toLowerCase();
      let target =
        folded.get(key) ?? formerNames.get(key) ?? (id.includes('/') ? undefined : bareNames.get(key));
      // a repo may have moved more than once
      for (let hops = 0; target !== undefined && !repos.has(target) && hops < 10; hops++) {
        target = formerNames.get(target.toLowerCase());
      }
      const repo = target === undefined ? undefined : repos.get(target);
      return repo === undefined ? undefined : { repo, exact: false };
    },
    derived(repo) {
      let known = derivedCache.get(repo);
      if (known === undefined) {
        const derived = deriveBaseModels(repo, (id) => index.find(id)?.repo);
        known = { ...derived, allTags: [...repo.tags, ...derived.tags] };
        derivedCache.set(repo, known);
      }
      return known;
    },
    set(seed) {
      const record = createRecord(seed);
      repos.set(record.id, record);
      register(record.id);
      touch();
      return record;
    },
    remove(id) {
      if (!repos.delete(id)) return;
      folded.delete(id.toLowerCase());
      touch();
    },
    rename(from, to) {
      const repo = repos.get(from);
      if (repo === undefined) throw new Error(`no repo ${from}`);
      repos.delete(from);
      folded.delete(from.toLowerCase());
      repo.id = to;
      repos.set(to, repo);
      register(to);
      formerNames.set(from.toLowerCase(), to);
      touch();
    },
    touch,
  };
  const register = (id: string) => {
    folded.set(id.toLowerCase(), id);
    const name = id.slice(id.indexOf('/') + 1).toLowerCase();
    if (!bareNames.has(name)) bareNames.set(name, id);
  };

  for (const seed of seeds) index.set(seed);
  for (const [from, to] of Object.entries(renames)) formerNames.set(from.toLowerCase(), to);
  return index;
}
