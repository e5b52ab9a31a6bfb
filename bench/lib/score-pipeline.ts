import { measureReliability, type Reliability } from './reliability.ts';
import { createOriginalOf, relationOf, type Truth, trueRoot } from './truth.ts';

export interface ScoredEdge {
  child: string;
  parent: string;
  relation: string;
  probability: number;
  rank: number;
}

export interface RelationScore {
  relation: string;
  models: number;
  /** share whose chosen parents are the true ones, a copy or cast of a parent counting as it */
  right: number;
  /** the same by exact names */
  strict: number;
  /** share whose relation is named right as well */
  relationRight: number;
  /** share whose true parents are all among chosen and tied ones */
  inTieSet: number;
}

/** Directed parent accuracy by relation; roots, and children of deleted ones, are right when no repo is chosen. */
export function scoreEdges(
  truth: Truth,
  edges: readonly ScoredEdge[],
): { byRelation: RelationScore[]; total: RelationScore; mergeF1: number | null } {
  const originalOf = createOriginalOf(truth);
  const byChild = Map.groupBy(edges, (edge) => edge.child);
  const rows = Object.entries(truth).map(([repo, row]) => {
    const parents = row.parents.filter((parent) => parent in truth);
    const deleted = parents.length < row.parents.length;
    // a deleted parent can only be answered by none or by a virtual one; for anybody else a virtual one is a wrong answer
    const own = (byChild.get(repo) ?? []).filter((edge) => !deleted || edge.parent in truth);
    const chosen = own.filter((edge) => edge.rank === 1);
    const chosenParents = new Set(chosen.map((edge) => edge.parent));
    const standIn = (parent: string) => originalOf(parent);
    return {
      relation: relationOf(row.relation),
      right: equalSets(new Set([...chosenParents].map(standIn)), new Set(parents.map(standIn))),
      strict: equalSets(chosenParents, new Set(parents)),
      relationRight:
        parents.length === 0
          ? chosen.length === 0
          : chosen.length > 0 && chosen.every((edge) => edge.relation === relationOf(row.relation)),
      inTieSet: parents.every((parent) => own.some((edge) => standIn(edge.parent) === standIn(parent))),
      chosenMerge: new Set([...chosenParents].map(standIn)),
      trueParents: new Set(parents.map(standIn)),
    };
  });
  const summarise = (relation: string, group: typeof rows): RelationScore => ({
    relation,
    models: group.length,
    right: share(group, (row) => row.right),
    strict: share(group, (row) => row.strict),
    relationRight: share(group, (row) => row.relationRight),
    inTieSet: share(group, (row) => row.inTieSet),
  });
  const byRelation = [...Map.groupBy(rows, (row) => row.relation)].map(([relation, group]) =>
    summarise(relation, group),
  );
  const merges = rows.filter((row) => row.relation === 'merge');
  return {
    byRelation: byRelation.sort((a, b) => b.models - a.models || (a.relation < b.relation ? -1 : 1)),
    total: summarise('all', rows),
    mergeF1: merges.length === 0 ? null : parentF1(merges),
  };
}

/** F1 over (merge, parent) pairs, pooled. */
function parentF1(merges: readonly { chosenMerge: Set<string>; trueParents: Set<string> }[]): number {
  const hits = merges.reduce((sum, row) => sum + row.chosenMerge.intersection(row.trueParents).size, 0);
  const said = merges.reduce((sum, row) => sum + row.chosenMerge.size, 0);
  const there = merges.reduce((sum, row) => sum + row.trueParents.size, 0);
  return hits === 0 ? 0 : (2 * hits) / (said + there);
}

export interface FamilyScore {
  trueFamilies: number;
  /** families whose members are found exactly */
  exact: number;
  /** of all pairs of models said to be of one family, the share that is; and of all that are, the share said to be */
  pairPrecision: number;
  pairRecall: number;
}

export function scoreFamilies(truth: Truth, rootOf: ReadonlyMap<string, string>): FamilyScore {
  const repos = Object.keys(truth).filter((repo) => rootOf.has(repo));
  const trueGroups = Map.groupBy(repos, (repo) => trueRoot(truth, repo));
  const foundGroups = Map.groupBy(repos, (repo) => rootOf.get(repo) as string);
  const foundKeys = new Set([...foundGroups.values()].map((group) => group.sort().join('\n')));
  let both = 0;
  for (const group of trueGroups.values()) {
    const parts = Map.groupBy(group, (repo) => rootOf.get(repo) as string);
    for (const part of parts.values()) both += pairs(part.length);
  }
  const sumPairs = (groups: Map<string, string[]>) =>
    [...groups.values()].reduce((sum, group) => sum + pairs(group.length), 0);
  return {
    trueFamilies: trueGroups.size,
    exact: [...trueGroups.values()].filter((group) => foundKeys.has(group.sort().join('\n'))).length,
    pairPrecision: both / Math.max(1, sumPairs(foundGroups)),
    pairRecall: both / Math.max(1, sumPairs(trueGroups)),
  };
}

export interface VerdictScore {
  /** declared_status -> verdict -> models */
  table: Record<string, Record<string, number>>;
  contradicted: {
    precision: number | null;
    recall: number | null;
    said: number;
    wrong: number;
    falselyAccused: string[];
    missed: string[];
  };
}

/** How verdicts meet the way declarations were made; a wrong declaration names a model the child does not descend from. */
export function scoreVerdicts(
  truth: Truth,
  verdicts: readonly { repo: string; verdict: string }[],
): VerdictScore {
  const table: VerdictScore['table'] = {};
  for (const { repo, verdict } of verdicts) {
    const status = truth[repo]?.declared_status;
    if (status === undefined) continue;
    const row = table[status] ?? {};
    row[verdict] = (row[verdict] ?? 0) + 1;
    table[status] = row;
  }
  const said = verdicts.filter((row) => row.verdict === 'contradicted').map((row) => row.repo);
  const wrong = Object.keys(truth).filter((repo) => truth[repo]?.declared_status === 'wrong');
  const hits = said.filter((repo) => wrong.includes(repo));
  return {
    table,
    contradicted: {
      precision: said.length === 0 ? null : hits.length / said.length,
      recall: wrong.length === 0 ? null : hits.length / wrong.length,
      said: said.length,
      wrong: wrong.length,
      falselyAccused: said.filter((repo) => !wrong.includes(repo)),
      missed: wrong.filter((repo) => !said.includes(repo)),
    },
  };
}

/** Stated probability against truth, over chosen parents. */
export function scoreCalibration(truth: Truth, edges: readonly ScoredEdge[]): Reliability {
  const originalOf = createOriginalOf(truth);
  const chosen = edges.filter((edge) => edge.rank === 1 && edge.child in truth);
  return measureReliability(
    chosen.map((edge) => ({
      probability: edge.probability,
      right: (truth[edge.child]?.parents ?? []).some((parent) =>
        parent in truth ? originalOf(parent) === originalOf(edge.parent) : !(edge.parent in truth),
      ),
    })),
  );
}

const pairs = (n: number) => (n * (n - 1)) / 2;
const share = <T>(rows: readonly T[], test: (row: T) => boolean) =>
  rows.length === 0 ? 0 : rows.filter(test).length / rows.length;
const equalSets = (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.size === b.size && a.isSubsetOf(b);
