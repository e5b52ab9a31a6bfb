import type { Edge } from '../types/lineage.ts';
import { chooseDeclared } from './declared.ts';
import type { AuditInput, AuditWorld, DeclaredFacts } from './types.ts';

/** Generations walked upwards; cycles cannot hold us longer than this either. */
const MAX_DEPTH = 200;
const NOTHING: readonly never[] = [];

/** Key of the comparison of a model with another one. Repo names hold no line breaks. */
export const pairKey = (child: string, other: string): string => `${child}\n${other}`;

/** Everything each model's verdict depends on, gathered from the whole index; in the order of `world.models`. */
export function* buildAuditInputs(world: AuditWorld): Generator<AuditInput> {
  const view = createView(world);
  for (const model of world.models) yield view.inputOf(model.repo);
}

/**
 * Pairs whose comparison the verdicts need: a model and a declared base outside what is already known of its lineage, and, so that
 * the reader is told what the weights do match, the same model and its inferred parents.
 */
export function pairsToCompare(world: Omit<AuditWorld, 'relatedness'>): { child: string; other: string }[] {
  const view = createView({ ...world, relatedness: new Map() });
  const pairs: { child: string; other: string }[] = [];
  for (const { repo, kind } of world.models) {
    const input = view.inputOf(repo);
    if (kind === 'adapter' || !view.factsOf(repo).hasWeights) continue;
    const known = new Set([
      ...input.ancestors,
      ...input.equivalents,
      ...input.edges.map((edge) => edge.parent),
    ]);
    const open = chooseDeclared(repo, input.claims).resolved.filter((base) => {
      const facts = view.factsOf(base);
      return facts.hasWeights && !known.has(base) && !(facts.root !== null && facts.root === input.root);
    });
    const parents = input.edges.filter((edge) => edge.rank === 1 && edge.parentKind === 'repo');
    const others = open.length === 0 ? [] : [...open, ...parents.map((edge) => edge.parent)];
    for (const other of new Set(others)) pairs.push({ child: repo, other });
  }
  return pairs;
}

/** Adapters and declared bases whose shapes want comparing (see `adapterFits`): bases that inference did not already put into a tie set. */
export function pairsToFit(world: Omit<AuditWorld, 'relatedness'>): { child: string; other: string }[] {
  const view = createView({ ...world, relatedness: new Map() });
  return world.models.flatMap(({ repo, kind, status }) => {
    if (kind !== 'adapter' && status !== 'adapter') return [];
    const input = view.inputOf(repo);
    const known = new Set(input.edges.map((edge) => edge.parent));
    return chooseDeclared(repo, input.claims)
      .resolved.filter((base) => view.factsOf(base).hasWeights && !known.has(base))
      .map((other) => ({ child: repo, other }));
  });
}

