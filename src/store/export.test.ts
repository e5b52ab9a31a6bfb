import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import { inlineDefaults } from './datasette-metadata.ts';
import { exportSqlite, exportViews } from './export-index.ts';
import { EXPORT_ORDER, toColumnType } from './export-source.ts';
import { exportText, toCsvCell } from './export-text.ts';
import { openStore } from './open-store.ts';
import { bindParameters, listQueries } from './saved-queries.ts';
import { fillSampleIndex, makeClaim, makeFolder, makePath, toHubId, toSha } from './testing/sample-index.ts';
import { VIEW_NAMES, VIEWS } from './view-definitions.ts';

const HOSTILE = '=HYPERLINK("http://x", "a,b")\r\n"quoted"';

let path: string;
let expected: Record<string, Record<string, unknown>[]>;
beforeAll(async () => {
  path = makePath();
  const store = await fillSampleIndex(path);
  await store.replaceClaims(toHubId(3), toSha(3), [makeClaim(null, { raw: HOSTILE })], 1);
  expected = {};
  for (const view of VIEW_NAMES)
    expected[view] = (await store.readView(view, {
      order: EXPORT_ORDER[view],
    })) as Record<string, unknown>[];
  await store.close();
});

/** A small CSV reader by the letter of RFC 4180, so that what is written is not read back by the code that wrote it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const cells = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n)/g;
  for (const [, cell, end] of text.matchAll(cells)) {
    rows.at(-1)!.push(cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!);
    if (end === '\r\n') rows.push([]);
  }
  rows.pop();
  return rows;
}

describe('csv', () => {
  it('comes back the same, apart from formulas made harmless', async () => {
    const directory = makeFolder();
    const files = await exportViews(path, directory, 'csv');
    expect(files).toHaveLength(VIEW_NAMES.length);
    for (const view of VIEW_NAMES) {
      const [header, ...rows] = parseCsv(readFileSync(join(directory, `${view}.csv`), 'utf8'));
      expect(header).toEqual(Object.keys(VIEWS[view].columns));
      const cells = expected[view]!.map((row) =>
        Object.values(row).map((value) =>
          value === HOSTILE ? `'${HOSTILE}` : value === null ? '' : String(value),
        ),
      );
      expect(rows).toEqual(cells);
    }
    expect(readdirSync(directory).filter((file) => file.endsWith('.partial'))).toEqual([]);
  });

  it('never lets text begin a formula, and quotes whatever needs it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const cell = toCsvCell(text);
        const [[back]] = parseCsv(`${cell}\r\n`) as [[string]];
        expect(back === text || back === `'${text}`).toBe(true);
        expect(back).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
    expect([null, -1.5, 3n].map(toCsvCell)).toEqual(['', '-1.5', '3']);
  });
});

describe('jsonl', () => {
  it('comes back exactly', async () => {
    for (const view of VIEW_NAMES) {
      let text = '';
      for await (const chunk of exportText(path, view, 'jsonl')) text += chunk;
      const rows = text.split('\n').filter((line) => line !== '');
      expect(rows.map((line) => JSON.parse(line))).toEqual(expected[view]);
    }
  });
});

describe('parquet', () => {
  it('comes back exactly through hyparquet', async () => {
    const directory = makeFolder();
    for (const file of await exportViews(path, directory, 'parquet')) {
      const view = file.slice(directory.length + 1, -'.parquet'.length);
      const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
      const plain = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([key, value]) => [
            key,
            typeof value === 'bigint' ? Number(value) : (value ?? null),
          ]),
        ),
      );
      expect(plain, view).toEqual(expected[view]);
    }
  });

  it('is right about what each column holds', () => {
    const types = { text: 'string', integer: 'number', real: 'number' };
    for (const view of VIEW_NAMES)
      for (const row of expected[view]!)
        for (const [column, value] of Object.entries(row))
          if (value !== null) expect(typeof value, `${view}.${column}`).toBe(types[toColumnType(column)]);
  });
});

describe('sqlite', () => {
  it('holds the views as tables, answers the cookbook, and comes with metadata for Datasette', async () => {
    const [file, metadataFile] = await exportSqlite(path, join(makeFolder(), 'lineage.sqlite'));
    const db = new Sqlite(file!, { readonly: true });
    const names = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
      .pluck()
      .all();
    expect(names.sort()).toEqual([...VIEW_NAMES].sort());
    for (const view of VIEW_NAMES)
      expect(db.prepare(`SELECT * FROM ${view} ORDER BY rowid`).all()).toEqual(expected[view]);
    const metadata = JSON.parse(readFileSync(metadataFile!, 'utf8')).databases.lineage;
    expect(Object.keys(metadata.tables)).toEqual(VIEW_NAMES);
    for (const query of await listQueries()) {
      const canned = metadata.queries[query.name];
      expect(canned.title).toBe(query.title);
      const wants = [...canned.sql.matchAll(/:(\w+)/g)].map((match) => match[1]);
      expect(new Set(wants)).toEqual(new Set(canned.sql.includes(':repo') ? ['repo'] : []));
      const needsRepo = query.parameters.some((parameter) => parameter.name === 'repo');
      const repo = needsRepo ? { repo: 'owner/Model-1' } : {};
      expect(db.prepare(canned.sql).all(repo)).toEqual(
        db.prepare(query.sql).all(bindParameters(query, repo)),
      );
    }
    expect(
      db.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'index'").pluck().get(),
    ).toBeGreaterThan(20);
    db.close();
  });

  it('writes defaults into statements as literals', () => {
    const query = {
      name: 'x',
      title: '',
      description: '',
      parameters: [
        { name: 'a', description: '', default: "it's $& me" },
        { name: 'repo', description: '', default: null },
      ],
      sql: 'SELECT :a, :ab, :repo',
    };
    expect(inlineDefaults(query)).toBe("SELECT 'it''s $& me', :ab, :repo");
  });
});

describe('an export', () => {
  it('replaces a file only when asked to, and never the index', async () => {
    const file = join(makeFolder(), 'out.sqlite');
    await exportSqlite(path, file);
    const made = statSync(file).mtimeMs;
    await expect(exportSqlite(path, file)).rejects.toMatchObject({ code: 'UsageInvalid', where: file });
    expect(statSync(file).mtimeMs).toBe(made);
    await exportSqlite(path, file, { overwrite: true });
    await expect(exportSqlite(path, path, { overwrite: true })).rejects.toMatchObject({
      code: 'UsageInvalid',
    });
    const store = await openStore(path, { readonly: true });
    expect(await store.countRepos({ presentOnly: false })).toBe(9);
    await store.close();
  });

  it('leaves nothing behind when there is no index', async () => {
    const directory = makeFolder();
    await expect(exportViews(join(directory, 'none.sqlite'), directory, 'csv')).rejects.toMatchObject({
      code: 'DatabaseInvalid',
    });
    expect(existsSync(join(directory, 'models.csv'))).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
  });
});
