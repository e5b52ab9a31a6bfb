import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findNearest } from '../types/did-you-mean.ts';
import { HublineageError } from '../types/errors.ts';
import type { SqlValue } from './sql-types.ts';

const QUERIES_DIRECTORY = fileURLToPath(new URL('../../data/queries/', import.meta.url));

export interface QueryParameter {
  name: string;
  description: string;
  /** null: has to be given */
  default: SqlValue;
}

/** A question with its SQL, from data/queries/NAME.sql. */
export interface SavedQuery {
  name: string;
  title: string;
  description: string;
  parameters: QueryParameter[];
  sql: string;
}

/** First comment line: the title. Then `@param name=default description`; other comment lines are the description. */
export function parseQuery(name: string, text: string): SavedQuery {
  const lines = text.split('\n');
  const found = lines.findIndex((line) => !line.startsWith('--'));
  const end = found < 0 ? lines.length : found;
  const [title = name, ...rest] = lines.slice(0, end).map((line) => line.slice(2).trim());
  const parameters: QueryParameter[] = [];
  const description: string[] = [];
  for (const line of rest) {
    const match = /^@param (\w+)(?:=(\S+))? (.+)$/.exec(line);
    if (match === null) {
      description.push(line);
      continue;
    }
    const [, parameter, value, words] = match;
    const number = Number(value);
    parameters.push({
      name: parameter!,
      description: words!,
      default: value === undefined ? null : Number.isNaN(number) ? value : number,
    });
  }
  return {
    name,
    title,
    description: description.join(' '),
    parameters,
    sql: lines.slice(end).join('\n').trim(),
  };
}

/** The cookbook, by name. */
export async function listQueries(directory: string = QUERIES_DIRECTORY): Promise<SavedQuery[]> {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => parseQuery(file.slice(0, -'.sql'.length), readFileSync(`${directory}/${file}`, 'utf8')));
}

/** The saved query of this name (with or without `@`); SqlRefused with the nearest one otherwise. */
export async function getQuery(name: string): Promise<SavedQuery> {
  const wanted = name.replace(/^@/, '');
  const queries = await listQueries();
  const found = queries.find((query) => query.name === wanted);
  if (found !== undefined) return found;
  const nearest = findNearest(
    wanted,
    queries.map((query) => query.name),
  );
  throw new HublineageError('SqlRefused', `there is no saved query @${wanted}`, {
    hint:
      nearest === null
        ? `saved queries are ${queries.map((query) => `@${query.name}`).join(', ')}`
        : `did you mean @${nearest}?`,
  });
}

/** Values for all parameters of a query: those given, else the defaults. SqlRefused for one that is missing or not known. */
export function bindParameters(query: SavedQuery, given: Record<string, SqlValue>): Record<string, SqlValue> {
  const known = query.parameters.map((parameter) => parameter.name);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = findNearest(name, known);
    throw new HublineageError('SqlRefused', `@${query.name} has no parameter ${name}`, {
      hint:
        nearest === null ? `its parameters are ${known.join(', ') || 'none'}` : `did you mean ${nearest}?`,
    });
  }
  return Object.fromEntries(
    query.parameters.map((parameter) => {
      const value = given[parameter.name] ?? parameter.default;
      if (value === null) {
        throw new HublineageError(
          'SqlRefused',
          `@${query.name} needs ${parameter.name}: ${parameter.description}`,
          {
            hint: `give it a value, as with --param ${parameter.name}=VALUE`,
          },
        );
      }
      return [parameter.name, value];
    }),
  );
}
