import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSql, splitTokens, toSqlRefusal } from './sql-guard.ts';

describe('checkSql', () => {
  it.each([
    'SELECT 1',
    '  -- a comment; with a semicolon\n select 1 ;;',
    "WITH a AS (SELECT ';' AS x) SELECT x FROM a",
    'EXPLAIN QUERY PLAN SELECT 1',
    'VALUES (1), (2)',
    '/* DROP TABLE models; */ SELECT "drop", [delete], `attach` FROM models',
    "SELECT * FROM pragma_table_info('models')",
    "SELECT 'it''s; DELETE FROM models'",
  ])('lets %j through', (sql) => expect(() => checkSql(sql)).not.toThrow());

  it.each([
    ['', /empty/],
    [' ; -- nothing', /empty/],
    ['DELETE FROM models', /DELETE is not allowed/],
    ["ATTACH 'x' AS y", /ATTACH is not allowed/],
    ['PRAGMA user_version = 1', /PRAGMA is not allowed/],
    ['VACUUM INTO "x"', /VACUUM is not allowed/],
    ['SELECT 1; SELECT 2', /more than one statement/],
    ["SELECT 1 /* ; */; ATTACH 'x' AS y", /more than one statement/],
    ["SELECT load_extension('x')", /load_extension is not allowed/],
    ['SELECT "load_extension"(1)', /load_extension is not allowed/],
    ['SELECT * FROM pragma_database_list', /pragma_database_list is not allowed/],
    ['SELECT * FROM [pragma_database_list]', /pragma_database_list is not allowed/],
    ['SELECT 1\0', /NUL/],
    [`SELECT '${'x'.repeat(100_001)}'`, /characters long/],
  ])('refuses %j', (sql, message) => expect(() => checkSql(sql)).toThrow(message));

  it('reads any text in time proportional to its length, without crashing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
        expect(Array.isArray(splitTokens(text))).toBe(true);
      }),
    );
    for (const text of ["'".repeat(99_999), '"'.repeat(99_999), '/*'.repeat(50_000), '['.repeat(99_999)])
      expect(splitTokens(text).length).toBeLessThanOrEqual(100_000);
  });
});

describe('toSqlRefusal', () => {
  it.each([
    ['no such table: modles', 'SELECT * FROM modles', 'did you mean models?'],
    ['no such table: zzzzzzzzzz', 'SELECT * FROM zzzzzzzzzz', 'views are models, '],
    ['no such column: m.downlods', 'SELECT m.downlods FROM models m', 'did you mean downloads?'],
    ['no such column: perent', 'SELECT perent FROM edges', 'did you mean parent?'],
    ['near "models": syntax error', 'SELECT repo FORM models', 'did you mean FROM instead of FORM?'],
    ['near ")": syntax error', 'SELECT (1', 'the mistake is at or just before )'],
    ['Missing named parameter "repo"', 'SELECT :repo', '--param repo=VALUE'],
  ])('explains %j', (message, sql, hint) => {
    const error = toSqlRefusal(message, sql);
    expect(error.code).toBe('SqlRefused');
    expect(error.hint).toContain(hint);
  });
});
