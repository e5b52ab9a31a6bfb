import type { ScoredPair } from '../../src/lineage/methods/index.ts';

/** child -> true parents, for the models a method was given */
export type TrueParents = ReadonlyMap<string, readonly string[]>;

export interface PairScore {
  /** share of children whose named parent is a true one: pair and direction (Neural Phylogeny's score) */
  strict: number;
  /** share of the pairs named that are true */
  precision: number;
  /** share of models named right among all that stand at this distance above any model (Neural Lineage's task); null without such models */
  ancestors: [parent: number | null, grandparent: number | null, greatGrandparent: number | null];
}

/** Scores pairs against truth; a copy or cast of a parent counts as it. Children without a true parent in the set are not counted; a parent given to them costs precision. */
export function scorePairs(
  pairs: readonly ScoredPair[],
  truth: TrueParents,
  originalOf: (repo: string) => string = (repo) => repo,
): PairScore {
  const byChild = Map.groupBy(pairs, (pair) => pair.child);
  const children = [...truth].filter(([, parents]) => parents.some((parent) => truth.has(parent)));
  const best = new Map([...byChild].map(([child, own]) => [child, argMax(own)?.parent]));
  const isRight = (child: string) => {
    const named = best.get(child);
    return (
      named !== undefined && truth.get(child)!.some((parent) => originalOf(parent) === originalOf(named))
    );
  };
  const right = children.filter(([child]) => isRight(child)).length;
  const level = (k: number) => scoreAncestors(byChild, truth, k, originalOf);
  return {
    strict: right / Math.max(1, children.length),
    precision: right / Math.max(1, best.size),
    ancestors: [level(1), level(2), level(3)],
  };
}

/** Chosen edges of a method that scores none, closed over paths: an ancestor's score is the product along the way. */
export function closeOverPaths(edges: readonly ScoredPair[]): ScoredPair[] {
  const byChild = Map.groupBy(edges, (edge) => edge.child);
  const closed: ScoredPair[] = [];
  for (const child of byChild.keys()) {
    const reached = new Map<string, number>([[child, 1]]);
    const queue = [child];
    for (let at = queue.shift(); at !== undefined; at = queue.shift())
      for (const { parent, score } of byChild.get(at) ?? []) {
        if (reached.has(parent)) continue;
        reached.set(parent, reached.get(at)! * score);
        queue.push(parent);
      }
    reached.delete(child);
    for (const [parent, score] of reached) closed.push({ parent, child, score });
  }
  return closed;
}

function scoreAncestors(
  byChild: ReadonlyMap<string, readonly ScoredPair[]>,
  truth: TrueParents,
  k: number,
  originalOf: (repo: string) => string,
): number | null {
  const above = new Map([...truth.keys()].map((child) => [child, ancestorsAt(truth, child, k)]));
  const candidates = new Set([...above.values()].flatMap((set) => [...set]));
  const asked = [...above].filter(([, set]) => set.size > 0);
  if (asked.length === 0) return null;
  const right = asked.filter(([child, set]) => {
    const answer = argMax((byChild.get(child) ?? []).filter(({ parent }) => candidates.has(parent)));
    return answer !== undefined && [...set].some((repo) => originalOf(repo) === originalOf(answer.parent));
  });
  return right.length / asked.length;
}

function ancestorsAt(truth: TrueParents, child: string, k: number): Set<string> {
  let level = new Set([child]);
  for (let step = 0; step < k; step++)
    level = new Set(
      [...level].flatMap((repo) => (truth.get(repo) ?? []).filter((parent) => truth.has(parent))),
    );
  return level;
}

function argMax(pairs: readonly ScoredPair[]): ScoredPair | undefined {
  let best: ScoredPair | undefined;
  for (const pair of pairs)
    if (!best || pair.score > best.score || (pair.score === best.score && pair.parent < best.parent))
      best = pair;
  return best;
}
