import type { Claim, ClaimSource } from '../types/claims.ts';
import { RELATIONS, type Relation } from '../types/lineage.ts';
import { MAX_RAW_CHARS, normalizeRepoName } from './normalize.ts';

/** Parents taken from one source: real merges name up to a few dozen; a list of hundreds is noise or an attack. */
export const MAX_CLAIMS_PER_SOURCE = 200;

export interface ClaimDetails {
  relation?: Relation | null;
  sha256?: string | null;
  hint?: boolean;
}

/** A claim from whatever stood there; null when nothing was declared (null, undefined, blank). */
export function makeClaim(source: ClaimSource, value: unknown, details: ClaimDetails = {}): Claim | null {
  const text = toText(value);
  if (text === null || (text.trim() === '' && !details.sha256)) return null;
  return {
    source,
    raw: text.slice(0, MAX_RAW_CHARS),
    normalized: typeof value === 'string' ? normalizeRepoName(value) : null,
    relation: details.relation ?? null,
    sha256: details.sha256 ?? null,
    hint: details.hint ?? false,
  };
}

/** The relation a text names, in the Hub's spelling or ours; null for anything else. */
export function toRelation(value: unknown): Relation | null {
  if (typeof value !== 'string') return null;
  const text = value.trim().toLowerCase();
  return RELATIONS.find((relation) => relation === text) ?? null;
}

export const isClaim = (claim: Claim | null): claim is Claim => claim !== null;

function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return '[unreadable value]';
  }
}
