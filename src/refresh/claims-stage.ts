import { extractClaims } from '../claims/index.ts';
import type { PendingRepo } from '../store/index.ts';
import type { ClaimSource, ResolvedClaim } from '../types/claims.ts';
import { type HublineageError, isHublineageError } from '../types/errors.ts';
import type { RunContext } from './context.ts';
import { lookUpNames } from './look-up-names.ts';
import { retryAt } from './retry-at.ts';
import { isHubTrouble, throwIfAborted } from './stopping.ts';

/** Raise when claims are read differently: every repo's claims are then read again from what is stored. */
export const CLAIMS_VERSION = 1;

const PAGE = 500;
const MAX_README_BYTES = 1_000_000;
/** What only the weight files tell stays until they are read again. */
const FROM_WEIGHTS: readonly ClaimSource[] = ['gguf', 'kohya', 'adapter_config', 'config'];

type UnresolvedClaim = Omit<ResolvedClaim, 'resolvedRepo'>;

/**
 * Reads what each new or changed repo declares, then finds out which repos those names mean today. Bases found that way declare bases of
 * their own, so both steps follow each other until nothing is new.
 */
export async function readClaims(context: RunContext): Promise<number> {
  const asked = new Set<string>();
  let done = 0;
  for (;;) {
    done += await readPendingClaims(context);
    if (!(await lookUpNames(context, asked))) return done;
  }
}

async function readPendingClaims(context: RunContext): Promise<number> {
  const { store, emit } = context;
  const total = await store.countPending({ stage: 'claims', version: CLAIMS_VERSION });
  let done = 0;
  let afterKey: string | null = null;
  for (;;) {
    const page: PendingRepo[] = await store.takePending({
      stage: 'claims',
      version: CLAIMS_VERSION,
      limit: PAGE,
      afterKey,
    });
    if (page.length === 0) return done;
    for (const repo of page) {
      throwIfAborted(context.signal);
      try {
        await readClaimsOf(context, repo);
      } catch (error) {
        if (!isHubTrouble(error)) throw error;
        await recordFailure(context, repo, error);
      }
      afterKey = repo.key;
      done++;
    }
    emit({ type: 'progress', stage: 'claims', done, total, detail: page.at(-1)?.repo ?? '' });
  }
}

async function readClaimsOf(context: RunContext, repo: PendingRepo): Promise<void> {
  const { store, emit } = context;
  const { claims, notes } = extractClaims({ repo: repo.hub, readme: await readCard(context, repo) });
  const fromWeights = (await store.getClaims(repo.hubId)).filter(({ source }) =>
    FROM_WEIGHTS.includes(source),
  );
  await store.replaceClaims(repo.hubId, repo.sha, addClaims(claims, fromWeights), CLAIMS_VERSION);
  if (repo.attempts > 0) await store.clearFailure(repo.hubId, 'claims');
  for (const note of notes) emit({ type: 'remark', message: `${repo.repo}: ${note}` });
}

/** What was declared before, less what older weight files said, and what these files and the listing say now. */
export function replaceFileClaims(
  before: readonly ResolvedClaim[],
  now: readonly UnresolvedClaim[],
): ResolvedClaim[] {
  return addClaims(
    before.filter(({ source }) => !FROM_WEIGHTS.includes(source)),
    now,
  );
}

/** Claims of both lists, each (source, text) once; resolved afresh after every change. */
function addClaims(first: readonly UnresolvedClaim[], more: readonly UnresolvedClaim[]): ResolvedClaim[] {
  const keyOf = (claim: UnresolvedClaim) => `${claim.source}|${claim.raw}`;
  const known = new Set(first.map(keyOf));
  const added = more.filter((claim) => !known.has(keyOf(claim)));
  return [...first, ...added].map((claim) => ({ ...claim, resolvedRepo: null }));
}

async function readCard(context: RunContext, repo: PendingRepo): Promise<string | null> {
  const wanted = context.config.scope.readCards;
  const asked = wanted === 'always' || (wanted === 'missing' && repo.hub.cardData === null);
  if (!asked || repo.sha === null || repo.hub.gated !== false || !repo.hub.files.includes('README.md'))
    return null;
  try {
    const files = context.hub.openRepo(repo.repo, repo.sha);
    return new TextDecoder().decode(await files.readSmall('README.md', MAX_README_BYTES));
  } catch (error) {
    // a card that cannot be had declares nothing; the repo is still worth reading
    for (const code of [
      'FileMissing',
      'RepoGone',
      'RepoGated',
      'BodyTooLarge',
      'RevisionGone',
      'RepoDisabled',
    ] as const)
      if (isHublineageError(error, code)) return null;
    throw error;
  }
}

async function recordFailure(context: RunContext, repo: PendingRepo, error: HublineageError): Promise<void> {
  const failure = await context.store.recordFailure({
    hubId: repo.hubId,
    stage: 'claims',
    version: CLAIMS_VERSION,
    error: { code: error.code, message: error.message },
    retryAfter: retryAt(context.now(), repo.attempts),
  });
  context.counts.failed++;
  context.emit({
    type: 'failure',
    stage: 'claims',
    repo: repo.repo,
    code: error.code,
    message: error.message,
    final: failure.exhausted,
  });
}
