import type { ListPage } from '../hub/index.ts';
import { isHublineageError } from '../types/errors.ts';
import type { HubRepo } from '../types/hub.ts';
import type { Family } from '../types/weights.ts';
import { classifyFamily } from './classify-family.ts';
import type { RunContext } from './context.ts';
import { throwIfAborted } from './stopping.ts';

/** One listing to walk: a tag filter of a family, for one author or for everybody. */
interface Walk {
  key: string;
  family: Family;
  filter: string;
  author: string | undefined;
}

/** Where a walk stands; saved with each page's rows in one transaction. */
interface WalkState {
  /** run that began the walk: repos carry it as the last run that saw them */
  walkId: number;
  /** ISO 8601; what changed after it is found by lastModified */
  startedAt: string;
  /** URL of the page to go on with; after the last page, that page itself, where new repos will appear */
  url: string | null;
  complete: boolean;
}

interface Reconciliation {
  walkId: number;
  startedAt: string;
  complete: boolean;
}

/** The Hub's listing has no snapshot: what moves while we read shows up again within this overlap. */
const OVERLAP_MS = 60 * 60 * 1000;
const RECONCILE_KEY = 'crawl:reconciliation';

function listWalks(context: RunContext): Walk[] {
  const { scope, hub } = context.config;
  const authors = scope.authors.length > 0 ? scope.authors : [undefined];
  return scope.families.flatMap((family) =>
    scope.filters[family].flatMap((filter) =>
      authors.map((author) => ({
        key: `crawl:${hub.endpoint}|${family}|${filter}|${author ?? ''}`,
        family,
        filter,
        author,
      })),
    ),
  );
}

/**
 * Brings the repo list up to date: a full walk by creation date the first time (and every `reconcileDays`, to notice what is gone),
 * on other nights only what is new or changed. Cursors are saved with the rows of each page, so a killed crawl goes on where it was.
 */
export async function crawl(context: RunContext, options: { full: boolean }): Promise<void> {
  const seen = new Set<string>();
  const walks = listWalks(context);
  const reconciliation = await planReconciliation(context, options.full);

  for (const walk of walks) {
    throwIfAborted(context.signal);
    let state = await context.store.getCursor<WalkState>(walk.key);
    if (state === null || state.walkId < reconciliation.walkId) {
      state = {
        walkId: reconciliation.walkId,
        startedAt: context.now().toISOString(),
        url: null,
        complete: false,
      };
      await walkPages(context, walk, state, seen);
    } else if (!state.complete) {
      await walkPages(context, walk, state, seen);
    } else {
      await readChanges(context, walk, state, seen);
    }
  }
  await readExplicitRepos(context, seen);
  if (!reconciliation.complete) await findGone(context, reconciliation);
  context.counts.reposSeen = seen.size;
}

/** A full walk is due when none was ever completed, when asked for, or when the last one is older than `reconcileDays`. */
async function planReconciliation(context: RunContext, full: boolean): Promise<Reconciliation> {
  const last = await context.store.getCursor<Reconciliation>(RECONCILE_KEY);
  const ageMs =
    last === null ? Number.POSITIVE_INFINITY : context.now().getTime() - Date.parse(last.startedAt);
  const due =
    last === null || (last.complete && (full || ageMs > context.config.scope.reconcileDays * 86_400_000));
  if (!due) return last;
  const planned = { walkId: context.runId, startedAt: context.now().toISOString(), complete: false };
  await context.store.saveCursor(RECONCILE_KEY, planned);
  return planned;
}

async function walkPages(
  context: RunContext,
  walk: Walk,
  state: WalkState,
  seen: Set<string>,
): Promise<void> {
  let current = state;
  const pages = context.hub.listModels({
    filter: walk.filter,
    author: walk.author,
    sort: 'createdAt',
    direction: 1,
    limit: context.config.hub.pageSize,
    cursorUrl: state.url,
  });
  for await (const page of pages) {
    // the last page has no successor: its own URL is kept, since new repos will appear behind its last row
    current = { ...current, url: page.nextUrl ?? current.url, complete: page.nextUrl === null };
    await savePage(context, walk, page, state.walkId, seen, { key: walk.key, value: current });
    throwIfAborted(context.signal);
  }
}

