import { readFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { getTableConfig } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import { listQueries } from './saved-queries.ts';
import * as schema from './schema.ts';
import { renderSchemaPage } from './schema-page.ts';
import { makePath } from './testing/sample-index.ts';
import { VIEW_NAMES, VIEWS } from './view-definitions.ts';

async function openMigrated() {
  const path = makePath();
  await (await openStore(path)).close();
  return new Sqlite(path, { readonly: true });
}

const columnsOf = (db: Sqlite.Database, name: string) =>
  db.pragma(`table_info(${name})`) as { name: string; type: string; notnull: number; pk: number }[];

describe('the drizzle tables', () => {
  it.each(Object.values(schema))('are what the migrations make', async (table) => {
    const db = await openMigrated();
    const { name, columns } = getTableConfig(table);
    const described = columns.map((column) => [
      column.name,
      column.getSQLType().toUpperCase(),
      column.notNull || column.primary,
    ]);
    const made = columnsOf(db, name).map((column) => [
      column.name,
      column.type,
      column.notnull === 1 || column.pk > 0,
    ]);
    expect(described).toEqual(made);
    db.close();
  });
});

describe('the public views', () => {
  /** docs: the contract users script against; a change here is a change for them. */
  const contract: Record<string, string> = {
    models:
      'repo hub_id owner family architecture params dtype format created_at last_modified sha downloads likes license gated status family_root',
    declared_bases: 'repo declared resolved_repo relation source',
    edges: 'child parent relation probability rank weight method parent_kind',
    edge_evidence: 'child parent probe outcome value log_odds detail',
    ancestors: 'repo ancestor depth',
    families: 'family root repo depth',
    verdicts: 'repo verdict declared relation_declared inferred relation_inferred probability reason',
    failures: 'repo stage error_code attempts last_error retry_after',
  };

  it.each(Object.entries(contract))('%s has the columns of the contract, in order', async (view, columns) => {
    const db = await openMigrated();
    expect(
      columnsOf(db, view)
        .map((column) => column.name)
        .join(' '),
    ).toBe(columns);
    db.close();
  });

  it('runs begins as the contract says and ends with requests and bytes', () => {
    const columns = Object.keys(VIEWS.runs.columns);
    expect(columns.slice(0, 4)).toEqual(['run_id', 'started_at', 'finished_at', 'stage']);
    expect(columns).toEqual(
      expect.arrayContaining(['requests_api', 'requests_resolvers', 'requests_cdn', 'bytes']),
    );
  });

  it.each(VIEW_NAMES)('%s has every column described', async (view) => {
    const db = await openMigrated();
    expect(columnsOf(db, view).map((column) => column.name)).toEqual(Object.keys(VIEWS[view].columns));
    for (const description of [VIEWS[view].description, ...Object.values(VIEWS[view].columns)])
      expect(description).toMatch(/\.$/);
    db.close();
  });

  it('are documented in a page that is up to date (node scripts/write-schema-page.ts)', async () => {
    const page = readFileSync(new URL('../../docs/reference/schema.md', import.meta.url), 'utf8');
    expect(page).toBe(renderSchemaPage(await listQueries()));
  });
});
