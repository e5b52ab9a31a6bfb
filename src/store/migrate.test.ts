import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkCurrent, listMigrations, MIGRATIONS_DIRECTORY, type Migration, migrate } from './migrate.ts';
import { openStore } from './open-store.ts';
import { fillSampleIndex, makeFolder, makePath } from './testing/sample-index.ts';
import { VIEW_NAMES } from './view-definitions.ts';

const known = listMigrations();
/** The number a later release's first migration would have. */
const next = known.length + 1;

/** Our migrations and then these, as if a later release had brought them. */
function withLater(...later: string[]): Migration[] {
  const directory = makeFolder();
  for (const migration of known) writeFileSync(join(directory, migration.name), migration.sql);
  for (const [i, sql] of later.entries())
    writeFileSync(join(directory, `${String(known.length + i + 1).padStart(4, '0')}_later.sql`), sql);
  return listMigrations(directory);
}

function dump(db: Database): Record<string, unknown[]> {
  const tables = db
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't\\_%' ESCAPE '\\' AND name <> 't_migrations'",
    )
    .pluck()
    .all() as string[];
  return Object.fromEntries(tables.map((name) => [name, db.prepare(`SELECT * FROM ${name}`).all()]));
}

let path: string;
let db: Database;
beforeEach(async () => {
  path = makePath();
  await (await fillSampleIndex(path)).close();
  db = new Sqlite(path);
  return () => db.close();
});

/** SQLite's own recipe for changing a table: make anew, copy, drop, rename. t_repos has children with ON DELETE CASCADE. */
const REBUILD = (() => {
  const create = /CREATE TABLE t_repos \(([\s\S]*?)\n\) STRICT;/.exec(known[0]!.sql)![0];
  return `${create.replace('t_repos', 't_repos_new')}
    INSERT INTO t_repos_new SELECT * FROM t_repos;
    DROP TABLE t_repos;
    ALTER TABLE t_repos_new RENAME TO t_repos;`;
})();

describe('migrate', () => {
  it('rebuilds a table that others point to without losing one of their rows', () => {
    db.pragma('foreign_keys = ON');
    const before = dump(db);
    expect(before.t_claims).toHaveLength(5);
    migrate(db, path, withLater(REBUILD));
    expect(dump(db)).toEqual(before);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
  });

  it('keeps a copy of the index as it was', () => {
    const backup = `${path}.before-${String(next).padStart(4, '0')}`;
    const before = dump(db);
    migrate(db, path, withLater('CREATE TABLE t_more (a INTEGER) STRICT;'));
    const copy = new Sqlite(backup, { readonly: true });
    expect(dump(copy)).toEqual(before);
    copy.close();
    expect(existsSync(`${backup}.partial`)).toBe(false);
  });

  it.each([
    ['loses rows', 'DELETE FROM t_claims WHERE position = 0;', /lose rows of t_claims: 5 before, 2 after/],
    ['drops a table', 'DROP TABLE t_claims;', /lose rows of t_claims: 5 before, 0 after/],
    ['leaves rows pointing nowhere', "UPDATE t_claims SET hub_id = 'none' || hub_id;", /pointing nowhere/],
    ['fails half way', 'CREATE TABLE t_half (a); SELECT nonsense;', /no such column/],
    ['ends its transaction', 'COMMIT;', /ends its transaction/],
  ])('changes nothing when a migration %s', (_, sql, message) => {
    const before = dump(db);
    expect(() => migrate(db, path, withLater(sql))).toThrow(message);
    expect(dump(db)).toEqual(before);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(db.prepare('SELECT count(*) FROM t_migrations WHERE number > 0').pluck().get()).toBe(known.length);
  });

  it('loses rows only where the migration says so', () => {
    migrate(db, path, withLater('-- loses: t_claims\nDELETE FROM t_claims;'));
    expect(db.prepare('SELECT count(*) FROM t_claims').pluck().get()).toBe(0);
  });

  it('does each migration once', () => {
    const later = withLater("INSERT INTO t_cursors VALUES ('once', '1', '');");
    migrate(db, path, later);
    migrate(db, path, later);
    expect(db.prepare("SELECT count(*) FROM t_cursors WHERE key = 'once'").pluck().get()).toBe(1);
  });

  it('refuses an index of a newer release, and one made by an edited migration', () => {
    migrate(db, path, withLater('CREATE TABLE t_more (a INTEGER) STRICT;'));
    expect(() => migrate(db, path, known)).toThrow(
      `has format ${next}, this hublineage knows formats up to ${known.length}`,
    );
    db.exec(
      `DELETE FROM t_migrations WHERE number = ${next}; UPDATE t_migrations SET sha256 = 'x' WHERE number = 1`,
    );
    expect(() => migrate(db, path, known)).toThrow(/another 0001_initial.sql/);
  });

  it('refuses gaps in the numbering', () => {
    const directory = makeFolder();
    writeFileSync(join(directory, '0002_gap.sql'), '');
    expect(() => listMigrations(directory)).toThrow(/breaks the numbering/);
  });

  it('tells a reader to let a writer upgrade first', () => {
    expect(() => checkCurrent(db, path, withLater('SELECT 1;'))).toThrow(
      `has format ${known.length}, this hublineage reads format ${next}`,
    );
  });
});

