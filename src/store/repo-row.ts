import type { HubRepo } from '../types/hub.ts';
import type { ModelStatus } from '../types/verdict.ts';
import type { Family } from '../types/weights.ts';
import type { StoredRepo } from './contract.ts';

/** Columns every reader of a repo selects, with its facts. */
export const REPO_COLUMNS = `r.hub_id, r.repo, r.owner, r.family, r.status, r.status_detail, r.weights_key, r.fingerprint_version,
  r.claims_version, r.downloads, r.likes, f.facts`;

export interface RepoRow {
  hub_id: string;
  repo: string;
  owner: string;
  family: Family | null;
  status: ModelStatus;
  status_detail: string | null;
  weights_key: string | null;
  fingerprint_version: number;
  claims_version: number;
  downloads: number;
  likes: number;
  facts: string;
}

/** Names are compared without case, as the Hub does. */
export function foldName(name: string): string {
  return name.toLowerCase();
}

/** `owner` of `owner/name`; empty for legacy bare names. */
export function toOwner(repo: string): string {
  const slash = repo.indexOf('/');
  return slash < 0 ? '' : repo.slice(0, slash);
}

/**
 * The facts as stored. Downloads and likes move every day and have columns of their own; without them the text of an unchanged repo is
 * equal to last night's, and nothing is written.
 */
export function toFacts(hub: HubRepo): string {
  return JSON.stringify({ ...hub, downloads: 0, likes: 0 });
}

export function fromFacts(row: Pick<RepoRow, 'facts' | 'downloads' | 'likes'>): HubRepo {
  return { ...(JSON.parse(row.facts) as HubRepo), downloads: row.downloads, likes: row.likes };
}

export function fromRepoRow(row: RepoRow): StoredRepo {
  return {
    hubId: row.hub_id,
    repo: row.repo,
    owner: row.owner,
    family: row.family,
    status: row.status,
    statusDetail: row.status_detail,
    hub: fromFacts(row),
    weightsKey: row.weights_key,
    fingerprintVersion: row.fingerprint_version,
    claimsVersion: row.claims_version,
  };
}

/** The declared licence: the card's `license`, else the `license:` tag; several are joined with a comma. At most 100 characters. */
export function toLicense(hub: Pick<HubRepo, 'cardData' | 'tags'>): string | null {
  const declared = hub.cardData?.license;
  const list = Array.isArray(declared) ? declared : [declared];
  const named = list.filter((item): item is string => typeof item === 'string' && item.trim() !== '');
  const tags = hub.tags
    .filter((tag) => tag.startsWith('license:'))
    .map((tag) => tag.slice('license:'.length));
  const text = (named.length > 0 ? named : tags)
    .map((item) => item.trim().toLowerCase())
    .join(', ')
    .slice(0, 100);
  return text === '' ? null : text;
}
