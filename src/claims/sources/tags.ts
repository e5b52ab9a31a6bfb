import type { Claim } from '../../types/claims.ts';
import type { HubRepo } from '../../types/hub.ts';
import { isClaim, MAX_CLAIMS_PER_SOURCE, makeClaim, toRelation } from '../make-claim.ts';

const MAX_TAGS = 10_000;
const PREFIX = 'base_model:';

/** `base_model:O/N` and `base_model:<relation>:O/N`, as the Hub derives them from cards (and as some people type them). */
export function fromTags(tags: readonly string[], notes: string[]): Claim[] {
  const claims = tags
    .slice(0, MAX_TAGS)
    .filter((tag) => typeof tag === 'string' && tag.startsWith(PREFIX))
    .map((tag) => {
      const rest = tag.slice(PREFIX.length);
      const colon = rest.indexOf(':');
      const relation = colon < 0 ? null : toRelation(rest.slice(0, colon));
      return makeClaim('tags', relation === null ? rest : rest.slice(colon + 1), { relation });
    })
    .filter(isClaim);
  if (claims.length > 2 * MAX_CLAIMS_PER_SOURCE)
    notes.push(`The tags name ${claims.length} base models; not all are read.`);
  return claims.slice(0, 2 * MAX_CLAIMS_PER_SOURCE);
}

/** The parents the Hub itself could resolve (`expand=baseModels`), under their names of today. */
export function fromHub(baseModels: HubRepo['baseModels']): Claim[] {
  if (baseModels === null) return [];
  const relation = toRelation(baseModels.relation);
  return baseModels.models
    .slice(0, MAX_CLAIMS_PER_SOURCE)
    .map((model) => makeClaim('hub', model.repo, { relation }))
    .filter(isClaim);
}
