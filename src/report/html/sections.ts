import { isRead } from '../../types/verdict.ts';
import type { ReportDocument, ReportFamily } from '../document.ts';
import { toHtml, toSafeUrl } from '../escape.ts';
import { bytes, compact, grouped, measured, moment, plural, probability } from '../text.ts';
import { VERDICT_WORDS } from '../verdict-words.ts';
import { badge, relationChip, repoName } from './badges.ts';
import { renderCase, renderFinding } from './finding.ts';
import { renderTreeSvg } from './tree-svg.ts';

/** What one page holds; the JSON and CSV reports hold everything. */
const MAX_FINDINGS = 200;
const MAX_FAMILIES = 40;
const MAX_TABLE_ROWS = 2_000;
const MAX_LISTED = 100;
const MAX_TREE_ROWS = 120;
/** Rows of one family's table where the page shows many families. */
const MAX_FAMILY_ROWS = 200;
/** Families beyond the first few start folded, so that the page opens at a readable length. */
const OPEN_FAMILIES = 3;
const OPEN_FINDINGS = 5;

/** Everything between body tags: verdict first, then trees, evidence, what is unknown, method. */
export function renderBody(document: ReportDocument): string {
  const parts =
    document.kind === 'model'
      ? [
          renderModelHead(document),
          renderFamilies(document),
          renderModelCase(document),
          renderFailures(document),
          renderMethod(document),
        ]
      : [
          renderHead(document),
          renderChanges(document),
          renderFindings(document),
          renderFamilies(document),
          renderVerdicts(document),
          renderFailures(document),
          renderMethod(document),
        ];
  const body = parts.filter((part) => part !== '').join('\n');
  // a number and its percent sign stay on one line
  return `<main>\n${body}\n${renderFooter(document)}\n</main>`.replace(/(\d) %/g, '$1\u00a0%');
}

function renderModelHead(document: ReportDocument): string {
  const finding = document.findings[0];
  const head = `<header><h1>${repoName(document, document.title)}</h1><p class="meta">${snapshotLine(document)}</p></header>`;
  if (!finding) return `${head}<p class="lead">No verdict yet: this model has not been audited.</p>`;
  return `${head}\n${renderFinding(document, finding)}`;
}

function renderModelCase(document: ReportDocument): string {
  const finding = document.findings[0];
  const body = finding ? renderCase(document, finding) : '';
  return body === '' ? '' : `<section id="evidence"><h2>Evidence</h2>${body}</section>`;
}

function renderHead(document: ReportDocument): string {
  const { coverage, verdictCounts } = document;
  const read = coverage.byStatus.reduce((sum, row) => sum + (isRead(row.status) ? row.count : 0), 0);
  const tiles = [
    [grouped(coverage.models), coverage.models === 1 ? 'model' : 'models'],
    [grouped(read), 'read from their weights'],
    [grouped(coverage.withParent), 'with an inferred parent'],
    [grouped(coverage.declaring), 'declare a base'],
    [grouped(coverage.families), coverage.families === 1 ? 'family' : 'families'],
  ];
  const links = [
    ['findings', 'Findings', document.findings.length],
    ['families', 'Families', document.families.length],
    ['verdicts', 'All verdicts', document.verdicts.length],
    ['failures', 'Failures', document.failures.total],
  ].filter(([, , count]) => count !== 0);
  return [
    `<header><h1>${toHtml(document.title)}</h1>`,
    `<p class="meta">${snapshotLine(document)}</p>`,
    `<p class="lead">${headline(document)}</p>`,
    `<nav aria-label="Sections">${links.map(([id, text]) => `<a href="#${id}">${text}</a>`).join('')}<a href="#method">Method and disputes</a></nav>`,
    '</header>',
    `<div class="tiles">${tiles.map(([value, text]) => `<div class="tile"><b>${value}</b><span>${text}</span></div>`).join('')}</div>`,
    verdictBar(verdictCounts),
    `<ul class="legend">${verdictCounts
      .filter((row) => row.count > 0)
      .map(({ verdict, count }) => `<li>${badge(verdict)} ${grouped(count)}</li>`)
      .join('')}</ul>`,
    statusLine(document),
  ].join('\n');
}

