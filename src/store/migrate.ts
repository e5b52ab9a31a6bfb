import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Database } from 'better-sqlite3';
import { HublineageError } from '../types/errors.ts';
import { dropViews, hasCurrentViews } from './views.ts';

/** `HLNG`: tells our files from other SQLite files (PRAGMA application_id). */
const APPLICATION_ID = 0x484c4e47;

export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../migrations/', import.meta.url));

export interface Migration {
  number: number;
  name: string;
  sql: string;
  sha256: string;
}

/** Reads `0001_name.sql`, `0002_name.sql` ... in order; a gap or a stray name is a mistake of ours and throws. */
export function listMigrations(directory: string = MIGRATIONS_DIRECTORY): Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return names.map((name, index) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
    if (number !== index + 1) {
      throw new HublineageError('DatabaseInvalid', `migration ${name} breaks the numbering`, {
        where: directory,
        hint: 'migrations are 0001_name.sql, 0002_name.sql, ... without gaps',
      });
    }
    const sql = readFileSync(`${directory}/${name}`, 'utf8');
    return { number, name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
  });
}

interface AppliedMigration {
  number: number;
  name: string;
  sha256: string;
}

function readApplied(db: Database): AppliedMigration[] | null {
  const found = db
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 't_migrations'")
    .get();
  if (found === undefined) return null;
  return db
    .prepare('SELECT number, name, sha256 FROM t_migrations WHERE number > 0 ORDER BY number')
    .all() as AppliedMigration[];
}

/**
 * Throws DatabaseInvalid when the file is somebody else's, was made by a newer hublineage, or by migrations that have been edited since.
 * Returns how many migrations have been applied.
 */
export function checkVersion(db: Database, path: string, migrations: readonly Migration[]): number {
  const applied = readApplied(db);
  if (applied === null) {
    if (db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined) {
      throw new HublineageError('DatabaseInvalid', 'this SQLite file is not an index of hublineage', {
        where: path,
        hint: 'name another file with --db; nothing was changed in this one',
      });
    }
    return 0;
  }
  if (applied.length > migrations.length) {
    throw new HublineageError(
      'DatabaseInvalid',
      `the index has format ${applied.length}, this hublineage knows formats up to ${migrations.length}`,
      { where: path, hint: 'upgrade hublineage, or name another file with --db' },
    );
  }
  for (const [index, row] of applied.entries()) {
    const known = migrations[index]!;
    if (row.number !== known.number || row.sha256 !== known.sha256) {
      throw new HublineageError(
        'DatabaseInvalid',
        `the index was made with another ${known.name} than this hublineage has`,
        { where: path, hint: 'use the release that made this index, or start a new one with --db' },
      );
    }
  }
  return applied.length;
}

/** For readers: they cannot upgrade, so schema and views have to be those of this release. */
export function checkCurrent(db: Database, path: string, migrations: readonly Migration[]): void {
  const applied = checkVersion(db, path, migrations);
  if (applied === migrations.length && hasCurrentViews(db)) return;
  const message =
    applied === 0
      ? 'the index is empty'
      : applied < migrations.length
        ? `the index has format ${applied}, this hublineage reads format ${migrations.length}`
        : 'the views of the index are of another release';
  throw new HublineageError('DatabaseInvalid', message, {
    where: path,
    hint: 'run `hublineage refresh`, which brings it up to date; what is in it stays',
  });
}

/** Tables of ours and how many rows each has. */
function countRows(db: Database): Map<string, number> {
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
    .pluck()
    .all() as string[];
  return new Map(
    names.map((name) => [name, db.prepare(`SELECT count(*) FROM "${name}"`).pluck().get() as number]),
  );
}

/** Tables a migration says it empties or drops on purpose: `-- loses: t_name`. */
function allowedLosses(sql: string): Set<string> {
  return new Set([...sql.matchAll(/^--\s*loses:\s*(\w+)\s*$/gm)].map((match) => match[1]!));
}

function applyMigration(db: Database, path: string, migration: Migration, now: () => Date): void {
  // A table cannot be renamed while a view speaks of it; the views are made anew afterwards.
  dropViews(db);
  const before = countRows(db);
  db.exec(migration.sql);
  if (!db.inTransaction) {
    throw new HublineageError('DatabaseInvalid', `${migration.name} ends its transaction itself`, {
      where: path,
    });
  }
  const dangling = db.pragma('foreign_key_check') as { table: string; parent: string }[];
  if (dangling.length > 0) {
    throw new HublineageError(
      'DatabaseInvalid',
      `${migration.name} would leave ${dangling.length} rows pointing nowhere (${dangling[0]!.table} to ${dangling[0]!.parent})`,
      { where: path, hint: 'nothing was changed; please report this with the two version numbers' },
    );
  }
  const after = countRows(db);
  const allowed = allowedLosses(migration.sql);
  for (const [table, rows] of before) {
    if ((after.get(table) ?? 0) < rows && !allowed.has(table)) {
      throw new HublineageError(
        'DatabaseInvalid',
        `${migration.name} would lose rows of ${table}: ${rows} before, ${after.get(table) ?? 0} after`,
        { where: path, hint: 'nothing was changed; please report this with the two version numbers' },
      );
    }
  }
  db.prepare('INSERT INTO t_migrations (number, name, sha256, applied_at) VALUES (?, ?, ?, ?)').run(
    migration.number,
    migration.name,
    migration.sha256,
    now().toISOString(),
  );
}

/** A copy of the index as it is, beside it; replaces the copy of an earlier try. */
function backupBefore(db: Database, path: string, number: number): void {
  const target = `${path}.before-${String(number).padStart(4, '0')}`;
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  db.prepare('VACUUM INTO ?').run(partial);
  if (existsSync(target)) rmSync(target);
  renameSync(partial, target);
}

/**
 * Brings the schema up to date, each migration in a transaction of its own. Foreign keys are off meanwhile: SQLite rebuilds a table by
 * DROP TABLE, which with foreign keys on deletes the child rows without a word (drizzle's own migrator does just that). They are
 * checked before each commit, as are the row counts of every table that was there before.
 */
export function migrate(
  db: Database,
  path: string,
  migrations: readonly Migration[],
  now: () => Date = () => new Date(),
): void {
  const start = checkVersion(db, path, migrations);
  if (start === migrations.length) return;
  if (start > 0 && path !== ':memory:') backupBefore(db, path, start + 1);
  db.pragma('foreign_keys = OFF');
  try {
    for (const migration of migrations) {
      db.transaction(() => {
        db.exec(`CREATE TABLE IF NOT EXISTS t_migrations (
          number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT`);
        // Asked again under the write lock: another process may have come first.
        if (checkVersion(db, path, migrations) >= migration.number) return;
        applyMigration(db, path, migration, now);
        db.pragma(`application_id = ${APPLICATION_ID}`);
      }).exclusive();
    }
  } finally {
    db.pragma('foreign_keys = ON');
  }
}