/** New repos through the walk's own cursor, changed ones by lastModified; the watermark moves only when both lists were read to the end. */
async function readChanges(
  context: RunContext,
  walk: Walk,
  state: WalkState,
  seen: Set<string>,
): Promise<void> {
  const startedAt = context.now().toISOString();
  let url = state.url;
  const query = { filter: walk.filter, author: walk.author, limit: context.config.hub.pageSize };
  for await (const page of context.hub.listModels({
    ...query,
    sort: 'createdAt',
    direction: 1,
    cursorUrl: state.url,
  })) {
    url = page.nextUrl ?? url;
    await savePage(context, walk, page, context.runId, seen);
    throwIfAborted(context.signal);
  }
  for await (const page of context.hub.listChangedSince(state.startedAt, OVERLAP_MS, query)) {
    await savePage(context, walk, page, context.runId, seen);
    throwIfAborted(context.signal);
  }
  await context.store.saveCursor(walk.key, { ...state, url, startedAt });
}

async function savePage(
  context: RunContext,
  walk: Walk,
  page: Pick<ListPage, 'repos' | 'skipped'>,
  runId: number,
  seen: Set<string>,
  cursor?: { key: string; value: WalkState },
): Promise<void> {
  const counts = await context.store.upsertRepos(page.repos, runId, {
    family: walk.family,
    ...(cursor ? { cursor } : {}),
  });
  for (const repo of page.repos) seen.add(repo.hubId);
  context.counts.reposNew += counts.new;
  context.counts.reposChanged += counts.changed;
  for (const skipped of page.skipped)
    context.emit({
      type: 'remark',
      message: `listing row ${skipped.repo ?? '(no id)'} left out: ${skipped.why}`,
    });
  context.emit({
    type: 'progress',
    stage: 'crawl',
    done: seen.size,
    total: null,
    detail: walk.author ? `${walk.filter} of ${walk.author}` : walk.filter,
  });
}

async function readExplicitRepos(context: RunContext, seen: Set<string>): Promise<void> {
  for (const name of context.config.scope.repos) {
    throwIfAborted(context.signal);
    const repo = await readRepo(context, name);
    if (repo === null) {
      context.emit({ type: 'remark', message: `${name} of scope.repos is not on the Hub (or private)` });
      continue;
    }
    const family = classifyFamily(repo);
    const counts = await context.store.upsertRepos([repo], context.runId, family ? { family } : {});
    seen.add(repo.hubId);
    context.counts.reposNew += counts.new;
    context.counts.reposChanged += counts.changed;
  }
}

/** After a full walk: whoever was not seen is asked for by name. Deleted, private and renamed repos never show in lists. */
async function findGone(context: RunContext, reconciliation: Reconciliation): Promise<void> {
  const unseen = await context.store.listUnseen(reconciliation.walkId, context.config.scope.families);
  for (const { hubId, repo: name } of unseen) {
    throwIfAborted(context.signal);
    const repo = await readRepo(context, name);
    if (repo === null || repo.hubId !== hubId) {
      context.counts.reposGone += await context.store.setGone([hubId], context.runId);
      context.emit({
        type: 'remark',
        message: `${name} is gone from the Hub (deleted or private); its history stays`,
      });
    }
    if (repo !== null) await context.store.upsertRepos([repo], reconciliation.walkId);
  }
  await context.store.saveCursor(RECONCILE_KEY, { ...reconciliation, complete: true });
}

/** The repo as the Hub tells it today, null when it is gone, private or disabled. */
export async function readRepo(context: RunContext, name: string): Promise<HubRepo | null> {
  try {
    return (await context.hub.modelInfo(name)).repo;
  } catch (error) {
    if (isHublineageError(error, 'RepoGone') || isHublineageError(error, 'RepoDisabled')) return null;
    throw error;
  }
}