function headline({ verdictCounts, coverage }: ReportDocument): string {
  const count = (verdict: string) => verdictCounts.find((row) => row.verdict === verdict)?.count ?? 0;
  const contradicted = count('contradicted');
  const agreeing = count('confirmed') + count('consistent');
  const first =
    contradicted === 0
      ? 'No model declares a base that its weights contradict.'
      : `<b>${plural(contradicted, 'model')}</b> ${contradicted === 1 ? 'declares' : 'declare'} a base that ${contradicted === 1 ? 'its' : 'their'} weights are not consistent with.`;
  return `${first} Of ${grouped(coverage.declaring)} that declare a base, ${grouped(agreeing)} agree with their weights.`;
}

function verdictBar(counts: ReportDocument['verdictCounts']): string {
  const total = counts.reduce((sum, row) => sum + row.count, 0);
  if (total === 0) return '';
  let x = 0;
  const rects = counts.flatMap(({ verdict, count }) => {
    if (count === 0) return [];
    const width = (count / total) * 100;
    const rect = `<rect class="${VERDICT_WORDS[verdict].tone}" x="${x.toFixed(3)}" y="0" width="${width.toFixed(3)}" height="4"><title>${toHtml(VERDICT_WORDS[verdict].word)}: ${grouped(count)}</title></rect>`;
    x += width;
    return [rect];
  });
  return `<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="Share of verdicts, counted below">${rects.join('')}</svg>`;
}

function statusLine({ coverage }: ReportDocument): string {
  const status = coverage.byStatus.map(
    (row) => `${grouped(row.count)} ${toHtml(row.status.replaceAll('_', ' '))}`,
  );
  const family = coverage.byFamily.map((row) => `${grouped(row.count)} ${toHtml(row.family)}`);
  return `<p class="meta below">${[status.join(' · '), family.join(' · ')].filter((text) => text !== '').join('<br>')}</p>`;
}

function renderChanges(document: ReportDocument): string {
  const { changes } = document;
  if (!changes) return '';
  const list = (title: string, items: readonly string[]) => {
    if (items.length === 0) return '';
    const more =
      items.length > MAX_LISTED ? `<li class="soft">and ${grouped(items.length - MAX_LISTED)} more</li>` : '';
    return `<details${items.length <= 12 ? ' open' : ''}><summary>${title} (${grouped(items.length)})</summary><ul>${items
      .slice(0, MAX_LISTED)
      .map((item) => `<li>${item}</li>`)
      .join('')}${more}</ul></details>`;
  };
  const edge = (row: { child: string; parent: string; relation: string }) =>
    `${repoName(document, row.child)} ${relationChip(row.relation)} of ${repoName(document, row.parent)}`;
  const lists = [
    list(
      'Verdicts that changed',
      changes.flipped.map((row) => `${repoName(document, row.repo)}: ${badge(row.from)} → ${badge(row.to)}`),
    ),
    list(
      'New models',
      changes.newModels.map((repo) => repoName(document, repo)),
    ),
    list('New edges', changes.newEdges.map(edge)),
    list('Edges no longer chosen', changes.goneEdges.map(edge)),
    list(
      'Gone from the Hub',
      changes.goneModels.map((repo) => repoName(document, repo)),
    ),
  ].join('');
  return `<section id="changes"><h2>What changed since run ${toHtml(changes.sinceRun)}</h2>${lists || '<p>Nothing.</p>'}</section>`;
}

function renderFindings(document: ReportDocument): string {
  const { findings, findingsTotal } = document;
  if (findings.length === 0)
    return '<section id="findings"><h2>Findings</h2><p>No model calls for a look.</p></section>';
  const shown = findings.slice(0, MAX_FINDINGS);
  const more =
    findingsTotal > shown.length
      ? `<p class="soft">The ${grouped(shown.length)} most important of ${grouped(findingsTotal)}; the table below and the CSV report list the others.</p>`
      : '';
  return `<section id="findings"><h2>Findings</h2>\n${shown.map((finding, i) => renderFinding(document, finding, i >= OPEN_FINDINGS)).join('\n')}\n${more}</section>`;
}

