import { type RunOutcome, readReport, type Stage } from '../refresh/index.ts';
import { renderSummaryText } from '../report/index.ts';
import type { HublineageError } from '../types/errors.ts';
import { formatBytes, formatNumber, toPrintable } from './format.ts';
import { formatError } from './format-error.ts';
import type { Io } from './io.ts';
import { withIndex } from './open-index.ts';
import type { Setup } from './setup.ts';

const MOST_FAILURES = 10;

/** What a run says on stdout: JSON on request, else a summary for people. */
export async function describeOutcome(
  setup: Setup,
  outcome: RunOutcome,
  stages: readonly Stage[],
): Promise<string> {
  if (setup.options.json) return `${JSON.stringify(toDocument(outcome), null, 2)}\n`;
  if (setup.options.quiet) return '';
  const blocks: string[] = [];
  if (stages.includes('audit') && outcome.stoppedBy === null) blocks.push(await summarise(setup, outcome));
  blocks.push(describeSpending(outcome, stages));
  if (outcome.failures.length > 0) blocks.push(describeFailures(outcome));
  if (outcome.reports.length > 0)
    blocks.push(outcome.reports.map((report) => `${report.format.padEnd(9)} ${report.path}`).join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

function toDocument(outcome: RunOutcome): Record<string, unknown> {
  const { stoppedBy, document: _, ...rest } = outcome;
  return {
    ...rest,
    stoppedBy:
      stoppedBy === null
        ? null
        : {
            code: stoppedBy.code,
            message: stoppedBy.message,
            where: stoppedBy.where ?? null,
            hint: stoppedBy.hint ?? null,
          },
  };
}

async function summarise({ loaded: { config }, io }: Setup, outcome: RunOutcome): Promise<string> {
  const document =
    outcome.document ?? (await withIndex(config.database.file, (store) => readReport(store, config)));
  return renderSummaryText(document, {
    top: config.report.top,
    color: io.outColors.isColorSupported,
  }).trimEnd();
}

function describeSpending(outcome: RunOutcome, stages: readonly Stage[]): string {
  const { spending, counts } = outcome;
  const requests =
    spending.requestsApi + spending.requestsResolvers + spending.requestsPages + spending.requestsCdn;
  const cost = `${formatNumber(requests, 'request')} (${spending.requestsApi} api, ${spending.requestsResolvers} resolve, ${spending.requestsCdn} range reads), ${formatBytes(spending.bytes)}`;
  if (stages.includes('fingerprint') && outcome.nothingNew && outcome.stoppedBy === null)
    return `Nothing new: no repo changed, no weights were read. ${cost}.`;
  return `Run ${outcome.runId}: ${counts.fingerprinted} models read, ${counts.shared} known by file hashes, ${counts.edges} edges, ${counts.verdicts} verdicts. ${cost}.`;
}

function describeFailures(outcome: RunOutcome): string {
  const shown = outcome.failures
    .slice(0, MOST_FAILURES)
    .map(({ repo, stage, code, message }) => `  ${toPrintable(`${repo}  ${stage}  ${code}  ${message}`)}`);
  const more = outcome.failures.length - shown.length;
  return [
    `${formatNumber(outcome.failures.length, 'repo')} could not be read:`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more: hublineage sql "SELECT * FROM failures"`] : []),
  ].join('\n');
}

/** Why a run ended early; it is no failure, and the same command goes on. */
export function describeStop(error: HublineageError, io: Io): string {
  return formatError(error, io);
}
