import type { ReportDocument } from './document.ts';

/**
 * The document as JSON, described by data/schemas/report.schema.json; ends in a newline. One line a list element, so that two nights can
 * be compared with `diff`. Beyond about half a million models no string can hold it: write `renderJsonParts` piece by piece then.
 */
export function renderJson(document: ReportDocument): string {
  return [...renderJsonParts(document)].join('');
}

/** The same text in pieces, for streams. */
export function* renderJsonParts(document: ReportDocument): Generator<string> {
  yield '{\n';
  const entries = Object.entries(document);
  for (const [i, [key, value]] of entries.entries()) {
    const end = i === entries.length - 1 ? '\n' : ',\n';
    const name = `  ${JSON.stringify(key)}: `;
    if (!Array.isArray(value) || value.length === 0) {
      yield `${name}${JSON.stringify(value)}${end}`;
      continue;
    }
    yield `${name}[\n`;
    for (const [j, item] of value.entries()) {
      yield `    ${JSON.stringify(item)}${j === value.length - 1 ? '\n' : ',\n'}`;
    }
    yield `  ]${end}`;
  }
  yield '}\n';
}
