import { existsSync, mkdirSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readCorrections, readReportRows, toReportOptions } from '../../refresh/index.ts';
import {
  buildFamilies,
  buildModelReport,
  renderCycloneDx,
  renderDot,
  renderGraphml,
  renderMermaid,
} from '../../report/index.ts';
import { exportSqlite, exportViews } from '../../store/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { exportSite } from '../../web/index.ts';
import { EXIT } from '../exit-codes.ts';
import { formatNumber } from '../format.ts';
import { findModel, withIndex } from '../open-index.ts';
import type { CommandDefinition, Setup } from '../setup.ts';

const TABLES = ['csv', 'jsonl', 'parquet'] as const;
const GRAPHS = ['graphml', 'dot', 'mermaid'] as const;
const FORMATS = ['sqlite', ...TABLES, ...GRAPHS, 'cyclonedx', 'site'] as const;
type Format = (typeof FORMATS)[number];

export const exportCommand: CommandDefinition = {
  name: 'export',
  args: '[repo]',
  description: 'Write the index, or a part of it, in a form other tools read.',
  options: [
    { flags: '--format <format>', description: 'form', choices: FORMATS, default: 'sqlite' },
    {
      flags: '--out <path>',
      description:
        'folder (csv, jsonl, parquet, site) or file (the others); graphs and BOMs go to stdout without it',
    },
    { flags: '--family <root>', description: 'only this family (graphml, dot, mermaid)' },
    { flags: '--overwrite', description: 'replace files that are there' },
  ],
  examples: [
    'hublineage export --format sqlite --out public.sqlite   # opens in Datasette, metadata beside it',
    'hublineage export --format parquet --out tables/',
    'hublineage export --format site --out public/            # the explorer as files',
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
    const family = options.family as string | undefined;
    if (family !== undefined && !GRAPHS.some((known) => known === format))
      throw new HublineageError('UsageInvalid', `--format ${format} takes no --family.`, {
        hint: `Graphs can be of one family: --format ${GRAPHS.join(', ')}.`,
      });
    const database = loaded.config.database.file;
    const out = options.out as string | undefined;
    if (format === 'site') return writeSite(setup, out ?? 'hublineage-site');
    const files =
      (await withIndex(database, async () => writeTables(database, format, options))) ??
      (await writeGraph(await renderText(setup, format, args[0], family), out, options.overwrite === true));
    if (typeof files === 'string') await io.out(files);
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
  requireFolder(folder);
  mkdirSync(folder, { recursive: true });
  return exportViews(database, folder, tables, { overwrite });
}

/** The text itself where no file is named for it. */
async function writeGraph(
  text: string,
  out: string | undefined,
  overwrite: boolean,
): Promise<string | string[]> {
  if (out === undefined) return text;
  if (existsSync(out) && (!overwrite || !statSync(out).isFile()))
    throw new HublineageError('UsageInvalid', 'There is something of that name already.', {
      where: out,
      hint: statSync(out).isFile() ? 'Give --overwrite, or name another file.' : 'Name a file.',
    });
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, text);
  return [out];
}

function requireFolder(path: string): void {
  if (existsSync(path) && !statSync(path).isDirectory())
    throw new HublineageError(
      'UsageInvalid',
      'This form is a folder of files, and a file of that name is there.',
      {
        where: path,
        hint: 'Name a folder with --out.',
      },
    );
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
      throw new HublineageError(
        'ModelUnknown',
        root === null ? 'There is no family yet.' : `${root} is not the root of a family.`,
        {
          hint: '`hublineage sql @roots-by-descendants` lists the roots.',
        },
      );
    if (format === 'graphml') return renderGraphml(families);
    return format === 'dot' ? renderDot(families) : renderMermaid(families);
  });
}

/** The explorer as files that need no server. Written beside what is there: a page that is gone from the index stays until the folder is emptied. */
async function writeSite(setup: Setup, folder: string): Promise<number> {
  const { io, loaded, options: global, signal } = setup;
  const { config } = loaded;
  requireFolder(folder);
  const summary = await withIndex(config.database.file, (store) =>
    exportSite(
      {
        store,
        hubUrl: config.hub.endpoint,
        method: config.lineage.method,
        contradictionPValue: config.lineage.contradictionPValue,
        corrections: readCorrections(),
        signal,
      },
      async (path, content) => {
        const file = join(folder, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      },
    ),
  );
  await io.out(
    global.json
      ? `${JSON.stringify({ folder, ...summary })}\n`
      : `${formatNumber(summary.pages, 'page')} about ${formatNumber(summary.models, 'model')} in ${folder}\n`,
  );
  if (summary.modelsLeftOut > 0 && !global.quiet)
    io.err(`${formatNumber(summary.modelsLeftOut, 'model')} with fewer downloads got no page of their own\n`);
  return EXIT.done;
}
