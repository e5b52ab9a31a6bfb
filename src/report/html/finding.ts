import type { ReportDocument, ReportEvidence, ReportFinding } from '../document.ts';
import { toHtml, toHtmlLines, toSafeUrl } from '../escape.ts';
import { compact, measured, plural, probability } from '../text.ts';
import { VERDICT_WORDS } from '../verdict-words.ts';
import { badge, relationChip, repoName } from './badges.ts';

const MAX_DECLARED = 12;

/**
 * One model's case: the verdict and its sentence, declared and inferred side by side, then evidence, doubts and what to do, folded.
 * `folded` makes a one-line entry of it that opens, for the long tail of a report.
 */
export function renderFinding(document: ReportDocument, finding: ReportFinding, folded = false): string {
  const { tone } = VERDICT_WORDS[finding.verdict];
  const facts = [
    finding.downloads === null ? '' : `${compact(finding.downloads)} downloads`,
    finding.params === null ? '' : `${compact(finding.params)} parameters`,
    finding.dtype ?? '',
    finding.format ?? '',
  ];
  const title = document.kind === 'model' ? '' : `<h3>${repoName(document, finding.repo)}</h3>`;
  const meta = `<span class="meta">${facts
    .filter((fact) => fact !== '')
    .map(toHtml)
    .join(' · ')}</span>`;
  const head = `${badge(finding.verdict)}${title}${meta}`;
  return [
    folded
      ? `<details class="card fold ${tone}"><summary class="head">${head}</summary>`
      : `<article class="card ${tone}">`,
    folded ? '' : `<div class="head">${head}</div>`,
    `<p>${toHtml(finding.reason)}</p>`,
    renderCorrection(finding),
    `<div class="sides">${renderDeclared(document, finding)}${renderInferred(document, finding)}</div>`,
    document.kind === 'model' ? '' : renderCase(document, finding),
    folded ? '</details>' : '</article>',
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** What a verdict rests on: evidence for and against, what is unknown, licences, what could be done. */
export function renderCase(document: ReportDocument, finding: ReportFinding): string {
  return [
    renderEvidence(
      document,
      'Evidence',
      finding.evidence.filter((row) => row.outcome !== 'contradicts'),
      document.kind === 'model',
    ),
    renderEvidence(
      document,
      'What speaks against these parents',
      finding.evidence.filter((row) => row.outcome === 'contradicts'),
      document.kind === 'model',
    ),
    renderQuestions(finding),
    renderLicences(document, finding),
    renderPatch(finding),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function renderCorrection({ correction }: ReportFinding): string {
  if (correction === null) return '';
  const url = correction.link === null ? null : toSafeUrl(correction.link);
  const link = url === null ? '' : ` <a href="${toHtml(url)}" rel="noopener noreferrer">source</a>`;
  return `<p class="notice">Marked by hand as <b>${toHtml(correction.verdict)}</b> by ${toHtml(correction.by)} on ${toHtml(correction.date)}: ${toHtml(correction.reason)}${link}</p>`;
}

/** One line a base, with every place it is declared in; the Hub's tags carry a relation the Hub guessed, so it stands with its source. */
function renderDeclared(document: ReportDocument, finding: ReportFinding): string {
  const rows =
    finding.declarations.length > 0
      ? finding.declarations
      : finding.declared.map((declared) => ({
          declared,
          resolved: declared,
          relation: finding.relationDeclared,
          source: '',
        }));
  const groups = Map.groupBy(rows, (row) => `${row.declared}\n${row.resolved ?? ''}`);
  const items = [...groups.values()].map((group) => {
    const { declared, resolved } = group[0]!;
    const same = resolved === declared;
    const name = same ? repoName(document, declared) : `<code>${toHtml(declared)}</code>`;
    const meaning = same
      ? ''
      : resolved === null
        ? ' <span class="soft">names no repo in the index</span>'
        : ` → ${repoName(document, resolved)}`;
    const sources = group.map(({ source, relation }) =>
      [source.replaceAll('_', ' '), relation].filter((text) => text !== null && text !== '').join(': '),
    );
    return `<li>${name}${meaning} ${[...new Set(sources)]
      .filter((text) => text !== '')
      .map(relationChip)
      .join(' ')}</li>`;
  });
  const more =
    items.length > MAX_DECLARED ? `<li class="soft">and ${items.length - MAX_DECLARED} more</li>` : '';
  const list =
    items.length === 0
      ? '<span class="soft">nothing</span>'
      : `<ul>${items.slice(0, MAX_DECLARED).join('')}${more}</ul>`;
  return `<div class="side"><h4>Declared</h4>${list}</div>`;
}

function renderInferred(document: ReportDocument, { parents, ties }: ReportFinding): string {
  const item = (edge: ReportFinding['parents'][number]) =>
    `<li>${repoName(document, edge.parent, edge.label)} ${relationChip(edge.relation)} <span class="meta">${edge.weight === null ? '' : `share ${probability(edge.weight)}, `}probability ${probability(edge.probability)}, by ${toHtml(edge.method)}</span></li>`;
  const tied =
    ties.length === 0
      ? ''
      : `<details><summary>${plural(ties.length, parents.length === 0 ? 'candidate' : 'other candidate')} not ruled out</summary><ul>${ties.map(item).join('')}</ul></details>`;
  return `<div class="side"><h4>Weights point to</h4>${parents.length === 0 ? `<span class="soft">${ties.length === 0 ? 'no parent in the index' : 'no parent that is sure enough'}</span>` : `<ul>${parents.map(item).join('')}</ul>`}${tied}</div>`;
}

function renderEvidence(
  document: ReportDocument,
  title: string,
  rows: readonly ReportEvidence[],
  open: boolean,
): string {
  if (rows.length === 0) return '';
  const body = rows.map(
    (row) =>
      `<tr><td>${repoName(document, row.parent)}</td><td>${toHtml(row.probe)}</td><td class="${row.outcome}">${toHtml(row.outcome.replaceAll('_', ' '))}</td><td class="num" data-value="${row.value ?? ''}">${measured(row.value)}</td><td class="num" data-value="${row.logOdds}">${measured(Number(row.logOdds.toFixed(2)))}</td><td class="wide">${toHtml(row.detail)}</td></tr>`,
  );
  return `<details${open ? ' open' : ''}><summary>${title} (${rows.length})</summary><div class="scroll"><table class="sortable"><thead><tr><th>parent</th><th>probe</th><th>outcome</th><th class="num">value</th><th class="num">log-odds</th><th>finding</th></tr></thead><tbody>${body.join('\n')}</tbody></table></div></details>`;
}

function renderQuestions({ openQuestions }: ReportFinding): string {
  if (openQuestions.length === 0) return '';
  return `<details><summary>Unknown, and what would settle it (${openQuestions.length})</summary><ul>${openQuestions.map((text) => `<li>${toHtml(text)}</li>`).join('')}</ul></details>`;
}

function renderLicences(document: ReportDocument, { licences }: ReportFinding): string {
  if (licences.length < 2) return '';
  const steps = licences.map(
    (step) =>
      `<li>${repoName(document, step.repo)} <span class="chip">${toHtml(step.licence ?? 'none stated')}</span></li>`,
  );
  return `<details><summary>Licences along the inferred path (${licences.length})</summary><ol>${steps.join('')}</ol></details>`;
}

function renderPatch({ cardPatch }: ReportFinding): string {
  if (cardPatch === null) return '';
  const lines = cardPatch
    .trimEnd()
    .split('\n')
    .map((line) => {
      const kind = /^(?:---|\+\+\+|@@)/.test(line)
        ? 'hunk'
        : line.startsWith('+')
          ? 'add'
          : line.startsWith('-')
            ? 'del'
            : '';
      return kind === '' ? toHtmlLines(line) : `<span class="${kind}">${toHtmlLines(line)}</span>`;
    });
  return `<details><summary>Suggested change to the card, for a person to check and send</summary><pre>${lines.join('\n')}</pre></details>`;
}
