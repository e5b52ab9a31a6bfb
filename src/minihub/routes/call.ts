import type { MinihubOptions, MinihubStats, TokenRights } from '../options.ts';
import type { Commit, RepoFile, RepoRecord } from '../repos/record.ts';
import { headOf } from '../repos/record.ts';
import type { RepoIndex } from '../repos/repo-index.ts';
import type { Signer } from '../wire/signatures.ts';

/** One request to the Hub's origin, taken apart. */
export interface Call {
  method: string;
  /** path segments as sent, still percent-encoded */
  segments: string[];
  /** path as sent */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | undefined>;
  /** whole body of a POST */
  body: Buffer;
  hasToken: boolean;
  rights: TokenRights | null;
}

/** What routes share. */
export interface HubState {
  options: MinihubOptions;
  index: RepoIndex;
  signer: Signer;
  stats: MinihubStats;
  now(): number;
  url(): string;
  cdnUrl(): string;
  /** files the CDN may be asked for, by `/xet-bridge-us/<repo _id>/<xet hash>` */
  published: Map<string, RepoFile>;
  /** the same files by xet hash */
  publishedByHash: Map<string, RepoFile>;
  signatureTtlSeconds: number;
}

export function mayRead(call: Call, repo: RepoRecord): boolean {
  const grants = call.rights?.grants;
  return grants === '*' || (grants?.includes(repo.id) ?? false);
}

/** Percent-decoding that does not throw: null for broken escapes. */
export function decodePart(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Branch, tag, full or short (7+) sha, pull request, HEAD. */
export function findCommit(repo: RepoRecord, revision: string): Commit | null {
  if (revision === 'main' || revision === 'HEAD' || revision === 'refs/heads/main') return headOf(repo);
  const named =
    repo.refs[revision] ?? repo.refs[`refs/tags/${revision}`] ?? repo.refs[`refs/heads/${revision}`];
  const sha = named ?? (/^[0-9a-f]{7,40}$/.test(revision) ? revision : null);
  if (sha === null) return null;
  return repo.commits.find((commit) => commit.sha.startsWith(sha)) ?? null;
}

/** The revision at the head of `segments` and what follows; unencoded `refs/pr/1`, as @huggingface/hub sends it, is three segments. */
export function takeRevision(segments: string[]): { revision: string; rest: string[] } | null {
  const first = segments[0] === undefined ? null : decodePart(segments[0]);
  if (first === null) return null;
  if (first === 'refs' && segments.length >= 3) {
    return { revision: segments.slice(0, 3).join('/'), rest: segments.slice(3) };
  }
  return { revision: first, rest: segments.slice(1) };
}
