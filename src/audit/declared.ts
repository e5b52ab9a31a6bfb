import type { ClaimSource, ResolvedClaim } from '../types/claims.ts';
import type { Relation } from '../types/lineage.ts';

/** Whose word counts first: the author's card, then what the Hub made of it, then what tools wrote into files. */
const AUTHORITY: readonly ClaimSource[] = [
  'card',
  'hub',
  'tags',
  'adapter_config',
  'kohya',
  'mergekit',
  'gguf',
  'config',
  'prose',
];
/** Sources whose relation somebody typed, or that exist for one relation only. The Hub fills `hub` and `tags` with guesses. */
export const TYPED: ReadonlySet<ClaimSource> = new Set<ClaimSource>([
  'card',
  'adapter_config',
  'kohya',
  'mergekit',
]);

export interface Declared {
  /** the claims the verdict is about, one a target */
  claims: readonly ResolvedClaim[];
  /** as shown: today's repo name, else the name read out of the text, else the text */
  names: string[];
  /** resolved repos, without repeats */
  resolved: string[];
  /** shown names that lead nowhere */
  unresolved: string[];
  /** typed by somebody; a default of the Hub accuses nobody */
  relation: Relation | null;
  source: ClaimSource | null;
  /** the repo names itself as its base (some two thousand do): no statement about a parent */
  namesItself: boolean;
}

/**
 * What a repo declares, out of all its claims: those of the most authoritative source that leads to a repo, else of the most
 * authoritative one. Hints are left out: nobody is judged by a stale path or a sentence.
 */
export function chooseDeclared(repo: string, claims: readonly ResolvedClaim[]): Declared {
  const firm = claims.filter((claim) => !claim.hint);
  const others = firm.filter((claim) => !isSelf(repo, claim));
  const bySource = Map.groupBy(others, (claim) => claim.source);
  const present = AUTHORITY.filter((source) => bySource.has(source));
  const source =
    present.find((name) => bySource.get(name)?.some((claim) => claim.resolvedRepo !== null)) ??
    present[0] ??
    null;
  const chosen = source === null ? [] : withoutRepeats(bySource.get(source) ?? []);
  const typed =
    source !== null && TYPED.has(source) ? chosen.find((claim) => claim.relation !== null) : undefined;
  return {
    claims: chosen,
    names: chosen.map(shown),
    resolved: chosen.flatMap((claim) => (claim.resolvedRepo === null ? [] : [claim.resolvedRepo])),
    unresolved: chosen.filter((claim) => claim.resolvedRepo === null).map(shown),
    relation: typed?.relation ?? null,
    source,
    namesItself: others.length < firm.length,
  };
}

/** Whether the Hub itself knows a repo by one of these claims although the index does not: out of scope is not "no such repo". */
export function knownToHub(declared: Declared, claims: readonly ResolvedClaim[]): boolean {
  const hub = new Set(
    claims.flatMap((claim) => (claim.source === 'hub' ? [claim.normalized?.toLowerCase()] : [])),
  );
  return declared.claims.some(
    (claim) => claim.normalized !== null && hub.has(claim.normalized.toLowerCase()),
  );
}

const shown = (claim: ResolvedClaim) => claim.resolvedRepo ?? claim.normalized ?? claim.raw;
export const isSelf = (repo: string, claim: ResolvedClaim) =>
  claim.resolvedRepo === repo || claim.normalized?.toLowerCase() === repo.toLowerCase();

function withoutRepeats(claims: readonly ResolvedClaim[]): ResolvedClaim[] {
  const byName = new Map<string, ResolvedClaim>();
  for (const claim of claims) {
    const key = shown(claim).toLowerCase();
    const earlier = byName.get(key);
    if (!earlier || (earlier.relation === null && claim.relation !== null)) byName.set(key, claim);
  }
  return [...byName.values()];
}
