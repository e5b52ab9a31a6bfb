import { HublineageError } from '../types/errors.ts';
import type { Correction } from './types.ts';

/** Bytes are counted by whoever reads the file; entries here. */
const MAX_CORRECTIONS = 100_000;
const MAX_TEXT_CHARS = 2_000;

/**
 * data/corrections.json: `{ "corrections": [{ repo, verdict, reason, link?, by, date }] }`. Shown beside verdicts, used in nothing else.
 * Throws ConfigInvalid naming the entry and the field.
 */
export function parseCorrections(text: string, where = 'corrections.json'): Correction[] {
  const fail = (message: string): never => {
    throw new HublineageError('ConfigInvalid', message, {
      where,
      hint: 'each correction needs repo, verdict, reason, by and date (YYYY-MM-DD); link is optional',
    });
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new HublineageError('ConfigInvalid', 'not valid JSON', { where, cause: error });
  }
  const list = isRecord(json) ? json.corrections : json;
  if (!Array.isArray(list)) return fail('`corrections` is not a list');
  if (list.length > MAX_CORRECTIONS) return fail(`more than ${MAX_CORRECTIONS} corrections`);
  return list.map((entry: unknown, i) => {
    const at = `corrections[${i}]`;
    if (!isRecord(entry)) return fail(`${at} is not an object`);
    const text_ = (field: string): string => {
      const value = entry[field];
      if (typeof value !== 'string' || value.trim() === '') return fail(`${at}.${field} is not a text`);
      return value.slice(0, MAX_TEXT_CHARS);
    };
    const date = text_('date');
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return fail(`${at}.date is not YYYY-MM-DD`);
    const link = entry.link ?? null;
    // a link is shown as one: anything but https could run in a reader's browser
    if (link !== null && !(typeof link === 'string' && /^https:\/\/[^\s"'<>]+$/.test(link))) {
      return fail(`${at}.link is not an https URL`);
    }
    return {
      repo: text_('repo'),
      verdict: text_('verdict'),
      reason: text_('reason'),
      link,
      by: text_('by'),
      date,
    };
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
