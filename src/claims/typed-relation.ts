import type { Claim } from '../types/claims.ts';
import type { HubRepo } from '../types/hub.ts';
import { relationFromFiles } from './relation-from-files.ts';

/**
 * A sentence where the card types one relation and the files look like another. Sources that name different parents are told apart by the
 * audit, which knows what the names mean today.
 */
export function describeTypedRelation(repo: HubRepo, claims: readonly Claim[]): string[] {
  const fromCard = claims.filter(
    (claim) => claim.source === 'card' && !claim.hint && claim.normalized !== null,
  );
  const typed = fromCard[0]?.relation;
  const seen = relationFromFiles(repo, fromCard.length);
  return typed && seen !== 'finetune' && typed !== seen
    ? [`The card says ${typed}; the files look like ${seen}.`]
    : [];
}
