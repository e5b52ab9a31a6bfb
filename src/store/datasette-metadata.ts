import type { SavedQuery } from './saved-queries.ts';
import { VIEW_NAMES, VIEWS } from './view-definitions.ts';

/** Datasette has no default values for parameters, so those that have one are written into the statement. */
export function inlineDefaults(query: SavedQuery): string {
  return query.parameters.reduce((sql, { name, default: value }) => {
    if (value === null) return sql;
    const literal = typeof value === 'number' ? String(value) : `'${String(value).replaceAll("'", "''")}'`;
    return sql.replaceAll(new RegExp(`:${name}\\b`, 'g'), () => literal);
  }, query.sql);
}

/** What `datasette INDEX.sqlite --metadata FILE` reads: titles, descriptions of tables and columns, and the cookbook as canned queries. */
export function toDatasetteMetadata(
  database: string,
  queries: readonly SavedQuery[],
): Record<string, unknown> {
  const plain = (text: string) => text.replaceAll('`', '');
  return {
    title: 'hublineage',
    description:
      'Who was made from whom on the Hugging Face Hub, inferred from weights and held against what is declared.',
    databases: {
      [database]: {
        tables: Object.fromEntries(
          VIEW_NAMES.map((name) => [
            name,
            {
              title: VIEWS[name].title,
              description: plain(VIEWS[name].description),
              columns: Object.fromEntries(
                Object.entries(VIEWS[name].columns).map(([column, words]) => [column, plain(words)]),
              ),
            },
          ]),
        ),
        queries: Object.fromEntries(
          queries.map((query) => [
            query.name,
            { title: query.title, description: query.description, sql: inlineDefaults(query) },
          ]),
        ),
      },
    },
  };
}
