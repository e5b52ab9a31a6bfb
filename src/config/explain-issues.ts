import type { z } from 'zod';
import { findNearest } from '../types/did-you-mean.ts';

/** Every key the shape of a default config has, as dotted paths. */
export function knownKeys(value: unknown, prefix = ''): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    `${prefix}${key}`,
    ...knownKeys(inner, `${prefix}${key}.`),
  ]);
}

/** One readable line an issue: the key, what is wrong with it, the nearest known key. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], keys: readonly string[]): string[] {
  return issues.flatMap((issue) => {
    const path = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') return [`${path || '(top level)'}: ${issue.message}`];
    return issue.keys.map((key) => {
      const full = path ? `${path}.${key}` : key;
      const siblings = keys.filter((known) => known.startsWith(path ? `${path}.` : ''));
      const nearest =
        findNearest(full, siblings) ??
        findNearest(
          key,
          keys.map((known) => known.split('.').at(-1) ?? ''),
        );
      return `${full}: unknown key${nearest ? `; did you mean ${nearest}?` : ''}`;
    });
  });
}
