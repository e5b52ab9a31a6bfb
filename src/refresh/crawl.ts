import type { RunContext } from './context.ts';
import { readExplicitRepos } from './explicit-repos.ts';
import { findGone } from './find-gone.ts';
import { isHubTrouble, throwIfAborted } from './stopping.ts';
import { createWalk, type Walk, type WalkState, walkListing } from './walk-listing.ts';

/** A full walk over all listings, after which whoever was not seen is asked for by name. */
interface Reconciliation {
  /** run that began it: repos carry it as the last run that saw them */
  walkId: number;
  /** ISO 8601 */
  startedAt: string;
  complete: boolean;
}

const RECONCILE_KEY = 'crawl:reconciliation';
const DAY_MS = 86_400_000;

function listWalks({ config: { scope, hub } }: RunContext): Walk[] {
  const authors = scope.authors.length > 0 ? scope.authors : [undefined];
  return scope.families.flatMap((family) =>
    scope.filters[family].flatMap((filter) =>
      authors.map((author) => createWalk(hub.endpoint, family, filter, author)),
    ),
  );
}

/**
 * Brings the repo list up to date: a full walk by creation date the first time (and every `reconcileDays`, to notice what is gone),
 * on other nights only what is new or changed. Cursors are saved with the rows of each page, so a killed crawl goes on where it was.
 * A listing that cannot be read to its end is left for the next run; the others, and what they brought, are not held up by it.
 */
export async function crawl(context: RunContext, options: { full: boolean }): Promise<void> {
  const reconciliation = await planReconciliation(context, options.full);
  let allWalked = true;
  for (const { walk, state } of await inOrderOfAge(context, listWalks(context))) {
    throwIfAborted(context.signal);
    try {
      await walkListing(context, walk, state, reconciliation.walkId);
    } catch (error) {
      if (!isHubTrouble(error)) throw error;
      allWalked = false;
      context.unfinished ??= error;
      context.emit({
        type: 'remark',
        message: `the listing of ${walk.label} ended early and goes on next time: ${error.message}`,
      });
    }
  }
  await readExplicitRepos(context);
  if (reconciliation.complete || !allWalked) return;
  if (await findGone(context, reconciliation.walkId)) {
    await context.store.saveCursor(RECONCILE_KEY, { ...reconciliation, complete: true });
    // repos whose weights changed have left the old ones behind; whatever a repo still points to stays, gone repos included
    await context.store.pruneFingerprints();
  }
}

/** The listing read longest ago comes first: runs that end at a limit get round to all of them in the end. */
async function inOrderOfAge(context: RunContext, walks: readonly Walk[]) {
  const known: { walk: Walk; state: WalkState | null }[] = [];
  for (const walk of walks) known.push({ walk, state: await context.store.getCursor<WalkState>(walk.key) });
  const ageKey = ({ state }: (typeof known)[number]) => (state === null ? '' : state.startedAt);
  return known.sort((a, b) => (ageKey(a) < ageKey(b) ? -1 : ageKey(a) > ageKey(b) ? 1 : 0));
}

/** A full walk is due when none was ever completed, when asked for, or when the last one is older than `reconcileDays`. */
async function planReconciliation(context: RunContext, full: boolean): Promise<Reconciliation> {
  const last = await context.store.getCursor<Reconciliation>(RECONCILE_KEY);
  const ageMs =
    last === null ? Number.POSITIVE_INFINITY : context.now().getTime() - Date.parse(last.startedAt);
  const due =
    last === null || (last.complete && (full || ageMs > context.config.scope.reconcileDays * DAY_MS));
  if (!due) return last;
  const planned = { walkId: context.runId, startedAt: context.now().toISOString(), complete: false };
  await context.store.saveCursor(RECONCILE_KEY, planned);
  return planned;
}
