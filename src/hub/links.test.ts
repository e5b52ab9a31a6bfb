import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findNextLink, MALFORMED_LINK } from './links.ts';

describe('Link', () => {
  it.each<[string | undefined, string | null]>([
    [undefined, null],
    ['', null],
    ['<https://h/api/models?a=1&cursor=x%3D%3D>; rel="next"', 'https://h/api/models?a=1&cursor=x%3D%3D'],
    ['</api/models?x>;rel=next', '/api/models?x'],
    ['<a>; rel="prev", <b,c;d>; rel="next last"; title="x, y"', 'b,c;d'],
    ['<https://h/xet>; rel="xet-auth", <https://c/r>; rel="xet-reconstruction-info"', null],
  ])('%j', (header, next) => {
    expect(findNextLink(header)).toBe(next);
  });

  it.each([
    '<x',
    'https://h; rel="next"',
    '<https://h>; rel="next',
    '<>; rel="next"',
    '<a> <b>; rel=next',
    ';;;',
  ])('%j is malformed, and not the last page', (header) => {
    expect(findNextLink(header)).toBe(MALFORMED_LINK);
  });

  it('is read in no time, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', ';', ' ', '"', ',', '=', 'r', 'rel="next"') }),
        (text) => {
          findNextLink(text);
        },
      ),
    );
    // An expression that explodes would outlast the test's time by hours.
    findNextLink(`<x>${' ; a=b'.repeat(20_000)}!`);
    findNextLink(`<x>${' '.repeat(50_000)}!`);
  });
});
