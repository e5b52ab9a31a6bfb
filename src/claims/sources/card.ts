import type { Claim } from '../../types/claims.ts';
import { isClaim, MAX_CLAIMS_PER_SOURCE, makeClaim, toRelation } from '../make-claim.ts';

/** `base_model` (a string, a list, or anything YAML allows) and `base_model_relation` of the card's front matter. */
export function fromCard(card: Record<string, unknown> | null, notes: string[]): Claim[] {
  if (card === null) return [];
  const declared = card.base_model;
  const typed = card.base_model_relation;
  const relation = toRelation(typed);
  if (typed !== undefined && typed !== null && relation === null) {
    notes.push(
      `The card's base_model_relation ${JSON.stringify(typed)?.slice(0, 80)} is not a relation the Hub knows.`,
    );
  }
  const values = Array.isArray(declared) ? declared : [declared];
  if (values.length > MAX_CLAIMS_PER_SOURCE) {
    notes.push(`The card lists ${values.length} base models; the first ${MAX_CLAIMS_PER_SOURCE} are read.`);
  }
  return values
    .slice(0, MAX_CLAIMS_PER_SOURCE)
    .map((value) => makeClaim('card', value, { relation }))
    .filter(isClaim);
}
