import { resolveClaims } from '../claims/index.ts';
import type { Store } from '../store/index.ts';
import type { Claim, ResolvedClaim } from '../types/claims.ts';
import { STATUS_OF_ERROR } from '../types/error-statuses.ts';
import { type ErrorCode, toHublineageError } from '../types/errors.ts';
import type { ModelStatus } from '../types/verdict.ts';
import { isStopping } from './stopping.ts';
import { openRemote, type Subject, type SubjectContext } from './subject.ts';

/** Bases read from the Hub for one card: a merge names a handful. */
const MAX_READ = 8;

export interface DeclaredBases {
  claims: ResolvedClaim[];
  /** bases the index lacks, read from the Hub just now */
  read: Subject[];
  /** bases that exist, or may exist, but could not be read */
  unread: { repo: string; status: ModelStatus; code: ErrorCode; message: string }[];
}

/**
 * Points the claims of one card at repos: those of the index, else those of the Hub, which are read on the way. Only a Hub that answered
 * "there is none" makes a name lead nowhere; whatever else goes wrong leaves the question open.
 */
export async function resolveDeclaredBases(
  claims: readonly Claim[],
  context: SubjectContext & { store: Store },
): Promise<DeclaredBases> {
  const { store } = context;
  const names = new Map<string, string | null>();
  const read: Subject[] = [];
  const unread: DeclaredBases['unread'] = [];
  const typed = new Set(claims.flatMap((claim) => claim.normalized ?? []));
  const firm = new Set(claims.flatMap((claim) => (claim.hint ? [] : (claim.normalized ?? []))));
  for (const name of typed) {
    const found = await store.findRepo(name);
    if (found !== null) names.set(name, found.repo);
    if (found !== null || !firm.has(name) || read.length + unread.length >= MAX_READ) continue;
    try {
      const subject = await openRemote(name, context);
      read.push(subject);
      names.set(name, subject.model.repo);
    } catch (cause) {
      if (isStopping(cause) && context.signal.aborted) throw cause;
      const { code, message } = toHublineageError(cause, name);
      if (code === 'RepoGone') continue;
      unread.push({ repo: name, status: STATUS_OF_ERROR[code] ?? 'pending', code, message });
      names.set(name, name);
    }
  }
  const holders = await findHolders(store, claims);
  return {
    claims: resolveClaims(claims, {
      find: (name) => names.get(name) ?? null,
      findBySha256: (sha256) => holders.get(sha256) ?? [],
      // the audit itself treats a quantised copy of a parent as that parent
      quantSource: () => null,
    }),
    read,
    unread,
  };
}

async function findHolders(store: Store, claims: readonly Claim[]): Promise<Map<string, string[]>> {
  const holders = new Map<string, string[]>();
  for (const { sha256 } of claims)
    if (sha256 !== null)
      holders.set(
        sha256,
        (await store.findReposBySha256([sha256])).map(({ repo }) => repo),
      );
  return holders;
}