function createView(world: AuditWorld) {
  const models = new Map(world.models.map((model) => [model.repo, model]));
  const edgesOf = Map.groupBy(world.edges, (edge) => edge.child);
  const roots = new Map(world.families.map((member) => [member.repo, member.root]));
  const virtualParents = new Map(world.virtualParents.map((parent) => [parent.id, parent]));
  const classes = equivalenceClasses(world.edges);
  const ancestorsCache = new Map<string, readonly string[]>();

  const equivalentsOf = (repo: string) => classes.get(repo) ?? [repo];
  const firstRank = (repo: string) => (edgesOf.get(repo) ?? NOTHING).filter((edge) => edge.rank === 1);

  const ancestorsOf = (repo: string): readonly string[] => {
    const cached = ancestorsCache.get(repo);
    if (cached) return cached;
    const own = new Set(equivalentsOf(repo));
    const seen = new Set<string>();
    let level = [repo];
    for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth += 1) {
      const next = level.flatMap((name) => firstRank(name).map((edge) => edge.parent));
      level = [...new Set(next)].filter((name) => !seen.has(name) && name !== repo);
      for (const name of level) seen.add(name);
    }
    const found = [
      ...new Set([...seen].flatMap((name) => [name, ...(own.has(name) ? [] : equivalentsOf(name))])),
    ];
    ancestorsCache.set(repo, found);
    return found;
  };

  const factsOf = (repo: string): DeclaredFacts => {
    const model = models.get(repo);
    const quantized = firstRank(repo).find((edge) => edge.relation === 'quantized');
    return {
      repo,
      status: model?.status ?? 'pending',
      hasWeights: model?.status === 'fingerprinted' && model.kind === 'full',
      shape: model?.shape ?? null,
      createdAt: model?.createdAt ?? null,
      rounded: firstRank(repo).some((edge) => edge.relation === 'quantized' || edge.relation === 'cast'),
      root: roots.get(repo) ?? null,
      equivalents: equivalentsOf(repo),
      ancestors: ancestorsOf(repo),
      quantizedFrom: quantized?.parent ?? null,
    };
  };

  const inputOf = (repo: string): AuditInput => {
    const model = models.get(repo);
    const claims = world.claims.get(repo) ?? NOTHING;
    const edges = edgesOf.get(repo) ?? NOTHING;
    const ancestors = ancestorsOf(repo);
    const others = new Set([
      ...claims.flatMap((claim) => claim.resolvedRepo ?? []),
      ...edges.map((edge) => edge.parent),
      ...ancestors,
    ]);
    return {
      repo,
      status: model?.status ?? 'pending',
      kind: model?.kind ?? 'full',
      shape: model?.shape ?? null,
      createdAt: model?.createdAt ?? null,
      claims,
      edges,
      ancestors,
      root: roots.get(repo) ?? null,
      equivalents: equivalentsOf(repo),
      facts: new Map([...others].filter((name) => models.has(name)).map((name) => [name, factsOf(name)])),
      ancestorsDeclare: new Set(
        ancestors.flatMap((name) =>
          (world.claims.get(name) ?? NOTHING).flatMap((claim) => claim.resolvedRepo ?? []),
        ),
      ),
      virtualParents,
      relatedness: pick(world.relatedness, repo, others),
      adapterFits: pick(world.adapterFits ?? new Map(), repo, others),
      transformedAlarm: world.transformedAlarms?.has(repo) ?? false,
    };
  };
  return { inputOf, factsOf };
}

function pick<T>(
  pairs: ReadonlyMap<string, T>,
  repo: string,
  others: Iterable<string>,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const other of others) {
    const value = pairs.get(pairKey(repo, other)) ?? (pairs.get(pairKey(other, repo)) as T | undefined);
    if (value !== undefined) found.set(other, value);
  }
  return found;
}

/** Methods that find a model's values, rounded or not, in another. */
const SAME_VALUES = new Set(['hash', 'values', 'rounding']);

/** Repos holding the same values, from chosen copy and cast edges; repos alone in their class are left out. */
function equivalenceClasses(edges: readonly Edge[]): Map<string, readonly string[]> {
  const leader = new Map<string, string>();
  const find = (name: string): string => {
    let at = name;
    for (let next = leader.get(at); next !== undefined && next !== at; next = leader.get(at)) at = next;
    if (at !== name) leader.set(name, at);
    return at;
  };
  for (const edge of edges) {
    // of a repo with quantised files the unquantised one may have been read: its values are then the source's
    const same = edge.relation === 'duplicate' || edge.relation === 'cast' || SAME_VALUES.has(edge.method);
    if (edge.rank !== 1 || !same || edge.parentKind === 'virtual') continue;
    for (const name of [edge.child, edge.parent]) if (!leader.has(name)) leader.set(name, name);
    const [a, b] = [find(edge.child), find(edge.parent)].sort();
    if (a !== undefined && b !== undefined) leader.set(b, a);
  }
  const members = Map.groupBy([...new Set([...leader.keys()])].sort(), find);
  return new Map([...members.values()].flatMap((group) => group.map((name) => [name, group] as const)));
}
