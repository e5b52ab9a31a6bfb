import { existsSync } from 'node:fs';
import {
  bindParameters,
  getQuery,
  listQueries,
  type QueryResult,
  runQuery,
  type SqlValue,
} from '../../store/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { formatTable } from '../format.ts';
import { type CommandDefinition, wholeNumber } from '../setup.ts';

type Format = 'table' | 'csv' | 'tsv' | 'json';

export const sql: CommandDefinition = {
  name: 'sql',
  args: '[query]',
  description: 'Ask the index in SQL: read-only, one statement, stopped when it takes too long.',
  options: [
    { flags: '--list', description: 'list the saved queries' },
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
    if (options.list === true) {
      const queries = await listQueries();
      const rows = queries.map(({ name, title, parameters }) => [
        `@${name}`,
        title,
        parameters.map((parameter) => parameter.name).join(', '),
      ]);
      await io.out(
        global.json
          ? `${JSON.stringify(queries, null, 2)}\n`
          : `${formatTable(['query', 'question', 'parameters'], rows, 80)}\n`,
      );
      return EXIT.done;
    }
    if (args[0] === undefined)
      throw new HublineageError('UsageInvalid', 'There is no query.', {
        hint: 'Give SQL or @name; --list shows the saved queries.',
      });
    const { file } = loaded.config.database;
    if (!existsSync(file))
      throw new HublineageError('ModelUnknown', 'There is no index yet.', {
        where: file,
        hint: 'Run `hublineage refresh` first, or name another database with --db FILE.',
      });
    const given = (options.param as Record<string, SqlValue> | undefined) ?? {};
    const { sql: query, params } = await readQuery(args[0], given);
    const result = await runQuery(file, query, {
      params,
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

/** `@name` is a saved query shipped with the program, with defaults for its parameters. */
async function readQuery(
  text: string,
  given: Record<string, SqlValue>,
): Promise<{ sql: string; params: Record<string, SqlValue> }> {
  if (!text.startsWith('@')) return { sql: text, params: given };
  const saved = await getQuery(text.slice(1));
  return { sql: saved.sql, params: bindParameters(saved, given) };
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