function renderFamilies(document: ReportDocument): string {
  const { families, kind } = document;
  if (families.length === 0) return '';
  if (kind !== 'ecosystem')
    return families
      .map((family) => `<section id="families"><h2>Tree</h2>${familyBody(document, family)}</section>`)
      .join('');
  const shown = families.slice(0, MAX_FAMILIES);
  const parts = shown.map(
    (family, i) =>
      `<details class="family"${i < OPEN_FAMILIES ? ' open' : ''}><summary><b>${toHtml(family.label)}</b> · ${plural(family.size, 'model')}</summary>${familyBody(document, family)}</details>`,
  );
  const more =
    families.length > shown.length
      ? `<p class="soft">And ${plural(families.length - shown.length, 'smaller family', 'smaller families')}, in the JSON report.</p>`
      : '';
  return `<section id="families"><h2>Families</h2>\n${parts.join('\n')}\n${more}</section>`;
}

function familyBody(document: ReportDocument, family: ReportFamily): string {
  const relations = family.relations
    .map((row) => `${relationChip(row.relation)} ${grouped(row.count)}`)
    .join(' ');
  const focus = document.kind === 'model' ? document.subject : null;
  const tree = renderTreeSvg(family, {
    maxRows: document.kind === 'ecosystem' ? MAX_TREE_ROWS : 400,
    hubUrl: document.method.hubUrl,
    focus,
  });
  const rows = family.nodes
    .slice(0, document.kind === 'ecosystem' ? MAX_FAMILY_ROWS : MAX_TABLE_ROWS)
    .map((node) => {
      const parents = [
        ...(node.parent === null ? [] : [node.parent]),
        ...node.otherParents.map((other) => other.parent),
      ];
      return `<tr><td>${repoName(document, node.repo, node.label)}</td><td class="num" data-value="${node.depth}">${node.depth}</td><td>${node.relation === null ? '' : relationChip(node.relation)}</td><td>${parents.map((parent) => repoName(document, parent)).join('<br>')}</td><td class="num" data-value="${node.probability ?? ''}">${probability(node.probability)}</td><td class="keep">${node.verdict === null ? '' : badge(node.verdict)}</td><td class="num" data-value="${node.downloads ?? ''}">${node.downloads === null ? '' : compact(node.downloads)}</td></tr>`;
    });
  const whole = rows.length === family.nodes.length && rows.length >= family.size;
  const which = whole
    ? plural(rows.length, 'model')
    : `${grouped(rows.length)} of ${plural(family.size, 'model')}`;
  return `<p class="meta">${plural(family.size, 'model')}, ${plural(family.depth, 'generation')} below the root. ${relations}</p>
<div class="treebox">${tree}</div>
<details><summary>As a table (${which})</summary><div class="scroll"><table class="sortable"><thead><tr><th>model</th><th class="num">depth</th><th>relation</th><th>parent</th><th class="num">probability</th><th>verdict</th><th class="num">downloads</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div></details>`;
}

function renderVerdicts(document: ReportDocument): string {
  const { verdicts, verdictCounts } = document;
  if (verdicts.length === 0) return '';
  const severity = (index: number) => VERDICT_WORDS[verdicts[index]!.verdict].severity;
  const order = verdicts.map((_, i) => i);
  if (verdicts.length > MAX_TABLE_ROWS) {
    order.sort(
      (a, b) =>
        severity(b) - severity(a) || (verdicts[b]!.downloads ?? 0) - (verdicts[a]!.downloads ?? 0) || a - b,
    );
  }
  const rows = order.slice(0, MAX_TABLE_ROWS).map((i) => {
    const line = verdicts[i]!;
    const names = (list: readonly string[]) =>
      list
        .slice(0, 5)
        .map((repo) => repoName(document, repo))
        .join('<br>') + (list.length > 5 ? `<br>and ${list.length - 5} more` : '');
    return `<tr data-verdict="${line.verdict}"><td>${repoName(document, line.repo)}${line.corrected ? ' <span class="chip">marked by hand</span>' : ''}</td><td class="keep">${badge(line.verdict)}</td><td>${names(line.declared)}</td><td>${names(line.inferred)}</td><td>${line.relationInferred === null ? '' : relationChip(line.relationInferred)}</td><td class="num" data-value="${line.probability ?? ''}">${probability(line.probability)}</td><td class="num" data-value="${line.downloads ?? ''}">${line.downloads === null ? '' : compact(line.downloads)}</td></tr>`;
  });
  const options = verdictCounts
    .filter((row) => row.count > 0)
    .map(
      ({ verdict, count }) =>
        `<option value="${verdict}">${toHtml(VERDICT_WORDS[verdict].word)} (${grouped(count)})</option>`,
    );
  const more =
    verdicts.length > rows.length
      ? `<p class="soft">The ${grouped(rows.length)} most important of ${grouped(verdicts.length)}; the CSV report lists all.</p>`
      : '';
  return `<section id="verdicts"><h2>All verdicts</h2>
<div class="filters" data-for="verdict-table"><input type="search" placeholder="Filter by name or relation" aria-label="Filter by name or relation"><select aria-label="Verdict"><option value="">every verdict</option>${options.join('')}</select><output></output></div>
<div class="scroll"><table class="sortable" id="verdict-table"><thead><tr><th>model</th><th>verdict</th><th>declares</th><th>weights point to</th><th>relation</th><th class="num">probability</th><th class="num">downloads</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></div>${more}</section>`;
}

