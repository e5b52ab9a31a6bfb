import type { ReportDocument } from './document.ts';

/** The document as JSON, described by data/schemas/report.schema.json; ends in a newline. */
export function renderJson(document: ReportDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
