import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseCorrections } from '../audit/index.ts';
import {
  buildReport,
  type ReportDocument,
  type ReportOptions,
  type ReportRows,
  renderCsv,
  renderHtml,
  renderJsonParts,
  renderMarkdown,
} from '../report/index.ts';
import type { Store } from '../store/index.ts';
import type { Config } from '../types/config.ts';
import { readChanges } from './report-changes.ts';

export interface WrittenReport {
  format: Config['report']['formats'][number];
  /** absolute */
  path: string;
}

const FLUSH_CHARS = 1 << 20;

const RENDERERS: Record<
  WrittenReport['format'],
  { file: string; render: (document: ReportDocument) => Iterable<string> }
> = {
  markdown: { file: 'report.md', render: (document) => [renderMarkdown(document)] },
  html: { file: 'report.html', render: (document) => [renderHtml(document)] },
  // beyond half a million models no string can hold it
  json: { file: 'report.json', render: renderJsonParts },
  csv: { file: 'report.csv', render: (document) => [renderCsv(document)] },
};

/**
 * The index as the report's builders take it.
 * @param sinceRun the run changes are told since; the last refresh that finished before the newest one when absent
 */
export async function readReportRows(store: Store, sinceRun?: number): Promise<ReportRows> {
  const virtualParents = await store.loadVirtualParents();
  return {
    models: await store.readView('models', { order: 'repo' }),
    declaredBases: await store.readView('declared_bases', { order: 'repo, source, declared' }),
    edges: await store.readView('edges', { order: 'child, rank, parent' }),
    evidence: await store.readView('edge_evidence', { order: 'child, parent, probe' }),
    families: await store.readView('families', { order: 'root, depth, repo' }),
    verdicts: await store.readView('verdicts', { order: 'repo' }),
    failures: await store.readView('failures', { order: 'repo, stage' }),
    runs: await store.readView('runs', { order: 'run_id' }),
    virtualParents: virtualParents.map((parent) => ({ id: parent.id, declared_label: parent.declaredLabel })),
    corrections: readCorrections(),
    changes: await readChanges(store, sinceRun),
  };
}

export function toReportOptions(config: Config): ReportOptions {
  return {
    hubUrl: config.hub.endpoint,
    method: config.lineage.method,
    contradictionPValue: config.lineage.contradictionPValue,
  };
}

/** The whole index as one report document. */
export async function readReport(store: Store, config: Config, sinceRun?: number): Promise<ReportDocument> {
  return buildReport(await readReportRows(store, sinceRun), toReportOptions(config));
}

/** What people said about verdicts, shipped with the program; shown, used in nothing else. */
export function readCorrections() {
  return parseCorrections(readFileSync(new URL('../../data/corrections.json', import.meta.url), 'utf8'));
}

/** Writes the configured formats; each file appears whole or not at all. */
export async function writeReports(
  context: { store: Store; config: Config },
  sinceRun?: number,
): Promise<{ document: ReportDocument; reports: WrittenReport[] }> {
  const { config, store } = context;
  const document = await readReport(store, config, sinceRun);
  const directory = resolve(config.report.directory);
  mkdirSync(directory, { recursive: true });
  const reports = config.report.formats.map((format) => {
    const { file, render } = RENDERERS[format];
    const path = join(directory, file);
    writeParts(`${path}.tmp`, render(document));
    renameSync(`${path}.tmp`, path);
    return { format, path };
  });
  return { document, reports };
}

/** Pieces are gathered into megabytes: a report has a piece a row, and a system call each would take minutes. */
function writeParts(path: string, parts: Iterable<string>): void {
  const file = openSync(path, 'w');
  try {
    let held: string[] = [];
    let chars = 0;
    for (const part of parts) {
      held.push(part);
      chars += part.length;
      if (chars < FLUSH_CHARS) continue;
      writeFileSync(file, held.join(''));
      held = [];
      chars = 0;
    }
    writeFileSync(file, held.join(''));
  } finally {
    closeSync(file);
  }
}
