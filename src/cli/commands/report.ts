import { readReportRows, toReportOptions, writeReports } from '../../refresh/index.ts';
import {
  buildFamilyReport,
  buildModelReport,
  buildReport,
  renderCsv,
  renderHtml,
  renderJson,
  renderMarkdown,
} from '../../report/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { findModel, withIndex } from '../open-index.ts';
import type { CommandDefinition } from '../setup.ts';

const FORMATS = { markdown: renderMarkdown, html: renderHtml, json: renderJson, csv: renderCsv };

export const report: CommandDefinition = {
  name: 'report',
  args: '[repo]',
  description: 'Write the reports, or print one about a model or a family.',
  options: [
    { flags: '--format <format>', description: 'print this format to stdout', choices: Object.keys(FORMATS) },
    { flags: '--family <root>', description: 'only this family' },
  ],
  examples: [
    'hublineage report',
    'hublineage report owner/name',
    'hublineage report --family owner/root --format html > family.html',
  ],
  work: ({ io, loaded, options: global }, args, options) =>
    withIndex(loaded.config.database.file, async (store) => {
      const [name] = args;
      const family = options.family as string | undefined;
      if (name !== undefined && family !== undefined)
        throw new HublineageError('UsageInvalid', 'Give a repo or --family, not both.');
      const format =
        (options.format as keyof typeof FORMATS | undefined) ?? (global.json ? 'json' : undefined);
      if (name === undefined && family === undefined && format === undefined) {
        const written = await writeReports({ store, config: loaded.config });
        await io.out(`${written.map(({ format: kind, path }) => `${kind.padEnd(9)} ${path}`).join('\n')}\n`);
        return EXIT.done;
      }
      const rows = await readReportRows(store);
      const reportOptions = toReportOptions(loaded.config);
      const document =
        name !== undefined
          ? buildModelReport(rows, await findModel(store, name), reportOptions)
          : family !== undefined
            ? buildFamilyReport(rows, await findModel(store, family), reportOptions)
            : buildReport(rows, reportOptions);
      await io.out(FORMATS[format ?? 'markdown'](document));
      return EXIT.done;
    }),
};
