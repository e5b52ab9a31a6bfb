import type { ListPage } from '../hub/index.ts';
import type { Family } from '../types/weights.ts';
import type { RunContext } from './context.ts';
import { throwIfAborted } from './stopping.ts';

/** One listing to walk: a tag filter of a family, for one author or for everybody. */
export interface Walk {
  /** its cursor's name in the store */
  key: string;
  family: Family;
  filter: string;
  author: string | undefined;
  /** for people */
  label: string;
}

/** Where a walk stands; saved with each page's rows in one transaction. */
export interface WalkState {
  /** run that began the full walk: repos carry it as the last run that saw them */
  walkId: number;
  /** ISO 8601; what changed after it is found by lastModified */
  startedAt: string;
  /** URL of the page to go on with; after the last page, that page itself, where new repos will appear */
  url: string | null;
  complete: boolean;
  /** a walk over what changed that was begun and not ended: where it stands, and when it began */
  changes?: { url: string | null; startedAt: string };
}

/** The Hub's listing has no snapshot: what moves while we read shows up again within this overlap. */
const OVERLAP_MS = 60 * 60 * 1000;

export function createWalk(
  endpoint: string,
  family: Family,
  filter: string,
  author: string | undefined,
): Walk {
  return {
    key: `crawl:${endpoint}|${family}|${filter}|${author ?? ''}`,
    family,
    filter,
    author,
    label: author === undefined ? filter : `${filter} of ${author}`,
  };
}

/** A full walk where none was begun for `walkId`, the rest of one that was, or only what is new and changed since. */
export async function walkListing(
  context: RunContext,
  walk: Walk,
  state: WalkState | null,
  walkId: number,
): Promise<void> {
  if (state === null || state.walkId < walkId) {
    const startedAt = context.now().toISOString();
    await walkPages(context, walk, { walkId, startedAt, url: null, complete: false }, walkId);
  } else if (!state.complete) await walkPages(context, walk, state, walkId);
  else await readChanges(context, walk, state);
}

/** By creation date, oldest first: the cursor is keyed on the id, which never moves. @returns the state after the last page */
async function walkPages(
  context: RunContext,
  walk: Walk,
  state: WalkState,
  seenBy: number,
): Promise<WalkState> {
  let current = state;
  const pages = context.hub.listModels({
    ...toQuery(context, walk),
    sort: 'createdAt',
    direction: 1,
    cursorUrl: state.url,
  });
  for await (const page of pages) {
    // the last page has no successor: its own URL is kept, since new repos will appear behind its last row
    current = { ...current, url: page.nextUrl ?? current.url, complete: page.nextUrl === null };
    await savePage(context, walk, page, seenBy, current);
    throwIfAborted(context.signal);
  }
  return current;
}

/** New repos through the walk's own cursor, changed ones by lastModified; the watermark moves only when both lists were read to the end. */
async function readChanges(context: RunContext, walk: Walk, state: WalkState): Promise<void> {
  const begun = state.changes ?? { url: null, startedAt: context.now().toISOString() };
  // a later night may end inside the new ones again: the walk stays complete, as everything before its cursor was read
  let current: WalkState = { ...state, changes: begun };
  const byCreation = context.hub.listModels({
    ...toQuery(context, walk),
    sort: 'createdAt',
    direction: 1,
    cursorUrl: state.url,
  });
  for await (const page of byCreation) {
    current = { ...current, url: page.nextUrl ?? current.url };
    await savePage(context, walk, page, context.runId, current);
    throwIfAborted(context.signal);
  }
  const query = { ...toQuery(context, walk), cursorUrl: begun.url };
  for await (const page of context.hub.listChangedSince(state.startedAt, OVERLAP_MS, query)) {
    current = { ...current, changes: { ...begun, url: page.nextUrl } };
    await savePage(context, walk, page, context.runId, page.complete ? undefined : current);
    throwIfAborted(context.signal);
  }
  const { changes: _done, ...rest } = current;
  await context.store.saveCursor(walk.key, { ...rest, startedAt: begun.startedAt });
}

function toQuery(context: RunContext, walk: Walk) {
  return { filter: walk.filter, author: walk.author, limit: context.config.hub.pageSize };
}

async function savePage(
  context: RunContext,
  walk: Walk,
  page: Pick<ListPage, 'repos' | 'skipped'>,
  seenBy: number,
  state: WalkState | undefined,
): Promise<void> {
  const { counts, emit } = context;
  const saved = await context.store.upsertRepos(page.repos, seenBy, {
    family: walk.family,
    ...(state === undefined ? {} : { cursor: { key: walk.key, value: state } }),
  });
  counts.reposSeen += saved.first;
  counts.reposNew += saved.new;
  counts.reposChanged += saved.changed;
  for (const { repo, why } of page.skipped)
    emit({ type: 'remark', message: `listing row ${repo ?? '(no id)'} left out: ${why}` });
  emit({ type: 'progress', stage: 'crawl', done: counts.reposSeen, total: null, detail: walk.label });
}
