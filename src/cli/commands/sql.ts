import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type QueryResult, runQuery, type SqlValue } from '../../store/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { formatTable } from '../format.ts';
import { type CommandDefinition, wholeNumber } from '../setup.ts';

const QUERIES = fileURLToPath(new URL('../../../data/queries/', import.meta.url));

type Format = 'table' | 'csv' | 'tsv' | 'json';

export const sql: CommandDefinition = {
  name: 'sql',
  args: '<query>',
  description: 'Ask the index in SQL: read-only, one statement, stopped when it takes too long.',
  options: [
    { flags: '--csv', description: 'print CSV' },
    { flags: '--tsv', description: 'print tab-separated values' },
    { flags: '--table', description: 'print an aligned table (default)' },
    { flags: '--param <key=value>', description: 'value of :key in the query; repeatable', parse: toParam },
    {
      flags: '--timeout-ms <n>',
      description: 'stop the query after this time',
      parse: wholeNumber(),
      default: 30_000,
    },
    {
      flags: '--limit <n>',
      description: 'print at most this many rows',
      parse: wholeNumber(),
      default: 10_000,
    },
  ],
  examples: [
    'hublineage sql "SELECT repo, reason FROM verdicts WHERE verdict = \'contradicted\'"',
    'hublineage sql "SELECT * FROM ancestors WHERE repo = :repo" --param repo=owner/name --csv',
    'hublineage sql @roots-by-descendants',
  ],
  async work({ io, loaded, signal, options: global }, args, options) {
    const query = readSaved(args[0] ?? '');
    const { file } = loaded.config.database;
    if (!existsSync(file))
      throw new HublineageError('ModelUnknown', 'There is no index yet.', {
        where: file,
        hint: 'Run `hublineage refresh` first, or name another database with --db FILE.',
      });
    const result = await runQuery(file, query, {
      params: (options.param as Record<string, SqlValue> | undefined) ?? {},
      timeoutMs: options.timeoutMs as number,
      maxRows: options.limit as number,
      signal,
    });
    const format: Format = global.json ? 'json' : options.csv ? 'csv' : options.tsv ? 'tsv' : 'table';
    await io.out(print(result, format));
    if (result.truncated && !global.quiet)
      io.err(`only the first ${result.rows.length} rows are shown; --limit N shows more\n`);
    return EXIT.done;
  },
};

/** `@name` is a saved query shipped with the program. */
function readSaved(text: string): string {
  if (!text.startsWith('@')) return text;
  const name = text.slice(1);
  const path = `${QUERIES}${name}.sql`;
  if (!/^[a-z0-9-]+$/.test(name) || !existsSync(path))
    throw new HublineageError('UsageInvalid', `There is no saved query called ${text}.`, {
      hint: 'docs/reference/queries.md lists them.',
    });
  return readFileSync(path, 'utf8');
}

function toParam(value: string, previous: unknown): Record<string, SqlValue> {
  const at = value.indexOf('=');
  if (at <= 0) throw new Error('must be key=value');
  const raw = value.slice(at + 1);
  const number = raw.trim() === '' ? Number.NaN : Number(raw);
  return {
    ...(previous as Record<string, SqlValue> | undefined),
    [value.slice(0, at)]: Number.isFinite(number) ? number : raw,
  };
}

function print({ columns, rows }: QueryResult, format: Format): string {
  if (format === 'json') {
    const objects = rows.map((row) =>
      Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])),
    );
    return `${JSON.stringify(objects, (_key, value) => (typeof value === 'bigint' ? value.toString() : value), 2)}\n`;
  }
  if (format === 'table') return `${formatTable(columns, rows)}\n`;
  const separator = format === 'csv' ? ',' : '\t';
  return `${[columns, ...rows].map((row) => row.map((value) => quote(value, separator)).join(separator)).join('\n')}\n`;
}

/** RFC 4180 quoting; tabs and line breaks inside a TSV cell become spaces. */
function quote(value: unknown, separator: string): string {
  const text = value === null || value === undefined ? '' : String(value);
  if (separator === '\t') return text.replace(/[\t\r\n]/g, ' ');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