function renderFailures(document: ReportDocument): string {
  const { failures } = document;
  if (failures.total === 0) return '';
  const rows = failures.rows
    .slice(0, MAX_LISTED)
    .map(
      (row) =>
        `<tr><td>${repoName(document, row.repo)}</td><td>${toHtml(row.stage)}</td><td>${toHtml(row.code)}</td><td class="num" data-value="${row.attempts}">${row.attempts}</td><td class="wide">${toHtml(row.message ?? '')}</td></tr>`,
    );
  const kinds = failures.byCode
    .map((row) => `${grouped(row.count)} ${toHtml(row.code)} in ${toHtml(row.stage)}`)
    .join(' · ');
  const more =
    failures.total > rows.length
      ? `<p class="soft">And ${grouped(failures.total - rows.length)} more, in the <code>failures</code> view.</p>`
      : '';
  return `<section id="failures"><h2>Could not be finished</h2><p class="meta">${kinds}</p><div class="scroll"><table class="sortable"><thead><tr><th>model</th><th>stage</th><th>error</th><th class="num">attempts</th><th>last message</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>${more}</section>`;
}

function renderMethod(document: ReportDocument): string {
  const { method, snapshot, verdictCounts } = document;
  const counts = snapshot.counts.map(
    ({ name, value }) =>
      `<tr><td>${toHtml(name.replaceAll('_', ' '))}</td><td class="num">${typeof value === 'string' ? toHtml(value) : name === 'bytes' ? bytes(value) : measured(value)}</td></tr>`,
  );
  const url = method.disputeUrl === null ? null : toSafeUrl(method.disputeUrl);
  const meanings = verdictCounts.map(
    ({ verdict }) =>
      `<tr><td class="keep">${badge(verdict)}</td><td>${toHtml(VERDICT_WORDS[verdict].meaning)}</td></tr>`,
  );
  return `<section id="method"><h2>Method, snapshot and disputes</h2>
<p>Method <code>${toHtml(method.name)}</code>.</p>
<ul>${method.statements.map((text) => `<li>${toHtml(text)}</li>`).join('')}</ul>
<p>${toHtml(method.dispute)}${url === null ? '' : ` <a href="${toHtml(url)}" rel="noopener noreferrer">Dispute a verdict</a>.`}</p>
<details><summary>What the verdicts mean</summary><div class="scroll"><table><tbody>${meanings.join('')}</tbody></table></div></details>
${counts.length > 0 ? `<details><summary>This run in numbers</summary><div class="scroll"><table><tbody>${counts.join('')}</tbody></table></div></details>` : ''}</section>`;
}

const snapshotLine = ({ snapshot }: ReportDocument) =>
  snapshot.runId === null
    ? 'No run yet'
    : `Run ${toHtml(snapshot.runId)} · ${toHtml(moment(snapshot.finishedAt ?? snapshot.startedAt))}`;

const renderFooter = ({ schemaVersion }: ReportDocument) =>
  `<footer>Made by hublineage from sampled weights; report format ${toHtml(schemaVersion)}. Verdicts are statements about weights, not about people.</footer>`;
