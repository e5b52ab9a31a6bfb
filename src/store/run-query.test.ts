import { readFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { runQuery } from './run-query.ts';
import { bindParameters, getQuery, listQueries, parseQuery } from './saved-queries.ts';
import { fillSampleIndex, makePath } from './testing/sample-index.ts';

let path: string;
beforeAll(async () => {
  path = makePath();
  await (await fillSampleIndex(path)).close();
});

const ENDLESS = 'WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT max(x) FROM a';

describe('runQuery', () => {
  it('answers with columns and rows', async () => {
    expect(
      await runQuery(path, 'SELECT repo, license FROM models WHERE downloads > :least ORDER BY repo', {
        params: { least: 70 },
      }),
    ).toEqual({
      columns: ['repo', 'license'],
      rows: [
        ['owner/Model-8', 'mit'],
        ['owner/Model-9', 'mit'],
      ],
      truncated: false,
    });
  });

  it('keeps large numbers exact, shows bytes as hex, and takes positional values', async () => {
    const result = await runQuery(path, "SELECT ? + 0 AS a, x'00ff' AS b, NULL AS c, 0.5 AS d, 7 AS d", {
      params: [9007199254740993n],
    });
    expect(result).toEqual({
      columns: ['a', 'b', 'c', 'd', 'd'],
      rows: [[9007199254740993n, "x'00ff'", null, 0.5, 7]],
      truncated: false,
    });
  });

  it('takes defaults from the lines that declare parameters', async () => {
    const saved = '-- Title\n-- @param a=2 one\n-- @param b=x another\nSELECT :a + :c, :b';
    expect((await runQuery(path, saved, { params: { c: 40 } })).rows).toEqual([[42, 'x']]);
    expect((await runQuery(path, saved, { params: { a: 1, c: 1 } })).rows).toEqual([[2, 'x']]);
    await expect(runQuery(path, saved)).rejects.toMatchObject({ message: 'the query needs a value for :c' });
  });

  it('stops at the row and byte limits', async () => {
    const rows = 'WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT x FROM a';
    const few = await runQuery(path, rows, { maxRows: 5 });
    expect(few).toMatchObject({ truncated: true, rows: [[1], [2], [3], [4], [5]] });
    const small = await runQuery(path, "SELECT printf('%.1000c', 'x') FROM models", { maxBytes: 2500 });
    expect(small).toMatchObject({ truncated: true });
    expect(small.rows).toHaveLength(2);
  });

  it('kills a query that never ends, whether by the clock or by the one who asked', async () => {
    await expect(runQuery(path, ENDLESS, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'SqlTimeout' });
    await expect(runQuery(path, ENDLESS, { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({
      code: 'Interrupted',
    });
    await expect(runQuery(path, ENDLESS, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'Interrupted',
    });
  });

  it.runIf(process.platform === 'linux')('kills a query that eats memory', async () => {
    const greedy =
      "SELECT group_concat(printf('%.200000000c', 'x')) FROM (VALUES (1), (2), (3), (4), (5), (6))";
    await expect(runQuery(path, greedy)).rejects.toMatchObject({ code: 'SqlRefused' });
  });

  it('refuses what only looks like a question, and leaves the index as it was', async () => {
    const before = readFileSync(path);
    await expect(runQuery(path, 'WITH a AS (SELECT 1) DELETE FROM t_claims')).rejects.toMatchObject({
      code: 'SqlRefused',
      hint: expect.stringContaining('SELECT'),
    });
    await expect(runQuery(path, 'SELECT repo FROM modles')).rejects.toMatchObject({
      hint: 'did you mean models?',
    });
    await expect(runQuery(path, 'SELECT :repo')).rejects.toMatchObject({
      hint: expect.stringContaining('--param repo='),
    });
    expect(readFileSync(path)).toEqual(before);
  });

  it('tells when there is nothing to ask', async () => {
    await expect(runQuery(`${path}.missing`, 'SELECT 1')).rejects.toMatchObject({ code: 'DatabaseInvalid' });
  });
});

describe('the cookbook', () => {
  it('has twenty-one questions, each with a title', async () => {
    const queries = await listQueries();
    expect(queries).toHaveLength(21);
    for (const query of queries) expect(query.title, query.name).toMatch(/^[A-Z].{8,}/);
  });

  it('is answered by the sample index, every question of it', async () => {
    const db = new Sqlite(path, { readonly: true });
    // Some ask about things that the small index has too, but under other numbers than most.
    const subjects: Record<string, string> = {
      ancestors: 'owner/Model-4',
      siblings: 'owner/Model-3',
      'quantized-versions': 'owner/Model-2',
      'evidence-for': 'owner/Model-5',
      'nearest-by-behaviour': 'owner/Model-7',
    };
    for (const query of await listQueries()) {
      const needsRepo = query.parameters.some((parameter) => parameter.name === 'repo');
      const repo = subjects[query.name] ?? 'owner/Model-1';
      const given = {
        ...(needsRepo ? { repo } : {}),
        // The sample's clock stands in January 2026.
        ...(query.name === 'new-edges' ? { days: 100_000 } : {}),
      };
      expect(db.prepare(query.sql).all(bindParameters(query, given)).length, query.name).toBeGreaterThan(0);
    }
    db.close();
  });

  it('gives the right answers', async () => {
    const ask = async (name: string, given: Record<string, string | number> = {}) => {
      const query = await getQuery(`@${name}`);
      return (await runQuery(path, query.sql, { params: bindParameters(query, given) })).rows;
    };
    expect(await ask('descendants', { repo: 'owner/Model-1' })).toHaveLength(6);
    expect((await ask('ancestors', { repo: 'owner/Model-4' })).map((row) => row.slice(0, 2))).toEqual([
      ['owner/Model-2', 1],
      ['owner/Model-5', 1],
      ['owner/Model-1', 2],
    ]);
    expect(await ask('undeclared-merges')).toEqual([
      ['owner/Model-4', 2, '["owner/Model-2","owner/Model-5"]'],
    ]);
    expect(await ask('copies-of-gated')).toEqual([['owner/Model-6', 'owner/Model-1', 'manual', 60]]);
    expect((await ask('verdict-flips')).map((row) => row.slice(1, 4))).toEqual([
      ['owner/Model-5', 'unknown', 'contradicted'],
    ]);
    expect(await ask('mislabeled-per-owner')).toEqual([['owner', 1]]);
    expect(await ask('missing-parents')).toEqual([['virtual/llama-abc', 'llama', 1, 1]]);
    expect(await ask('license-differs-from-root')).toEqual([
      ['owner/Model-3', 'mit', 'owner/Model-1', 'llama3', 30],
      ['owner/Model-2', 'mit', 'owner/Model-1', 'llama3', 20],
    ]);
  });

  it('helps with names and parameters', async () => {
    await expect(getQuery('@decendants')).rejects.toMatchObject({ hint: 'did you mean @descendants?' });
    const query = await getQuery('descendants');
    expect(bindParameters(query, { repo: 'a/b' })).toEqual({ repo: 'a/b', limit: 1000 });
    expect(() => bindParameters(query, {})).toThrow(/needs repo/);
    expect(() => bindParameters(query, { repo: 'a', limt: 1 })).toThrow(/no parameter limt/);
    expect(parseQuery('x', '-- Title\n-- Words.\n-- More.\n-- @param a=0.5 what\nSELECT 1\n')).toEqual({
      name: 'x',
      title: 'Title',
      description: 'Words. More.',
      parameters: [{ name: 'a', description: 'what', default: 0.5 }],
      sql: 'SELECT 1',
    });
  });
});
