import type { PageHandler } from '../contract.ts';
import { bytes, grouped, moment, plural } from '../format.ts';
import { html } from '../html.ts';
import { runPath } from '../links.ts';
import { badge, chip, modelLink } from '../parts/badges.ts';
import { factList, table } from '../parts/table.ts';
import { labelOf } from '../read/cards.ts';
import { errorPage } from './error.ts';

/** Changes listed of one run; SQL has the rest. */
const MAX_CHANGES = 200;

/** One run: what it did, what it cost, and what became another because of it. */
export const runPage: PageHandler = async ({ store, snapshot, subject }) => {
  const runId = /^\d{1,15}$/.test(subject) ? Number(subject) : null;
  const [run] =
    runId === null ? [] : await store.readView('runs', { where: 'run_id = ?', params: [runId], limit: 1 });
  if (run === undefined)
    return errorPage(404, 'There is no such run', html`<a href="/runs">All runs</a>`, { asked: subject });
  const flipped = await store.readView('verdict_history', {
    where: 'run_id = ? AND previous IS NOT NULL',
    params: [run.run_id],
    limit: MAX_CHANGES,
  });
  const [newer] = await store.readView('runs', {
    where: 'run_id > ?',
    params: [run.run_id],
    order: 'run_id',
    limit: 1,
  });
  const added = await store.readView('edge_history', {
    where: 'first_run = ?',
    params: [run.run_id],
    limit: MAX_CHANGES,
  });
  const removed = await store.readView('edge_history', {
    where: 'last_run = ?',
    params: [run.run_id],
    limit: MAX_CHANGES,
  });
  const edgeColumns = [
    { title: 'Model', cell: (row: (typeof added)[number]) => modelLink(row.child) },
    { title: 'Relation', kind: 'keep' as const, cell: (row: (typeof added)[number]) => chip(row.relation) },
    {
      title: 'Parent',
      cell: (row: (typeof added)[number]) =>
        modelLink(row.parent, labelOf(row.parent, snapshot.virtualLabels)),
    },
  ];
  const upTo = (count: number, what: string, many?: string) =>
    count === MAX_CHANGES ? `The first ${plural(count, what, many)}` : plural(count, what, many);
  return {
    title: `Run ${run.run_id}`,
    place: 'runs',
    data: { run, changedVerdicts: flipped, newEdges: added, goneEdges: removed },
    body: html`<header class="page-head"><h1>Run ${run.run_id}</h1><p class="meta">${run.stage} · ${chip(run.status)} · ${moment(run.started_at)} to ${moment(run.finished_at)}${newer === undefined ? '' : html` · <a href="${runPath(newer.run_id)}">next run</a>`}</p></header>
${factList([
  ['Repos listed', grouped(run.repos_seen)],
  ['New', grouped(run.repos_new)],
  ['Changed', grouped(run.repos_changed)],
  ['Gone from the Hub', grouped(run.repos_gone)],
  ['Read from their weights', grouped(run.fingerprinted)],
  ['Known by file hashes', grouped(run.shared)],
  ['Failed', grouped(run.failed)],
  ['Edges', grouped(run.edges)],
  ['Verdicts', grouped(run.verdicts)],
  ['Requests: API', grouped(run.requests_api)],
  ['Requests: resolvers', grouped(run.requests_resolvers)],
  ['Requests: pages', grouped(run.requests_pages)],
  ['Requests: signed URLs', grouped(run.requests_cdn)],
  ['Received', bytes(run.bytes)],
])}
<section aria-labelledby="flipped"><h2 id="flipped">Verdicts that changed</h2>${
      flipped.length === 0
        ? html`<p>None.</p>`
        : table(
            upTo(flipped.length, 'changed verdict'),
            [
              { title: 'Model', cell: (row) => modelLink(row.repo) },
              {
                title: 'Before',
                kind: 'keep',
                cell: (row) => (row.previous === null ? '' : badge(row.previous)),
              },
              { title: 'Since then', kind: 'keep', cell: (row) => badge(row.verdict) },
              { title: 'Sentence', kind: 'wide', cell: (row) => row.reason },
            ],
            flipped,
          )
    }</section>
<section aria-labelledby="added"><h2 id="added">New edges</h2>${added.length === 0 ? html`<p>None.</p>` : table(upTo(added.length, 'new edge'), edgeColumns, added)}</section>
<section aria-labelledby="removed"><h2 id="removed">Edges no longer found</h2>${removed.length === 0 ? html`<p>None.</p>` : table(upTo(removed.length, 'edge no longer found', 'edges no longer found'), edgeColumns, removed)}</section>`,
  };
};
