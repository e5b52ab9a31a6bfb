import { mkdirSync } from 'node:fs';
import { readReportRows, toReportOptions } from '../../refresh/index.ts';
import {
  buildFamilies,
  buildModelReport,
  renderCycloneDx,
  renderGraphml,
  renderTree,
} from '../../report/index.ts';
import { exportSqlite, exportViews } from '../../store/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { findModel, withIndex } from '../open-index.ts';
import type { CommandDefinition, Setup } from '../setup.ts';

const TABLES = ['csv', 'jsonl', 'parquet'] as const;
const GRAPHS = ['graphml', 'dot', 'mermaid'] as const;
const FORMATS = ['sqlite', ...TABLES, ...GRAPHS, 'cyclonedx'] as const;
type Format = (typeof FORMATS)[number];

export const exportCommand: CommandDefinition = {
  name: 'export',
  args: '[repo]',
  description: 'Write the index, or a part of it, in a form other tools read.',
  options: [
    { flags: '--format <format>', description: 'form', choices: FORMATS, default: 'sqlite' },
    { flags: '--out <path>', description: 'file (sqlite) or folder (csv, jsonl, parquet)' },
    { flags: '--family <root>', description: 'only this family (graphml, dot, mermaid)' },
    { flags: '--overwrite', description: 'replace files that are there' },
  ],
  examples: [
    'hublineage export --format sqlite --out public.sqlite   # opens in Datasette, metadata beside it',
    'hublineage export --format parquet --out tables/',
    'hublineage export owner/name --format cyclonedx > bom.json',
    'hublineage export --family owner/root --format graphml > family.graphml',
  ],
  async work(setup, args, options) {
    const format = options.format as Format;
    const { io, loaded, options: global } = setup;
    if (args[0] !== undefined && format !== 'cyclonedx')
      throw new HublineageError('UsageInvalid', `--format ${format} takes no repo.`, {
        hint: 'Use --family ROOT, or --format cyclonedx for one model.',
      });
    const database = loaded.config.database.file;
    const files = await withIndex(database, async () => writeTables(database, format, options));
    if (files === null)
      await io.out(
        await withIndex(database, () =>
          renderText(setup, format, args[0], options.family as string | undefined),
        ),
      );
    else await io.out(global.json ? `${JSON.stringify({ files })}\n` : `${files.join('\n')}\n`);
    return EXIT.done;
  },
};

/** Formats that are files on disk; null for those that go to stdout. */
async function writeTables(
  database: string,
  format: Format,
  options: Record<string, unknown>,
): Promise<string[] | null> {
  const overwrite = options.overwrite === true;
  const out = options.out as string | undefined;
  if (format === 'sqlite') return exportSqlite(database, out ?? 'hublineage-public.sqlite', { overwrite });
  const tables = TABLES.find((known) => known === format);
  if (tables === undefined) return null;
  const folder = out ?? 'hublineage-export';
  mkdirSync(folder, { recursive: true });
  return exportViews(database, folder, tables, { overwrite });
}

async function renderText(
  setup: Setup,
  format: Format,
  name: string | undefined,
  familyName: string | undefined,
): Promise<string> {
  const { config } = setup.loaded;
  return withIndex(config.database.file, async (store) => {
    const rows = await readReportRows(store);
    if (format === 'cyclonedx') {
      if (name === undefined)
        throw new HublineageError('UsageInvalid', '--format cyclonedx is about one model.', {
          hint: 'hublineage export owner/name --format cyclonedx',
        });
      return renderCycloneDx(buildModelReport(rows, await findModel(store, name), toReportOptions(config)));
    }
    const root = familyName === undefined ? null : await findModel(store, familyName);
    const families = buildFamilies(rows).filter((family) => root === null || family.root === root);
    if (families.length === 0)
      throw new HublineageError('ModelUnknown', `${root ?? 'No model'} is the root of a family.`, {
        hint: '`hublineage sql @roots-by-descendants` lists the roots.',
      });
    if (format === 'graphml') return renderGraphml(families);
    return families.map((family) => renderTree(family, format as 'dot' | 'mermaid')).join('\n');
  });
}
