import { findNearest } from '../types/did-you-mean.ts';
import { HublineageError } from '../types/errors.ts';

/** The query string, read strictly: what is not understood is told, not ignored. Throws UsageInvalid. */
export interface Params {
  /** null when absent or blank */
  text(name: string, maxChars?: number): string | null;
  choice<T extends string>(name: string, choices: readonly T[]): T | null;
  /** every value given */
  choices<T extends string>(name: string, choices: readonly T[]): T[];
  count(name: string, low: number, high: number): number | null;
  /** all pairs whose name begins with prefix, without it */
  prefixed(prefix: string): Record<string, string>;
}

/**
 * @param known names the page understands; `name.` allows every name beginning so
 */
export function readParams(search: URLSearchParams, known: readonly string[]): Params {
  for (const name of search.keys()) {
    if (known.some((k) => (k.endsWith('.') ? name.startsWith(k) : name === k))) continue;
    const nearest = findNearest(name, known);
    throw new HublineageError('UsageInvalid', `This page has no parameter called ${name.slice(0, 60)}.`, {
      hint:
        nearest !== null
          ? `Did you mean ${nearest}?`
          : known.length === 0
            ? 'It takes none.'
            : `It takes ${known.join(', ')}.`,
    });
  }
  const text = (name: string, maxChars = 300) => {
    const value = search.get(name)?.trim() ?? '';
    if (value.length > maxChars)
      throw new HublineageError('UsageInvalid', `${name} is longer than ${maxChars} characters.`);
    return value === '' ? null : value;
  };
  const check = <T extends string>(name: string, value: string, choices: readonly T[]): T => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const nearest = findNearest(value, choices);
    throw new HublineageError('UsageInvalid', `${name} cannot be ${value.slice(0, 60)}.`, {
      hint: nearest === null ? `It can be ${choices.join(', ')}.` : `Did you mean ${nearest}?`,
    });
  };
  return {
    text,
    choice(name, choices) {
      const value = text(name);
      return value === null ? null : check(name, value, choices);
    },
    choices(name, choices) {
      const values = search.getAll(name).filter((value) => value !== '');
      return [...new Set(values.map((value) => check(name, value, choices)))];
    },
    count(name, low, high) {
      const value = text(name);
      if (value === null) return null;
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < low || number > high)
        throw new HublineageError('UsageInvalid', `${name} must be a whole number from ${low} to ${high}.`);
      return number;
    },
    prefixed(prefix) {
      return Object.fromEntries(
        [...search]
          .filter(([name, value]) => name.startsWith(prefix) && value !== '')
          .map(([name, value]) => [name.slice(prefix.length), value]),
      );
    },
  };
}
