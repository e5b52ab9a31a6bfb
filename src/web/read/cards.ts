import type { Store, ViewRows } from '../../store/index.ts';
import type { Relation } from '../../types/lineage.ts';
import type { VerdictKind } from '../../types/verdict.ts';

/** What lists and trees say about a model. */
export interface ModelCard {
  repo: string;
  /** what to call it: the repo, or for a virtual parent the absent base its children declare */
  label: string;
  virtual: boolean;
  verdict: VerdictKind | null;
  downloads: number | null;
  family: string | null;
}

/** A list of names as one parameter, so that a list of any length is the same prepared statement. */
const IN_LIST = 'IN (SELECT value FROM json_each(?))';

export async function readEdgesOf(store: Store, children: readonly string[]): Promise<ViewRows['edges'][]> {
  return store.readView('edges', {
    where: `child ${IN_LIST} AND rank = 1`,
    params: [JSON.stringify(children)],
    order: 'child, weight DESC, parent',
  });
}

export async function readModels(
  store: Store,
  repos: readonly string[],
): Promise<Map<string, ViewRows['models']>> {
  const rows = await store.readView('models', {
    where: `repo ${IN_LIST}`,
    params: [JSON.stringify(repos)],
  });
  return new Map(rows.map((row) => [row.repo, row]));
}

export async function readVerdicts(
  store: Store,
  repos: readonly string[],
): Promise<Map<string, ViewRows['verdicts']>> {
  const rows = await store.readView('verdicts', {
    where: `repo ${IN_LIST}`,
    params: [JSON.stringify(repos)],
  });
  return new Map(rows.map((row) => [row.repo, row]));
}

export function labelOf(repo: string, labels: ReadonlyMap<string, string | null>): string {
  const label = labels.get(repo);
  if (label) return `${label} (absent)`;
  return isVirtual(repo, labels) ? 'absent parent' : repo;
}

export const isVirtual = (repo: string, labels: ReadonlyMap<string, string | null>): boolean =>
  labels.has(repo) || repo.startsWith('virtual/');

/** Cards of all names, in the order given. */
export async function readCards(
  store: Store,
  labels: ReadonlyMap<string, string | null>,
  repos: readonly string[],
): Promise<Map<string, ModelCard>> {
  const models = await readModels(store, repos);
  const verdicts = await readVerdicts(store, repos);
  return new Map(
    repos.map((repo) => [
      repo,
      {
        repo,
        label: labelOf(repo, labels),
        virtual: isVirtual(repo, labels) && !models.has(repo),
        verdict: verdicts.get(repo)?.verdict ?? null,
        downloads: models.get(repo)?.downloads ?? null,
        family: models.get(repo)?.family ?? null,
      },
    ]),
  );
}

export interface RelationCount {
  relation: Relation;
  count: number;
}
