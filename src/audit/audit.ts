import type { Relation } from '../types/lineage.ts';
import type { Verdict, VerdictKind } from '../types/verdict.ts';
import { chooseDeclared, type Declared, knownToHub } from './declared.ts';
import { type Place, placeDeclared } from './place.ts';
import { explainVerdict, type Ruling } from './reason.ts';
import { contradictsRelation } from './relation-mismatch.ts';
import type { AuditInput, AuditOptions, AuditWorld } from './types.ts';
import { buildAuditInputs } from './world.ts';

/**
 * The verdict on one model: what its card declares, held against what was inferred. Decided in this order:
 *
 * 1. nothing declared: `undeclared` when a parent was found, `original` when full weights were read and none was, else `unknown`
 * 2. declared names lead nowhere: `unresolved`, or `unknown` when the Hub knows a repo of that name and the index does not
 * 3. otherwise each declared base is placed (see place.ts) and the places are combined:
 *    - every inferred parent declared, and nothing but true ancestors besides: `confirmed`, or `relation_mismatch` when a relation was
 *      typed that the bits exclude
 *    - some declared base is a parent or in the tie set: `consistent` (a merge of which a part is declared, say)
 *    - all placed ones are ancestors: `ancestor`; at least one somewhere in the family: `relative`
 *    - all unrelated far outside chance: `contradicted`
 *    - otherwise `unknown`
 *
 * Names that lead nowhere beside ones that resolve are mentioned, and decide nothing, except that they keep a card from being
 * `contradicted`: one true base among wrong ones is enough for that, and such a name may be it.
 */
export function auditModel(input: AuditInput, options: AuditOptions): Verdict {
  const declared = chooseDeclared(input.repo, input.claims);
  const places = declared.resolved.map((base) => placeDeclared(base, input, options));
  const verdict = decide(input, declared, places);
  const parents = input.edges.filter((edge) => edge.rank === 1);
  const relationInferred: Relation | null = parents.length > 1 ? 'merge' : (parents[0]?.relation ?? null);
  const ruling: Ruling = { verdict, declared, places, parents, relationInferred };
  return {
    repo: input.repo,
    verdict,
    declared: declared.names,
    relationDeclared: declared.relation,
    inferred: parents.map((edge) => edge.parent),
    relationInferred,
    probability: probabilityOf(ruling, options),
    reason: explainVerdict(ruling, input),
  };
}

/** Verdicts of all models of the index, in the order of `world.models`. */
export function auditAll(world: AuditWorld, options: AuditOptions): Verdict[] {
  return Array.from(buildAuditInputs(world), (input) => auditModel(input, options));
}

function decide(input: AuditInput, declared: Declared, places: readonly Place[]): VerdictKind {
  const parents = input.edges.filter((edge) => edge.rank === 1);
  if (declared.names.length === 0) {
    if (parents.length > 0) return 'undeclared';
    return input.status === 'fingerprinted' && input.kind === 'full' ? 'original' : 'unknown';
  }
  if (places.length === 0) return knownToHub(declared, input.claims) ? 'unknown' : 'unresolved';
  const at = (kind: Place['at']) => places.filter((place) => place.at === kind);
  const covered = new Set(places.flatMap((place) => (place.at === 'parent' ? [place.parent] : [])));
  const nothingElse = at('parent').length + at('ancestor').length === places.length;
  if (covered.size > 0 && nothingElse && parents.every((edge) => covered.has(edge.parent))) {
    return contradictsRelation(declared.relation, parents) ? 'relation_mismatch' : 'confirmed';
  }
  if (at('parent').length + at('tie').length > 0) return 'consistent';
  if (at('relative').length > 0) return 'relative';
  if (at('ancestor').length > 0) return at('unrelated').length > 0 ? 'relative' : 'ancestor';
  // a name that leads nowhere may be the true base
  const allUnrelated = at('unrelated').length === places.length && declared.unresolved.length === 0;
  return allUnrelated ? 'contradicted' : 'unknown';
}

/** How sure the verdict's statement is; null where nothing was measured. */
function probabilityOf({ verdict, places, parents }: Ruling, options: AuditOptions): number | null {
  const found = parents.length === 0 ? null : Math.min(...parents.map((edge) => edge.probability));
  switch (verdict) {
    case 'confirmed':
    case 'relation_mismatch':
    case 'undeclared':
    case 'ancestor':
    case 'relative':
      return found;
    case 'consistent': {
      const ties = places.map((place) => (place.at === 'tie' ? (place.probability ?? 0) : 0));
      const sum = (found ?? 0) + ties.reduce((a, b) => a + b, 0);
      return found === null && sum === 0 ? null : Math.min(1, sum);
    }
    case 'contradicted': {
      // the bound we promise, not the 1e-100 a normal tail would claim: models of chance are only so good
      const chance = Math.max(...places.map((place) => (place.at === 'unrelated' ? place.chance : 1)));
      return 1 - Math.max(chance, options.contradictionPValue);
    }
    default:
      return null;
  }
}
