import type { ExplorerOptions, Page, Place } from './contract.ts';
import { moment } from './format.ts';
import { type Html, html } from './html.ts';
import { jsonPath } from './links.ts';
import type { Snapshot } from './snapshot.ts';

export interface Frame {
  /** path and query of the page */
  url: string;
  options: ExplorerOptions;
  snapshot: Snapshot | null;
  /** true in a static copy, where nothing can be asked */
  isStatic: boolean;
  /** hash of the assets, so that an upgrade is seen at once though they are cached */
  assetVersion: string;
}

const MENU: readonly { place: Place; path: string; title: string }[] = [
  { place: 'flagged', path: '/flagged', title: 'Flagged' },
  { place: 'families', path: '/families', title: 'Families' },
  { place: 'runs', path: '/runs', title: 'Runs' },
  { place: 'failures', path: '/failures', title: 'Failures' },
  { place: 'sql', path: '/sql', title: 'SQL' },
  { place: 'about', path: '/about', title: 'Method' },
];

/** The whole document around a page's body: landmarks, skip link, menu, search, and the same page as JSON. */
export function renderDocument(page: Page, frame: Frame): Html {
  const { options, isStatic, url, assetVersion } = frame;
  const title = page.place === 'home' ? 'hublineage' : `${page.title} · hublineage`;
  const menu = MENU.filter(({ place }) => place !== 'sql' || (!isStatic && options.sql != null));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="/assets/explorer.css?v=${assetVersion}">
<link rel="icon" type="image/svg+xml" href="/assets/icon.svg?v=${assetVersion}">
<link rel="alternate" type="application/json" href="${jsonPath(url)}">
<script src="/assets/explorer.js?v=${assetVersion}" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="top"><div class="bar-in">
<a class="brand" href="/"${page.place === 'home' ? html` aria-current="page"` : ''}>hublineage</a>
<nav aria-label="Main"><ul>${menu.map(
    ({ place, path, title }) =>
      html`<li><a href="${path}"${page.place === place ? html` aria-current="page"` : ''}>${title}</a></li>`,
  )}</ul></nav>
${isStatic || page.place === 'home' ? '' : searchForm('', 'top-search')}
</div></header>
<main id="content" tabindex="-1">
${page.body}
</main>
<footer><div class="bar-in">
<p>${snapshotLine(frame.snapshot)} <a href="${jsonPath(url)}">This page as JSON</a> · <a href="/about#dispute">Dispute a verdict</a></p>
<p>Verdicts are about weights as they were read, not about anybody's intent.</p>
</div></footer>
</body>
</html>
`;
}

export function searchForm(value: string, id: string, large = false): Html {
  return html`<form role="search" action="/search" method="get" class="search${large ? ' large' : ''}">
<label class="hidden" for="${id}">Find a model</label>
<input type="search" id="${id}" name="q" value="${value}" placeholder="${large ? 'owner/name, or the beginning of a name' : 'Find a model'}" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="200" list="${id}-names" data-suggest>
<datalist id="${id}-names"></datalist>
<button type="submit">Search</button>
</form>`;
}

function snapshotLine(snapshot: Snapshot | null): string {
  const run = snapshot?.lastRun;
  if (!run) return 'No run yet.';
  return run.finishedAt === null
    ? `Run ${run.runId} began ${moment(run.startedAt)}.`
    : `As of run ${run.runId}, ${moment(run.finishedAt)}.`;
}
