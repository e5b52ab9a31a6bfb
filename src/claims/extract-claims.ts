import type { Claim } from '../types/claims.ts';
import { parseFrontMatter } from './front-matter.ts';
import { fromCard } from './sources/card.ts';
import { fromAdapterConfig, fromConfig } from './sources/config-files.ts';
import { fromMergekit } from './sources/mergekit.ts';
import { fromHeaderMetadata } from './sources/metadata.ts';
import { fromProse } from './sources/prose.ts';
import { fromHub, fromTags } from './sources/tags.ts';
import { describeTypedRelation } from './typed-relation.ts';
import type { ClaimInput, ExtractedClaims } from './types.ts';

/** README text read at most; front matter and merge configs come first, prose hints further down are not worth more. */
const MAX_README_CHARS = 512 * 1024;

/**
 * Everything a repo declares about its parents, from every place it can be said, each with its source and what was typed. Nothing is
 * thrown away because it looks wrong (a local path is a claim that names no repo), nothing is believed: hints are marked as such.
 *
 * A claim's `relation` is null unless it was typed (`base_model_relation`), tagged, or follows from the kind of source (an adapter
 * config names an adapter's base). The Hub fills its tags with a guess from the files where nothing was typed, so a tag's
 * relation is not the author's word; src/audit treats it so.
 */
export function extractClaims(input: ClaimInput): ExtractedClaims {
  const { repo, adapterConfig, configJson, metadata } = input;
  const readme = input.readme?.slice(0, MAX_README_CHARS) ?? '';
  const notes: string[] = [];
  let card = repo.cardData;
  if (card === null && readme !== '') {
    const parsed = parseFrontMatter(readme);
    card = parsed.data;
    if (parsed.error) notes.push(`The card's claims could not be read: ${parsed.error}.`);
  }
  const peft = repo.config?.peft;
  const found = [
    fromCard(card, notes),
    fromTags(repo.tags, notes),
    fromHub(repo.baseModels),
    fromAdapterConfig(adapterConfig ?? peft),
    fromHeaderMetadata(metadata ?? {}),
    fromMergekit(readme, notes),
    fromConfig(configJson ?? repo.config),
    fromProse(readme),
  ].flat();
  const claims = withoutRepeats(found).filter((claim) => !(claim.hint && names(claim, repo.repo)));
  notes.push(...describeTypedRelation(repo, claims));
  return { claims, notes };
}

const names = (claim: Claim, repo: string) => claim.normalized?.toLowerCase() === repo.toLowerCase();

/** One claim a (source, target): a list that names a parent twice declares it once; a typed relation beats a missing one. */
function withoutRepeats(claims: Claim[]): Claim[] {
  const byKey = new Map<string, Claim>();
  for (const claim of claims) {
    const target = claim.normalized?.toLowerCase() ?? `raw:${claim.raw}`;
    const key = `${claim.source}\n${target}\n${claim.hint}`;
    const earlier = byKey.get(key);
    if (!earlier) byKey.set(key, claim);
    else if (earlier.relation === null && claim.relation !== null) earlier.relation = claim.relation;
  }
  return [...byKey.values()];
}
