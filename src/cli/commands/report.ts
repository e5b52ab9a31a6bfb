import { readReportRows, toReportOptions, writeReports } from '../../refresh/index.ts';
import {
  buildFamilyReport,
  buildModelReport,
  buildReport,
  type ReportDocument,
  renderCsv,
  renderHtml,
  renderJsonParts,
  renderMarkdown,
} from '../../report/index.ts';
import type { Store } from '../../store/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { findModel, withIndex } from '../open-index.ts';
import { type CommandDefinition, wholeNumber } from '../setup.ts';

const FORMATS: Record<string, (document: ReportDocument) => Iterable<string>> = {
  markdown: (document) => [renderMarkdown(document)],
  html: (document) => [renderHtml(document)],
  // no string holds the JSON of a million models
  json: renderJsonParts,
  csv: (document) => [renderCsv(document)],
};

const PIECE_CHARS = 1 << 20;

export const report: CommandDefinition = {
  name: 'report',
  args: '[repo]',
  description: 'Write the reports, or print one about a model or a family.',
  options: [
    { flags: '--format <format>', description: 'print this format to stdout', choices: Object.keys(FORMATS) },
    { flags: '--family <root>', description: 'only this family' },
    {
      flags: '--since <run>',
      description: 'tell what changed since this run; the last refresh before the newest when absent',
      parse: wholeNumber(),
    },
  ],
  examples: [
    'hublineage report',
    'hublineage report owner/name',
    'hublineage report --family owner/root --format html > family.html',
    'hublineage report --since 12 --format markdown',
  ],
  work: ({ io, loaded, options: global }, args, options) =>
    withIndex(loaded.config.database.file, async (store) => {
      const [name] = args;
      const family = options.family as string | undefined;
      if (name !== undefined && family !== undefined)
        throw new HublineageError('UsageInvalid', 'Give a repo or --family, not both.');
      const since = options.since as number | undefined;
      if (since !== undefined) await checkRun(store, since);
      const format = (options.format as string | undefined) ?? (global.json ? 'json' : undefined);
      if (name === undefined && family === undefined && format === undefined) {
        const { reports: written } = await writeReports({ store, config: loaded.config }, since);
        await io.out(`${written.map(({ format: kind, path }) => `${kind.padEnd(9)} ${path}`).join('\n')}\n`);
        return EXIT.done;
      }
      const rows = await readReportRows(store, since);
      const reportOptions = toReportOptions(loaded.config);
      const document =
        name !== undefined
          ? buildModelReport(rows, await findModel(store, name), reportOptions)
          : family !== undefined
            ? buildFamilyReport(rows, await findRoot(store, family), reportOptions)
            : buildReport(rows, reportOptions);
      const render = FORMATS[format ?? 'markdown'] ?? renderJsonParts;
      for (const text of inPieces(render(document))) await io.out(text);
      return EXIT.done;
    }),
};

/** A family may hang from a parent that is not there, which no listing holds. */
async function findRoot(store: Store, name: string): Promise<string> {
  return name.startsWith('virtual/') ? name : findModel(store, name);
}

/** Parts gathered into pieces worth a write each. */
function* inPieces(parts: Iterable<string>): Generator<string> {
  let held: string[] = [];
  let chars = 0;
  for (const part of parts) {
    held.push(part);
    chars += part.length;
    if (chars < PIECE_CHARS) continue;
    yield held.join('');
    held = [];
    chars = 0;
  }
  yield held.join('');
}

async function checkRun(store: Store, runId: number): Promise<void> {
  const runs = await store.readView('runs', { order: 'run_id DESC' });
  if (runs.some((run) => run.run_id === runId)) return;
  const newest = runs[0]?.run_id;
  throw new HublineageError('UsageInvalid', `There is no run ${runId}.`, {
    hint:
      newest === undefined
        ? 'No run has been made yet.'
        : `The newest is ${newest}; \`hublineage sql "SELECT run_id, stage, finished_at FROM runs"\` lists all.`,
  });
}
