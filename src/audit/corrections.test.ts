import { describe, expect, it } from 'vitest';
import { isHublineageError } from '../types/errors.ts';
import { parseCorrections } from './corrections.ts';

const entry = {
  repo: 'a/b',
  verdict: 'disputed',
  reason: 'trained from c/d',
  link: null,
  by: 'someone',
  date: '2026-01-31',
};

describe('parseCorrections', () => {
  it('reads entries; the link may be missing', () => {
    expect(parseCorrections(JSON.stringify({ corrections: [entry] }))).toEqual([entry]);
    const { link: _, ...bare } = entry;
    expect(parseCorrections(JSON.stringify({ corrections: [bare] }))).toEqual([entry]);
    expect(parseCorrections('{"corrections":[]}')).toEqual([]);
  });

  it.each([
    ['{', /not valid JSON/],
    ['{}', /not a list/],
    ['{"corrections":[1]}', /corrections\[0\] is not an object/],
    [JSON.stringify({ corrections: [{ ...entry, by: '' }] }), /corrections\[0\]\.by/],
    [JSON.stringify({ corrections: [{ ...entry, date: 'yesterday' }] }), /date/],
    [JSON.stringify({ corrections: [{ ...entry, link: 'javascript:alert(1)' }] }), /https/],
    [JSON.stringify({ corrections: [{ ...entry, link: 'https://x"onclick=1' }] }), /https/],
  ])('names what is wrong: %s', (text, message) => {
    try {
      parseCorrections(text);
      expect.unreachable();
    } catch (error) {
      expect(isHublineageError(error, 'ConfigInvalid')).toBe(true);
      expect((error as Error).message).toMatch(message);
    }
  });
});
