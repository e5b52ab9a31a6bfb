import type { ClaimSource, ResolvedClaim } from '../types/claims.ts';
import { CLAIM_SOURCE_WORDS } from './claim-source-words.ts';
import { type Declared, isSelf, TYPED } from './declared.ts';
import { joinNames } from './format.ts';
import type { AuditInput } from './types.ts';

/** What the Hub derives from the card leaves out what it cannot resolve: fewer names there are no disagreement. */
const DERIVED: readonly ClaimSource[] = ['hub', 'tags'];

/**
 * Where a repo's own sources name different parents or relations: a sentence or two, or none. Copies of one model, and a quantised
 * repack and its source, count as one name. What the verdict is about stays the most authoritative source.
 */
export function sayConflict(declared: Declared, input: AuditInput): string[] {
  const { source } = declared;
  if (source === null) return [];
  const ours = declared.claims.filter((claim) => keyOf(claim) !== null);
  const others = Map.groupBy(
    input.claims.filter(
      (claim) =>
        !claim.hint && claim.source !== source && keyOf(claim) !== null && !isSelf(input.repo, claim),
    ),
    (claim) => claim.source,
  );
  const sentences: string[] = [];
  const different = [...others].filter(([theirSource, theirs]) => {
    const extra = theirs.some((claim) => !isAmong(claim, ours, input));
    const complete = !DERIVED.includes(theirSource) && theirs.length >= ours.length;
    return extra || (complete && ours.some((claim) => !isAmong(claim, theirs, input)));
  });
  if (ours.length > 0 && different.length > 0) {
    const named = different.map(([name, theirs]) => `${CLAIM_SOURCE_WORDS[name]} ${sayNames(theirs)}`);
    sentences.push(
      `Its own sources differ: ${CLAIM_SOURCE_WORDS[source]} names ${sayNames(ours)}, ${named.join(', ')}.`,
    );
  }
  return [...sentences, ...sayRelations(declared, input)];
}

/** Relations that somebody typed, or that come with a file, in more than one source. */
function sayRelations({ source, relation }: Declared, { claims }: AuditInput): string[] {
  if (source === null || relation === null) return [];
  const other = claims.find(
    (claim) =>
      claim.source !== source &&
      !claim.hint &&
      TYPED.has(claim.source) &&
      claim.relation !== null &&
      claim.relation !== relation,
  );
  if (other === undefined) return [];
  const [ours, theirs] = [CLAIM_SOURCE_WORDS[source], CLAIM_SOURCE_WORDS[other.source]];
  return [`${capital(ours)} says ${relation}, ${theirs} ${other.relation}.`];
}

/** Hints decide nothing; one that names the parent found, where the declaration names another, is worth a word. */
export function sayAgreeingHint(declared: Declared, input: AuditInput): string[] {
  const parents = input.edges.filter((edge) => edge.rank === 1).map((edge) => edge.parent);
  const told = input.claims.filter(
    (claim) =>
      claim.hint &&
      claim.resolvedRepo !== null &&
      parents.includes(claim.resolvedRepo) &&
      declared.resolved.length > 0 &&
      !isAmong(claim, declared.claims, input),
  );
  const [first] = told;
  return first ? [`${capital(CLAIM_SOURCE_WORDS[first.source])} names ${first.resolvedRepo}.`] : [];
}

const keyOf = (claim: ResolvedClaim) => claim.resolvedRepo ?? claim.normalized?.toLowerCase() ?? null;

/** Whether one of the claims means the same model: the same repo, a copy or cast of it, or the two ends of a quantisation. */
function isAmong(claim: ResolvedClaim, claims: readonly ResolvedClaim[], input: AuditInput): boolean {
  const same = (a: ResolvedClaim, b: ResolvedClaim) => {
    if (keyOf(a) === keyOf(b)) return true;
    // what an older listing called it: one of the two may not be resolved
    if (a.normalized !== null && a.normalized.toLowerCase() === b.normalized?.toLowerCase()) return true;
    const [left, right] = [a.resolvedRepo, b.resolvedRepo];
    if (left === null || right === null) return false;
    const facts = input.facts.get(left);
    return (
      (facts?.equivalents.includes(right) ?? false) ||
      facts?.quantizedFrom === right ||
      input.facts.get(right)?.quantizedFrom === left
    );
  };
  return claims.some((other) => same(claim, other));
}

function sayNames(claims: readonly ResolvedClaim[]): string {
  return joinNames([...new Set(claims.map((claim) => claim.resolvedRepo ?? claim.normalized ?? claim.raw))]);
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
