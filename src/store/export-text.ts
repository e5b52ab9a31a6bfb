import type { ViewName } from '../types/view-rows.ts';
import { listColumns, openSource } from './export-source.ts';
import type { SqlValue } from './sql-types.ts';

/** Characters gathered before they are handed on. */
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * One CSV cell (RFC 4180). Text that a spreadsheet would run as a formula gets an apostrophe in front: what people declare in their cards
 * is not ours to trust, and CSV is what gets opened in spreadsheets. JSON lines and Parquet keep it as it is.
 */
export function toCsvCell(value: SqlValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function toJsonLine(columns: readonly string[], row: readonly SqlValue[]): string {
  return JSON.stringify(Object.fromEntries(columns.map((column, i) => [column, row[i]])));
}

/** A view as CSV with a header line, or as JSON lines, in chunks of text. */
export async function* exportText(
  dbPath: string,
  view: ViewName,
  format: 'csv' | 'jsonl',
): AsyncGenerator<string, void, undefined> {
  const columns = listColumns(view);
  const source = openSource(dbPath);
  try {
    let chunk = format === 'csv' ? `${columns.join(',')}\r\n` : '';
    for (const row of source.rows(view)) {
      chunk += format === 'csv' ? `${row.map(toCsvCell).join(',')}\r\n` : `${toJsonLine(columns, row)}\n`;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
    if (chunk !== '') yield chunk;
  } finally {
    source.close();
  }
}
