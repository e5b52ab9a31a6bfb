import { HublineageError } from '../types/errors.ts';
import type { HubContext } from './api.ts';
import type { CallOptions, ChangedPage, ListQuery } from './contract.ts';
import { listModels } from './list-models.ts';

/**
 * Newest change first, down to the watermark less the overlap. A repo changed during the walk moves to the top, which shifts the
 * others down: rows repeat across pages, none is missed.
 */
export async function* listChangedSince(
  context: HubContext,
  watermarkIso: string,
  overlapMs: number,
  query: Pick<ListQuery, 'filter' | 'author' | 'limit' | 'cursorUrl'>,
  options: CallOptions = {},
): AsyncGenerator<ChangedPage, void, void> {
  const sinceMs = Date.parse(watermarkIso) - overlapMs;
  if (!Number.isFinite(sinceMs)) {
    throw new HublineageError('UsageInvalid', `not a point in time: ${watermarkIso.slice(0, 40)}`);
  }
  const seen = new Set<string>();
  for await (const page of listModels(context, { ...query, sort: 'lastModified', direction: -1 }, options)) {
    // Rows without lastModified sort anywhere; they count as changed rather than as the end.
    const isOld = (lastModified: string | null) =>
      lastModified !== null && Date.parse(lastModified) < sinceMs;
    const repos = page.repos.filter((repo) => !isOld(repo.lastModified) && !seen.has(repo.hubId));
    for (const repo of repos) seen.add(repo.hubId);
    const last = page.repos.findLast((repo) => repo.lastModified !== null);
    const complete = page.nextUrl === null || (last !== undefined && isOld(last.lastModified));
    yield { repos, skipped: page.skipped, nextUrl: complete ? null : page.nextUrl, complete };
    if (complete) return;
  }
}
