import { findNearest } from '../types/did-you-mean.ts';
import { HublineageError } from '../types/errors.ts';
import { VIEW_NAMES, VIEWS } from './view-definitions.ts';

/** Characters of a statement; nobody types more, and SQLite's parser need not see it. */
const MAX_SQL_LENGTH = 100_000;

const ALLOWED_STARTS = ['SELECT', 'WITH', 'VALUES', 'EXPLAIN'];
/** Table-valued pragmas that only tell about the schema. */
const ALLOWED_PRAGMAS = new Set([
  'pragma_table_info',
  'pragma_table_xinfo',
  'pragma_table_list',
  'pragma_index_list',
  'pragma_index_info',
  'pragma_foreign_key_list',
]);

const refuse = (message: string, hint: string) => new HublineageError('SqlRefused', message, { hint });

/**
 * Words and semicolons outside strings, quoted names and comments; quoted names come without their quotes. What is opened and never closed
 * reaches to the end: a pattern that gave up there would try again at each character, in time that grows with the square.
 */
export function splitTokens(sql: string): string[] {
  const pattern =
    /'(?:[^']|'')*(?:'|$)|"((?:[^"]|"")*)(?:"|$)|`((?:[^`]|``)*)(?:`|$)|\[([^\]]*)(?:\]|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(;)/g;
  const tokens: string[] = [];
  for (const match of sql.matchAll(pattern)) {
    const token = match[1] ?? match[2] ?? match[3] ?? match[4] ?? match[5];
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

/**
 * The first of three locks on a user's SQL (the others: SQLite itself says whether the statement only reads, and the connection is
 * read-only): one statement, and one that asks. Throws SqlRefused.
 */
export function checkSql(sql: string): void {
  if (sql.length > MAX_SQL_LENGTH)
    throw refuse(
      `the query is ${sql.length} characters long, at most ${MAX_SQL_LENGTH} are read`,
      'shorten it',
    );
  if (sql.includes('\0')) throw refuse('the query holds a NUL character', 'remove it');
  const tokens = splitTokens(sql);
  const semicolon = tokens.indexOf(';');
  const first = tokens.find((token) => token !== ';')?.toUpperCase();
  if (first === undefined)
    throw refuse('the query is empty', `ask something like: SELECT * FROM ${VIEW_NAMES[0]} LIMIT 10`);
  if (!ALLOWED_STARTS.includes(first)) {
    const nearest = findNearest(first, ALLOWED_STARTS);
    throw refuse(
      `${first} is not allowed: the index is open for reading only`,
      nearest === null ? `a query begins with ${ALLOWED_STARTS.join(', ')}` : `did you mean ${nearest}?`,
    );
  }
  if (semicolon >= 0 && tokens.slice(semicolon).some((token) => token !== ';'))
    throw refuse('there is more than one statement', 'send one statement at a time');
  for (const token of tokens) {
    const name = token.toLowerCase();
    if (name.startsWith('pragma_') && !ALLOWED_PRAGMAS.has(name))
      throw refuse(`${name} is not allowed`, `allowed are ${[...ALLOWED_PRAGMAS].join(', ')}`);
    if (name === 'load_extension')
      throw refuse('load_extension is not allowed', 'extensions cannot be loaded');
  }
}

const KEYWORDS =
  'SELECT FROM WHERE GROUP ORDER BY HAVING LIMIT OFFSET JOIN LEFT INNER ON USING AS WITH RECURSIVE UNION ALL DISTINCT AND OR NOT IN LIKE BETWEEN IS NULL EXISTS CASE WHEN THEN ELSE END DESC ASC VALUES'.split(
    ' ',
  );

/** What to do about one of SQLite's complaints: the nearest view, column or keyword. */
function hintFor(message: string, sql: string): string {
  const table = /no such table: (?:main\.)?(.+)$/.exec(message)?.[1];
  if (table !== undefined) {
    const nearest = findNearest(table, VIEW_NAMES);
    return nearest === null ? `views are ${VIEW_NAMES.join(', ')}` : `did you mean ${nearest}?`;
  }
  const column = /no such column: "?(?:\w+\.)?([^"\s]+)/.exec(message)?.[1];
  if (column !== undefined) {
    const named = new Set(splitTokens(sql).map((token) => token.toLowerCase()));
    const views = VIEW_NAMES.filter((view) => named.has(view));
    const columns = [
      ...new Set((views.length > 0 ? views : VIEW_NAMES).flatMap((view) => Object.keys(VIEWS[view].columns))),
    ];
    const nearest = findNearest(column, columns);
    return nearest === null ? `columns are ${columns.join(', ')}` : `did you mean ${nearest}?`;
  }
  const near = /near "([^"]+)": syntax error/.exec(message)?.[1];
  if (near !== undefined) {
    const words = splitTokens(sql).filter((token) => !KEYWORDS.includes(token.toUpperCase()));
    // The word SQLite stumbles over is often the one after the mistake, so each word of the query is looked at that is almost a keyword.
    for (const word of [near, ...words]) {
      const nearest =
        word.length < 4
          ? null
          : findNearest(
              word.toUpperCase(),
              KEYWORDS.filter((k) => k.length > 3),
            );
      if (
        nearest !== null &&
        nearest !== word.toUpperCase() &&
        [...nearest].sort().join() === [...word.toUpperCase()].sort().join()
      )
        return `did you mean ${nearest} instead of ${word}?`;
    }
    return `the mistake is at or just before ${near}`;
  }
  const parameter = /Missing named parameter "(\w+)"/.exec(message)?.[1];
  if (parameter !== undefined) return `give it a value, as with --param ${parameter}=VALUE`;
  if (message.includes('does not only read')) return 'the index is open for reading only: ask with SELECT';
  return 'the views and their columns are described in docs/reference/schema.md';
}

/** SQLite's complaint about a user's query as SqlRefused, with the nearest name. */
export function toSqlRefusal(message: string, sql: string): HublineageError {
  const readable = /Missing named parameter "(\w+)"/.exec(message);
  return refuse(
    readable === null ? message : `the query needs a value for :${readable[1]}`,
    hintFor(message, sql),
  );
}
