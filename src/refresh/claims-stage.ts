import { extractClaims, normalizeRepoName } from '../claims/index.ts';
import type { PendingRepo } from '../store/index.ts';
import type { ClaimSource, ResolvedClaim } from '../types/claims.ts';
import { isHublineageError } from '../types/errors.ts';
import { classifyFamily } from './classify-family.ts';
import type { RunContext } from './context.ts';
import { readRepo } from './crawl.ts';
import { throwIfAborted } from './stopping.ts';

/** Raise when claims are read differently: every repo's claims are then read again from what is stored. */
export const CLAIMS_VERSION = 1;

const PAGE = 500;
const MAX_README_BYTES = 1_000_000;
/** What only the weight files tell stays until they are read again. */
const FROM_WEIGHTS: readonly ClaimSource[] = ['gguf', 'kohya', 'adapter_config', 'config'];
/** How long a name that was not on the Hub is not asked for again. */
const MISSING_NAME_MS = 7 * 86_400_000;

/** Reads what each new or changed repo declares, then finds out which repos those names mean today. */
export async function readClaims(context: RunContext): Promise<number> {
  const { store } = context;
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
    if (page.length === 0) break;
    for (const repo of page) {
      throwIfAborted(context.signal);
      const { claims, notes } = extractClaims({ repo: repo.hub, readme: await readCard(context, repo) });
      const kept = (await store.getClaims(repo.hubId)).filter((claim) => FROM_WEIGHTS.includes(claim.source));
      await store.replaceClaims(repo.hubId, repo.sha, [...claims.map(unresolved), ...kept], CLAIMS_VERSION);
      for (const note of notes) context.emit({ type: 'remark', message: `${repo.repo}: ${note}` });
      afterKey = repo.key;
      done++;
    }
    context.emit({
      type: 'progress',
      stage: 'claims',
      done,
      total,
      detail: afterKey === null ? '' : (page.at(-1)?.repo ?? ''),
    });
  }
  await lookUpNames(context);
  return done;
}

export function unresolved(claim: Omit<ResolvedClaim, 'resolvedRepo'>): ResolvedClaim {
  return { ...claim, resolvedRepo: null };
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

/**
 * Declared names that no indexed repo carries are asked for once, so that "not on the Hub" is the Hub's word and not ours. What exists is
 * kept as a repo outside the scope; what does not is remembered for a week.
 */
async function lookUpNames(context: RunContext): Promise<void> {
  const { store } = context;
  await store.resolveClaims();
  const rows = await store.readView('declared_bases', { where: 'resolved_repo IS NULL' });
  const names = new Set(rows.map((row) => normalizeRepoName(row.declared)).filter((name) => name !== null));
  let found = 0;
  for (const name of names) {
    throwIfAborted(context.signal);
    const key = `missing:${context.config.hub.endpoint}|${name.toLowerCase()}`;
    const missingSince = await store.getCursor<string>(key);
    if (missingSince !== null && context.now().getTime() - Date.parse(missingSince) < MISSING_NAME_MS)
      continue;
    const repo = await readRepo(context, name);
    if (repo === null) {
      await store.saveCursor(key, context.now().toISOString());
      continue;
    }
    const family = classifyFamily(repo);
    await store.upsertRepos([repo], context.runId, { inScope: false, ...(family ? { family } : {}) });
    await store.clearCursor(key);
    found++;
  }
  if (found > 0) await store.resolveClaims();
}
