import type { StoredRun } from '../../store/index.ts';
import type { PageHandler } from '../contract.ts';
import { bytes, grouped, moment } from '../format.ts';
import { html } from '../html.ts';
import { runPath } from '../links.ts';
import { chip } from '../parts/badges.ts';
import { table } from '../parts/table.ts';

const MAX_RUNS = 100;

/** What each night did and what it cost. */
export const runsPage: PageHandler = async ({ store }) => {
  const runs = await store.listRuns(MAX_RUNS);
  return {
    title: 'Runs',
    place: 'runs',
    data: { runs },
    body: html`<h1>Runs</h1>${
      runs.length === 0
        ? html`<p>None yet: <code>hublineage refresh</code> makes one.</p>`
        : table(
            runs.length === MAX_RUNS ? `The last ${MAX_RUNS} runs, newest first` : 'All runs, newest first',
            [
              {
                title: 'Run',
                cell: (run: StoredRun) => html`<a href="${runPath(run.runId)}">${run.runId}</a>`,
              },
              { title: 'Stage', kind: 'keep', cell: (run: StoredRun) => run.stage },
              { title: 'Status', kind: 'keep', cell: (run: StoredRun) => chip(run.status) },
              { title: 'Began', kind: 'keep', cell: (run: StoredRun) => moment(run.startedAt) },
              { title: 'Ended', kind: 'keep', cell: (run: StoredRun) => moment(run.finishedAt) },
              { title: 'New', numeric: true, cell: (run: StoredRun) => grouped(run.reposNew) },
              { title: 'Changed', numeric: true, cell: (run: StoredRun) => grouped(run.reposChanged) },
              { title: 'Read', numeric: true, cell: (run: StoredRun) => grouped(run.fingerprinted) },
              { title: 'Failed', numeric: true, cell: (run: StoredRun) => grouped(run.failed) },
              { title: 'Requests', numeric: true, cell: (run: StoredRun) => grouped(countRequests(run)) },
              { title: 'Received', numeric: true, cell: (run: StoredRun) => bytes(run.bytes) },
            ],
            runs,
          )
    }`,
  };
};

const countRequests = (run: StoredRun): number =>
  run.requestsApi + run.requestsResolvers + run.requestsPages + run.requestsCdn;
