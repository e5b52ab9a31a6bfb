import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ViewName } from '../types/view-rows.ts';
import { toDatasetteMetadata } from './datasette-metadata.ts';
import { writeParquet } from './export-parquet.ts';
import { writeWhole } from './export-source.ts';
import { writeSqlite } from './export-sqlite.ts';
import { exportText } from './export-text.ts';
import { listQueries } from './saved-queries.ts';
import { VIEW_NAMES } from './view-definitions.ts';

export interface ExportOptions {
  /** replace files that are there; they are refused when absent */
  overwrite?: boolean;
}

/** Writes each view as `VIEW.csv`, `.jsonl` or `.parquet` into a folder; returns the files written. */
export async function exportViews(
  dbPath: string,
  directory: string,
  format: 'csv' | 'jsonl' | 'parquet',
  options: ExportOptions & { views?: readonly ViewName[] } = {},
): Promise<string[]> {
  const files: string[] = [];
  for (const view of options.views ?? VIEW_NAMES) {
    const file = join(directory, `${view}.${format}`);
    await writeWhole(file, { overwrite: options.overwrite, never: dbPath }, (partial) =>
      format === 'parquet'
        ? writeParquet(dbPath, view, partial)
        : pipeline(Readable.from(exportText(dbPath, view, format)), createWriteStream(partial)),
    );
    files.push(file);
  }
  return files;
}

/** Writes the views as tables of one SQLite file, with Datasette's metadata beside it; returns both files. */
export async function exportSqlite(
  dbPath: string,
  file: string,
  options: ExportOptions = {},
): Promise<string[]> {
  const name = basename(file, extname(file));
  const metadata = join(file, '..', `${name}.metadata.json`);
  await writeWhole(file, { overwrite: options.overwrite, never: dbPath }, (partial) =>
    writeSqlite(dbPath, partial),
  );
  const text = JSON.stringify(toDatasetteMetadata(name, await listQueries()), null, 2);
  await writeWhole(metadata, { overwrite: true, never: dbPath }, (partial) =>
    writeFile(partial, `${text}\n`),
  );
  return [file, metadata];
}