describe('openStore', () => {
  it('refuses what is not an index, and changes nothing in it', async () => {
    const other = makePath();
    const foreign = new Sqlite(other);
    foreign.exec('CREATE TABLE mine (a)');
    foreign.close();
    await expect(openStore(other)).rejects.toMatchObject({ code: 'DatabaseInvalid', where: other });
    const text = makePath();
    writeFileSync(text, 'not a database, but long enough to be taken for one\n'.repeat(100));
    const before = readFileSync(text);
    await expect(openStore(text)).rejects.toMatchObject({ code: 'DatabaseInvalid' });
    expect(readFileSync(text)).toEqual(before);
    await expect(openStore(makePath(), { readonly: true })).rejects.toMatchObject({
      code: 'DatabaseInvalid',
    });
  });

  it('opens for reading while another writes, and then never writes', async () => {
    const writer = await openStore(path);
    const reader = await openStore(path, { readonly: true });
    await expect(reader.startRun('crawl')).rejects.toMatchObject({ code: 'DatabaseInvalid' });
    await expect(reader.saveCursor('a', 1)).rejects.toMatchObject({ code: 'DatabaseInvalid' });
    await writer.saveCursor('a', 1);
    expect(await reader.getCursor('a')).toBe(1);
    await reader.close();
    await writer.close();
  });

  it('makes the views anew when their definitions change, and leaves rows alone', async () => {
    const before = dump(db);
    db.exec(
      "DROP VIEW models; CREATE VIEW models AS SELECT 1 AS old; UPDATE t_migrations SET sha256 = 'old' WHERE number = 0",
    );
    await expect(openStore(path, { readonly: true })).rejects.toThrow(
      /views of the index are of another release/,
    );
    const store = await openStore(path);
    expect((await store.readView('models', { limit: 1 }))[0]).toHaveProperty('repo');
    await store.close();
    expect(dump(db)).toEqual(before);
    const views = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")
      .pluck()
      .all();
    expect(views).toEqual([...VIEW_NAMES].sort());
  });

  it('backs up while it is open', async () => {
    const store = await openStore(path);
    const copy = makePath();
    await store.backup(copy);
    await store.backup(copy);
    expect(existsSync(`${copy}.partial`)).toBe(false);
    await expect(store.backup(path)).rejects.toMatchObject({ code: 'UsageInvalid' });
    await store.close();
    const restored = new Sqlite(copy, { readonly: true });
    expect(dump(restored)).toEqual(dump(db));
    restored.close();
  });

  it('finds damage', async () => {
    const store = await openStore(path);
    db.pragma('foreign_keys = OFF');
    db.exec("UPDATE t_claims SET hub_id = 'none' WHERE position = 0 AND repo = 'owner/Model-2'");
    expect(await store.integrityCheck()).toEqual(['t_claims row ? points to no row of t_repos']);
    await store.close();
  });
});

it('migrations travel with the package', () => {
  expect(existsSync(join(MIGRATIONS_DIRECTORY, '0001_initial.sql'))).toBe(true);
});
