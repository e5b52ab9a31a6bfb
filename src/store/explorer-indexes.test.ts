import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import { makePath } from './testing/sample-index.ts';

let db: Sqlite.Database;
beforeAll(async () => {
  const path = makePath();
  await (await openStore(path)).close();
  db = new Sqlite(path, { readonly: true });
});
afterAll(() => {
  db.close();
});

const plan = (sql: string) =>
  (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map((row) => row.detail).join('\n');

/** What the explorer asks at each request may neither walk over every model nor sort. */
describe('queries of the explorer', () => {
  it.each([
    [
      't_repos_family',
      "SELECT * FROM models WHERE family_root = 'a' ORDER BY downloads DESC, repo LIMIT 700",
    ],
    [
      't_verdict_history_flips',
      'SELECT * FROM verdict_history WHERE previous IS NOT NULL ORDER BY run_id DESC LIMIT 8',
    ],
    [
      't_verdict_history_flips',
      'SELECT * FROM verdict_history WHERE run_id = 3 AND previous IS NOT NULL LIMIT 200',
    ],
    ['t_repos_downloads', 'SELECT * FROM models ORDER BY downloads DESC, repo LIMIT 1 OFFSET 15000'],
    ['t_repos_created', 'SELECT * FROM models ORDER BY created_at DESC, repo DESC LIMIT 50'],
    [
      't_families_root',
      "SELECT * FROM families WHERE root = 'a' AND (depth, repo) > (1, 'b') ORDER BY depth, repo LIMIT 101",
    ],
    [
      't_edges_parent',
      "SELECT * FROM edges WHERE parent = 'a' AND rank = 1 AND (relation, child) > ('merge', 'b') ORDER BY relation, child LIMIT 101",
    ],
  ])('are led by %s', (index, sql) => {
    expect(plan(sql)).toContain(`INDEX ${index}`);
    expect(plan(sql)).not.toContain('TEMP B-TREE');
  });
});
