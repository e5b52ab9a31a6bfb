import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import { makePath } from './testing/sample-index.ts';

let db: Sqlite.Database;
beforeAll(async () => {
  const path = makePath();
  // Empty: with statistics of nine rows the planner would rightly scan them.
  await (await openStore(path)).close();
  db = new Sqlite(path, { readonly: true });
});
afterAll(() => db.close());

const planOf = (sql: string) =>
  (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map((row) => row.detail);

/** On a million models a scan is the difference between a millisecond and a second; the small index of a test would never tell. */
describe('lookups through the public views', () => {
  it.each([
    "SELECT * FROM models WHERE repo = 'a'",
    "SELECT * FROM models WHERE owner = 'a'",
    "SELECT * FROM models WHERE family_root = 'a'",
    "SELECT * FROM declared_bases WHERE repo = 'a'",
    "SELECT * FROM declared_bases WHERE resolved_repo = 'a'",
    "SELECT * FROM edges WHERE child = 'a'",
    "SELECT * FROM edges WHERE parent = 'a'",
    "SELECT * FROM edge_evidence WHERE child = 'a' AND parent = 'b'",
    "SELECT * FROM edges e JOIN edge_evidence v ON v.child = e.child AND v.parent = e.parent WHERE e.child = 'a'",
    "SELECT * FROM behaviour WHERE repo = 'a'",
    "SELECT * FROM ancestors WHERE repo = 'a'",
    "SELECT * FROM ancestors WHERE ancestor = 'a'",
    "SELECT * FROM families WHERE repo = 'a'",
    "SELECT * FROM families WHERE root = 'a'",
    "SELECT * FROM verdicts WHERE repo = 'a'",
    "SELECT * FROM verdicts WHERE verdict = 'contradicted'",
    "SELECT * FROM edge_history WHERE child = 'a'",
    "SELECT * FROM verdict_history WHERE repo = 'a'",
    `SELECT * FROM ancestors a LEFT JOIN edges e ON e.child = a.repo AND e.rank = 1
      LEFT JOIN models m ON m.repo = a.repo LEFT JOIN verdicts v ON v.repo = a.repo
      LEFT JOIN families f ON f.repo = a.repo LEFT JOIN declared_bases d ON d.repo = a.repo WHERE a.ancestor = 'x'`,
  ])('%s uses an index at every step', (sql) => {
    expect(planOf(sql).filter((step) => /^(SCAN|MATERIALIZE|USE TEMP)|AUTOMATIC/.test(step))).toEqual([]);
  });

  it.each([
    ['SELECT * FROM models ORDER BY downloads DESC LIMIT 50', 't_repos_downloads'],
    ['SELECT * FROM models ORDER BY repo LIMIT 50', 't_repos_repo'],
    ['SELECT * FROM roots ORDER BY models DESC LIMIT 50', 't_roots_models'],
    ['SELECT * FROM edge_history ORDER BY first_seen DESC LIMIT 50', 't_edge_history_first'],
    ['SELECT * FROM verdict_history ORDER BY at DESC LIMIT 50', 't_verdict_history_at'],
  ])('%s walks along %s and stops', (sql, index) => {
    const plan = planOf(sql);
    expect(plan[0]).toContain(index);
    expect(plan.join()).not.toContain('TEMP B-TREE');
  });
});
