import { createColors } from 'picocolors';
import type { ReportDocument } from './document.ts';
import { toPlain } from './escape.ts';
import { compact, grouped, plural } from './text.ts';
import { VERDICT_WORDS, type VerdictWords } from './verdict-words.ts';

export interface SummaryOptions {
  /** findings printed */
  top: number;
  color: boolean;
  /** columns; findings are cut to fit. 120 when absent */
  width?: number;
}

/** What a terminal shows after a run: coverage in a few lines, verdict counts, the most important findings one line each. */
export function renderSummaryText(document: ReportDocument, options: SummaryOptions): string {
  const paint = createColors(options.color);
  const width = options.width ?? 120;
  const { coverage } = document;
  const status = coverage.byStatus
    .map((row) => `${grouped(row.count)} ${row.status.replace('_', ' ')}`)
    .join(', ');
  const lines = [
    `${paint.bold(plural(coverage.models, 'model'))}${status ? `: ${status}` : ''}`,
    `${plural(coverage.families, 'family', 'families')} · ${grouped(coverage.withParent)} with an inferred parent · ${grouped(coverage.declaring)} declare a base`,
    '',
    ...countLines(document, paint),
  ];
  const findings = document.findings.slice(0, options.top);
  if (findings.length > 0) {
    lines.push(
      '',
      paint.bold(`Most important findings (${findings.length} of ${grouped(document.findingsTotal)})`),
    );
    const widest = Math.max(...findings.map(({ verdict }) => VERDICT_WORDS[verdict].word.length));
    for (const finding of findings) {
      const words = VERDICT_WORDS[finding.verdict];
      const badge = tint(paint, words)(`${words.symbol} ${words.word.padEnd(widest)}`);
      const downloads = finding.downloads === null ? '' : `${compact(finding.downloads).padStart(6)} ↓  `;
      const room = Math.max(30, width - widest - 15);
      lines.push(`  ${badge}  ${downloads}${brief(finding, room)}`);
    }
  } else {
    lines.push('', 'No finding calls for a look.');
  }
  if (document.failures.total > 0) {
    const kinds = document.failures.byCode.map((row) => `${row.count} ${row.code} (${row.stage})`).join(', ');
    lines.push('', `${plural(document.failures.total, 'repo')} could not be finished: ${kinds}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Declared and inferred at a glance, owners left out where the line is too short for them; the whole sentence is in the reports. */
function brief(finding: ReportDocument['findings'][number], room: number): string {
  const whole = `${toPlain(finding.repo)}  ${compare(finding, (name) => name)}`;
  if ([...whole].length <= room) return whole;
  return clip(
    `${toPlain(finding.repo)}  ${compare(finding, (name) => name.slice(name.lastIndexOf('/') + 1))}`,
    room,
  );
}

function compare(finding: ReportDocument['findings'][number], shorten: (name: string) => string): string {
  const { declared, inferred, parents, verdict, relationDeclared, relationInferred } = finding;
  const label = (repo: string) => parents.find((parent) => parent.parent === repo)?.label ?? repo;
  const names = (list: readonly string[]) =>
    toPlain(list.slice(0, 2).map(shorten).join(', ') + (list.length > 2 ? ` +${list.length - 2}` : ''));
  const found = names(inferred.map(label));
  if (verdict === 'undeclared') return `${relationInferred ?? 'made'} of ${found}`;
  if (verdict === 'relation_mismatch') return `says ${relationDeclared}, is ${relationInferred} of ${found}`;
  return `says ${names(declared)}${inferred.length > 0 ? `, found ${found}` : ', no parent found'}`;
}

function countLines(document: ReportDocument, paint: ReturnType<typeof createColors>): string[] {
  const shown = document.verdictCounts.filter((row) => row.count > 0);
  const cells = shown.map(({ verdict, count }) => {
    const words = VERDICT_WORDS[verdict];
    return tint(paint, words)(`${words.symbol} ${grouped(count)} ${words.word}`);
  });
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 5) lines.push(`  ${cells.slice(i, i + 5).join('   ')}`);
  return lines;
}

const tint = (paint: ReturnType<typeof createColors>, { tone }: VerdictWords) =>
  ({
    bad: paint.red,
    warn: paint.yellow,
    note: paint.cyan,
    good: paint.green,
    plain: (text: string) => text,
  })[tone];

const clip = (text: string, width: number) =>
  [...text].length > width ? `${[...text].slice(0, width - 1).join('')}…` : text;
