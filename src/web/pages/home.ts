import { VERDICT_ORDER, VERDICT_WORDS } from '../../report/index.ts';
import type { Store } from '../../store/index.ts';
import { isRead, MODEL_STATUSES, type VerdictKind } from '../../types/verdict.ts';
import type { PageHandler } from '../contract.ts';
import { compact, duration, grouped, moment, percent, plural } from '../format.ts';
import { type Html, html } from '../html.ts';
import { searchForm } from '../layout.ts';
import { familyPath, runPath, withQuery } from '../links.ts';
import { badge, modelLink, nameText } from '../parts/badges.ts';
import { table } from '../parts/table.ts';
import { labelOf } from '../read/cards.ts';
import { FLAGGED, type FlaggedRow, readFlagged } from '../read/flagged.ts';
import { countOf, countVerdicts, type Snapshot } from '../snapshot.ts';

/** Rows of each list on the first page. */
const MAX_ROWS = 8;

/** What there is, what calls for a look, and a way in. */
export const homePage: PageHandler = async ({ store, snapshot, now, isStatic }) => {
  const models = MODEL_STATUSES.reduce((sum, status) => sum + countOf(snapshot, 'status', status), 0);
  const byStatus = MODEL_STATUSES.map((status) => ({ status, models: countOf(snapshot, 'status', status) }));
  const verdicts = VERDICT_ORDER.map((verdict) => ({
    verdict,
    models: countOf(snapshot, 'verdict', verdict),
  }));
  const flagged = await readGravest(store, snapshot);
  const families = await store.readView('roots', { order: 'models DESC', limit: MAX_ROWS });
  const flips = await store.readView('verdict_history', {
    where: 'previous IS NOT NULL',
    order: 'run_id DESC',
    limit: MAX_ROWS,
  });
  const run = snapshot.lastRun;
  const data = {
    models,
    byStatus,
    declaring: countOf(snapshot, 'declaring', 'declares a base'),
    verdicts,
    flagged,
    families,
    changedVerdicts: flips,
    lastRun: run,
  };
  const read = byStatus.reduce((sum, row) => sum + (isRead(row.status) ? row.models : 0), 0);
  const tiles: [string, string, string][] = [
    [grouped(models), models === 1 ? 'model' : 'models', '/families'],
    [grouped(read), 'read from their weights', '/about'],
    [grouped(data.declaring), 'declare a base', '/about'],
    [grouped(countVerdicts(snapshot, FLAGGED)), 'call for a look', '/flagged'],
    [grouped(snapshot.failures.reduce((sum, row) => sum + row.models, 0)), 'steps failed', '/failures'],
  ];
  const body = html`<section class="hero"><h1>Who was made from whom</h1>
<p class="lead">Parents of models on the Hub, read off their weights and held against what their cards declare.</p>
${isStatic ? '' : searchForm('', 'home-search', true)}</section>
<ul class="tiles">${tiles.map(([value, text, path]) => html`<li><a class="tile" href="${path}"><b>${value}</b> <span>${text}</span></a></li>`)}</ul>
<section aria-labelledby="verdicts"><h2 id="verdicts">Verdicts</h2>
${verdictBar(verdicts)}
<ul class="legend">${verdicts
    .filter((row) => row.models > 0)
    .map(
      (row) =>
        html`<li><a href="${withQuery('/flagged', { verdict: row.verdict })}">${badge(row.verdict)}</a> ${grouped(row.models)}</li>`,
    )}</ul>
<p class="meta">${byStatus
    .filter((row) => row.models > 0)
    .map((row) => `${grouped(row.models)} ${row.status.replaceAll('_', ' ')}`)
    .join(' · ')}</p></section>
<div class="columns"><section aria-labelledby="look"><h2 id="look">Calls for a look</h2>
${
  flagged.length === 0
    ? html`<p>No model calls for a look.</p>`
    : html`${table(
        'Flagged models, gravest verdict first, then most downloaded',
        [
          { title: 'Model', cell: (row) => modelLink(row.repo) },
          { title: 'Verdict', kind: 'keep', cell: (row) => badge(row.verdict) },
          { title: 'Downloads', numeric: true, cell: (row) => compact(row.downloads) },
        ],
        flagged,
        { hideCaption: true },
      )}<p><a href="/flagged">All flagged models</a></p>`
}</section>
<section aria-labelledby="trees"><h2 id="trees">Largest families</h2>
${table(
  'Families by number of models',
  [
    {
      title: 'Root',
      cell: (row) =>
        html`<a class="repo" href="${familyPath(row.root)}">${nameText(labelOf(row.root, snapshot.virtualLabels))}</a>`,
    },
    { title: 'Models', numeric: true, cell: (row) => grouped(row.models) },
    { title: 'Depth', numeric: true, cell: (row) => row.max_depth },
  ],
  families,
  { hideCaption: true },
)}<p><a href="/families">All families</a></p></section></div>
${
  flips.length === 0
    ? ''
    : html`<section aria-labelledby="changed"><h2 id="changed">Verdicts that changed lately</h2>
<ul class="plain">${flips.map((row) => html`<li>${modelLink(row.repo)} ${row.previous === null ? '' : badge(row.previous)} <span aria-hidden="true">→</span><span class="hidden">became</span> ${badge(row.verdict)} <span class="meta">${moment(row.at)}</span></li>`)}</ul></section>`
}
<section aria-labelledby="run"><h2 id="run">Latest run</h2>
${
  run === null
    ? html`<p>None yet: <code>hublineage refresh</code> makes one.</p>`
    : html`<p><a href="${runPath(run.runId)}">Run ${run.runId}</a> (${run.stage}) ${run.status}, ${moment(run.finishedAt)}${
        run.finishedAt === null ? '' : `, ${duration(now.getTime() - Date.parse(run.finishedAt))} ago`
      }: ${plural(run.fingerprinted, 'model')} read, ${grouped(run.shared)} known by file hashes, ${plural(run.edges, 'edge')}, ${plural(run.verdicts, 'verdict')}.</p>`
}</section>`;
  return { title: 'hublineage', place: 'home', data, body };
};

/** The gravest verdicts first, as in the reports, and of each the most downloaded models. */
async function readGravest(store: Store, snapshot: Snapshot): Promise<FlaggedRow[]> {
  const rows: FlaggedRow[] = [];
  for (const verdict of VERDICT_ORDER) {
    const room = MAX_ROWS - rows.length;
    if (room === 0 || !FLAGGED.includes(verdict)) break;
    if (countOf(snapshot, 'verdict', verdict) === 0) continue;
    rows.push(...(await readFlagged(store, snapshot, { verdicts: [verdict], sort: 'downloads' }, room)).rows);
  }
  return rows;
}

function verdictBar(verdicts: readonly { verdict: VerdictKind; models: number }[]): Html {
  const total = verdicts.reduce((sum, row) => sum + row.models, 0);
  if (total === 0) return html`<p>No verdicts yet.</p>`;
  let x = 0;
  const rects = verdicts.map(({ verdict, models }) => {
    if (models === 0) return null;
    const width = (models / total) * 100;
    const { tone, word } = VERDICT_WORDS[verdict];
    const rect = html`<rect class="${tone}" x="${x.toFixed(3)}" y="0" width="${width.toFixed(3)}" height="4"><title>${word}: ${grouped(models)} (${percent(models / total)})</title></rect>`;
    x += width;
    return rect;
  });
  return html`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="Share of verdicts, counted below">${rects}</svg>`;
}
