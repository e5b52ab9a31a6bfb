import type { ReportDocument, ReportEvidence, ReportFamily, ReportFinding } from './document.ts';
import { toMarkdown, toMarkdownCode, toPlain, toRepoUrl, toSafeUrl } from './escape.ts';
import { renderTree } from './render-tree.ts';
import { bytes, compact, grouped, measured, moment, plural, probability } from './text.ts';
import { VERDICT_WORDS } from './verdict-words.ts';

const MAX_FINDINGS = 100;
const MAX_FAMILIES = 20;
const MAX_LISTED = 50;
const MAX_TREE_ROWS = 60;

/** The report as GitHub-flavoured Markdown: verdicts first, then trees, evidence, what is unknown, method. */
export function renderMarkdown(document: ReportDocument): string {
  const parts = [
    renderHead(document),
    document.kind === 'model' ? '' : renderCounts(document),
    renderChanges(document),
    document.findings.length > 0 ? renderFindings(document) : '',
    renderFamilies(document),
    renderFailures(document),
    renderMethod(document),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function renderHead({ title, kind, snapshot, coverage, findings }: ReportDocument): string {
  const lines = [`# ${kind === 'model' ? toMarkdownCode(title) : toMarkdown(title)}`, ''];
  const only = kind === 'model' ? findings[0] : undefined;
  if (only) lines.push(`**${badge(only.verdict)}** ${toMarkdown(only.reason)}`, '');
  if (kind !== 'model') {
    lines.push(
      `${plural(coverage.models, 'model')}, ${plural(coverage.families, 'family', 'families')}, ${grouped(coverage.withParent)} with an inferred parent, ${grouped(coverage.declaring)} declaring a base.`,
      '',
      `Read: ${coverage.byStatus.map((row) => `${grouped(row.count)} ${row.status.replaceAll('_', ' ')}`).join(', ') || 'nothing yet'}.`,
      '',
    );
  }
  lines.push(
    `Snapshot: ${snapshot.runId === null ? 'no run yet' : `run ${toMarkdown(snapshot.runId)}, ${moment(snapshot.finishedAt ?? snapshot.startedAt)}`}.`,
  );
  return lines.join('\n');
}

function renderCounts({ verdictCounts }: ReportDocument): string {
  const rows = verdictCounts.map(
    ({ verdict, count }) => `| ${badge(verdict)} | ${grouped(count)} | ${VERDICT_WORDS[verdict].meaning} |`,
  );
  return ['## Verdicts', '', '| verdict | models | meaning |', '| --- | ---: | --- |', ...rows].join('\n');
}

function renderChanges({ changes }: ReportDocument): string {
  if (!changes) return '';
  const lines = [`## What changed since run ${toMarkdown(changes.sinceRun)}`, ''];
  const section = (name: string, items: readonly string[]) => {
    if (items.length === 0) return;
    lines.push(
      `**${name}** (${grouped(items.length)})`,
      '',
      ...items.slice(0, MAX_LISTED).map((item) => `- ${item}`),
    );
    if (items.length > MAX_LISTED) lines.push(`- and ${grouped(items.length - MAX_LISTED)} more`);
    lines.push('');
  };
  section(
    'Verdicts that changed',
    changes.flipped.map((row) => `${toMarkdownCode(row.repo)}: ${badge(row.from)} → ${badge(row.to)}`),
  );
  section('New models', changes.newModels.map(toMarkdownCode));
  section(
    'New edges',
    changes.newEdges.map(
      (edge) => `${toMarkdownCode(edge.child)} ${edge.relation} of ${toMarkdownCode(edge.parent)}`,
    ),
  );
  section(
    'Edges no longer chosen',
    changes.goneEdges.map(
      (edge) => `${toMarkdownCode(edge.child)} ${edge.relation} of ${toMarkdownCode(edge.parent)}`,
    ),
  );
  section('Gone from the Hub', changes.goneModels.map(toMarkdownCode));
  if (lines.length === 2) lines.push('Nothing.');
  return lines.join('\n').trimEnd();
}

function renderFindings(document: ReportDocument): string {
  const { findings, findingsTotal, kind } = document;
  const shown = findings.slice(0, MAX_FINDINGS);
  const lines = kind === 'model' ? [] : ['## Findings', ''];
  if (kind !== 'model') {
    lines.push(
      '| verdict | repo | downloads | declares | weights point to |',
      '| --- | --- | ---: | --- | --- |',
    );
    for (const finding of shown) {
      lines.push(
        `| ${badge(finding.verdict)} | ${repoLink(document, finding.repo)} | ${finding.downloads === null ? '–' : compact(finding.downloads)} | ${names(finding.declared)} | ${inferredNames(finding)} |`,
      );
    }
    if (findingsTotal > shown.length)
      lines.push(
        '',
        `The ${grouped(shown.length)} most important of ${grouped(findingsTotal)}; the CSV and JSON reports list all.`,
      );
  }
  for (const finding of shown) lines.push('', ...renderFinding(document, finding));
  return lines.join('\n').trim();
}

function renderFinding(document: ReportDocument, finding: ReportFinding): string[] {
  const lines: string[] = [];
  if (document.kind !== 'model') {
    lines.push(
      `### ${badge(finding.verdict)} ${repoLink(document, finding.repo)}`,
      '',
      toMarkdown(finding.reason),
      '',
    );
  }
  if (finding.correction) {
    const { correction } = finding;
    const link = correction.link ? toSafeUrl(correction.link) : null;
    lines.push(
      `> Marked by hand as **${toMarkdown(correction.verdict)}** by ${toMarkdown(correction.by)} on ${toMarkdown(correction.date)}: ${toMarkdown(correction.reason)}${link ? ` ([source](${link}))` : ''}`,
      '',
    );
  }
  for (const edge of finding.parents) {
    const share = edge.weight === null ? '' : `, share ${probability(edge.weight)}`;
    lines.push(
      `- ${edge.relation} of ${toMarkdownCode(edge.label)}${share}, probability ${probability(edge.probability)}, found by ${edge.method}`,
    );
  }
  for (const row of finding.declarations) {
    const meaning =
      row.resolved === null
        ? ' (no such repo in the index)'
        : row.resolved === row.declared
          ? ''
          : ` (${toMarkdownCode(row.resolved)})`;
    lines.push(
      `- declared in ${row.source.replaceAll('_', ' ')}: ${toMarkdownCode(row.declared)}${meaning}${row.relation ? ` as ${row.relation}` : ''}`,
    );
  }
  if (finding.licences.length > 1) {
    lines.push(
      `- licences along the path: ${finding.licences.map((step) => `${toMarkdownCode(step.repo)} ${toMarkdown(step.licence ?? 'none stated')}`).join(' ← ')}`,
    );
  }
  const against = finding.evidence.filter((row) => row.outcome === 'contradicts');
  lines.push(
    ...renderEvidence(
      'Evidence',
      finding.evidence.filter((row) => row.outcome !== 'contradicts'),
    ),
  );
  lines.push(...renderEvidence('What speaks against it', against));
  if (finding.openQuestions.length > 0) {
    lines.push(
      '',
      '**Unknown, and what would settle it**',
      '',
      ...finding.openQuestions.map((text) => `- ${toMarkdown(text)}`),
    );
  }
  if (finding.cardPatch !== null) {
    lines.push(
      '',
      'Suggested change to the card, for a person to check and send:',
      '',
      ...fenced('diff', finding.cardPatch),
    );
  }
  return lines;
}

function renderEvidence(title: string, rows: readonly ReportEvidence[]): string[] {
  if (rows.length === 0) return [];
  return [
    '',
    `<details><summary>${title} (${rows.length})</summary>`,
    '',
    '| parent | probe | outcome | value | log-odds | finding |',
    '| --- | --- | --- | ---: | ---: | --- |',
    ...rows.map(
      (row) =>
        `| ${toMarkdownCode(row.parent)} | ${toMarkdown(row.probe)} | ${row.outcome.replaceAll('_', ' ')} | ${measured(row.value)} | ${measured(row.logOdds)} | ${toMarkdown(row.detail)} |`,
    ),
    '',
    '</details>',
  ];
}

function renderFamilies(document: ReportDocument): string {
  const { families, kind } = document;
  if (families.length === 0) return '';
  const shown = families.slice(0, MAX_FAMILIES);
  const lines = [kind === 'ecosystem' ? '## Families' : '## Tree'];
  for (const family of shown) {
    if (kind === 'ecosystem') lines.push('', `### ${repoLink(document, family.root, family.label)}`);
    lines.push(
      '',
      describeFamily(family),
      '',
      ...fenced('text', renderTree(family, 'text', treeOptions(document))),
    );
  }
  if (families.length > shown.length)
    lines.push('', `And ${plural(families.length - shown.length, 'smaller family', 'smaller families')}.`);
  return lines.join('\n');
}

const treeOptions = ({ subject, kind }: ReportDocument) => ({
  maxRows: kind === 'ecosystem' ? MAX_TREE_ROWS : 300,
  ...(kind === 'model' && subject !== null ? { focus: subject } : {}),
});

function describeFamily(family: ReportFamily): string {
  const relations = family.relations.map((row) => `${grouped(row.count)} ${row.relation}`).join(', ');
  return `${plural(family.size, 'model')}, ${plural(family.depth, 'generation')} deep${relations ? `: ${relations}` : ''}.`;
}

function renderFailures({ failures }: ReportDocument): string {
  if (failures.total === 0) return '';
  const rows = failures.rows
    .slice(0, MAX_LISTED)
    .map(
      (row) =>
        `| ${toMarkdownCode(row.repo)} | ${row.stage} | ${row.code} | ${row.attempts} | ${toMarkdown(row.message ?? '')} |`,
    );
  const more = failures.total > MAX_LISTED ? ['', `And ${grouped(failures.total - MAX_LISTED)} more.`] : [];
  return [
    `## Could not be finished (${grouped(failures.total)})`,
    '',
    '| repo | stage | error | attempts | last message |',
    '| --- | --- | --- | ---: | --- |',
    ...rows,
    ...more,
  ].join('\n');
}

function renderMethod({ method, snapshot }: ReportDocument): string {
  const counts = snapshot.counts.map(
    ({ name, value }) =>
      `${toMarkdown(name.replaceAll('_', ' '))} ${typeof value === 'number' ? (name === 'bytes' ? bytes(value) : grouped(value)) : toMarkdown(value)}`,
  );
  const url = method.disputeUrl ? toSafeUrl(method.disputeUrl) : null;
  return [
    '## Method and snapshot',
    '',
    `Method ${toMarkdownCode(method.name)}.`,
    '',
    ...method.statements.map((text) => `- ${toMarkdown(text)}`),
    '',
    `${toMarkdown(method.dispute)}${url ? ` [Dispute a verdict](${url}).` : ''}`,
    ...(counts.length > 0 ? ['', `This run: ${counts.join(', ')}.`] : []),
  ].join('\n');
}

const badge = (verdict: ReportFinding['verdict']) =>
  `${toMarkdown(VERDICT_WORDS[verdict].symbol)} ${VERDICT_WORDS[verdict].word}`;

const names = (list: readonly string[]) =>
  list.length === 0
    ? '–'
    : list.slice(0, 3).map(toMarkdownCode).join(', ') +
      (list.length > 3 ? ` and ${list.length - 3} more` : '');

const inferredNames = (finding: ReportFinding) => names(finding.parents.map((parent) => parent.label));

function repoLink({ method }: ReportDocument, repo: string, label = repo): string {
  const url = toRepoUrl(method.hubUrl, repo);
  return url === null ? toMarkdownCode(label) : `[${toMarkdownCode(label)}](${url})`;
}

/** A code block no line of which can close it. */
function fenced(language: string, text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, ...text.trimEnd().split('\n').map(toPlain), fence];
}
