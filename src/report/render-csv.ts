import type { ReportDocument, VerdictLine } from './document.ts';

const COLUMNS: readonly { name: string; of: (line: VerdictLine) => string | number | null }[] = [
  { name: 'repo', of: (line) => line.repo },
  { name: 'verdict', of: (line) => line.verdict },
  { name: 'declared', of: (line) => JSON.stringify(line.declared) },
  { name: 'relation_declared', of: (line) => line.relationDeclared },
  { name: 'inferred', of: (line) => JSON.stringify(line.inferred) },
  { name: 'relation_inferred', of: (line) => line.relationInferred },
  { name: 'probability', of: (line) => line.probability },
  { name: 'reason', of: (line) => line.reason },
  { name: 'downloads', of: (line) => line.downloads },
  { name: 'likes', of: (line) => line.likes },
  { name: 'family', of: (line) => line.family },
  { name: 'family_root', of: (line) => line.familyRoot },
  { name: 'corrected', of: (line) => String(line.corrected) },
];

/** One row a verdict: RFC 4180 (CRLF, doubled quotes), names as in the `verdicts` view, lists as JSON, null as an empty field. */
export function renderCsv(document: ReportDocument): string {
  const rows = [
    COLUMNS.map((column) => column.name),
    ...document.verdicts.map((line) => COLUMNS.map((column) => toField(column.of(line)))),
  ];
  return rows.map((row) => `${row.join(',')}\r\n`).join('');
}

/** A field, quoted where it must be. Text that a spreadsheet would run as a formula gets a leading apostrophe (OWASP). */
export function toField(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
