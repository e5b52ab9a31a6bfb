import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edgePath, hubPath, jsonPath, modelPath, safeUrl, splitEdge, withQuery } from './links.ts';

const part = fc.stringMatching(/^[\w.-]{1,12}$/);
const name = fc.oneof(
  part,
  fc.tuple(part, part).map((parts) => parts.join('/')),
);

describe('addresses', () => {
  it('of an edge give back its two models, also those called `from`', () => {
    fc.assert(
      fc.property(name, name, (child, parent) => {
        const subject = decodeURIComponent(edgePath(child, parent)).slice('/edges/'.length);
        const split = splitEdge(subject);
        // a bare name before `from/...` can be read two ways only when the parts themselves are called `from`
        if (![child, parent].join('/').split('/').includes('from')) expect(split).toEqual({ child, parent });
        else expect(`${split?.child}/from/${split?.parent}`).toBe(subject);
      }),
    );
    expect(splitEdge('a/from/from/b/c')).toEqual({ child: 'a/from', parent: 'b/c' });
    expect(splitEdge('a/b')).toBeNull();
  });

  it('keep slashes of names and escape the rest', () => {
    expect(modelPath('owner/na?me#1')).toBe('/models/owner/na%3Fme%231');
    expect(withQuery('/flagged', { verdict: ['a', 'b'], owner: null, after: '1~x/y' })).toBe(
      '/flagged?verdict=a&verdict=b&after=1%7Ex%2Fy',
    );
    expect(jsonPath('/')).toBe('/index.json');
    expect(jsonPath('/flagged?sort=name')).toBe('/flagged.json?sort=name');
  });

  it('lead to the Hub for repos only, and by http alone', () => {
    expect(hubPath('https://huggingface.co', 'owner/name')).toBe('https://huggingface.co/owner/name');
    for (const repo of ['virtual/llama-abc', 'owner/na me', '../x y', 'a/b/c'])
      expect(hubPath('https://huggingface.co', repo)).toBeNull();
    expect(safeUrl('javascript:alert(1)')).toBeNull();
    expect(safeUrl('https://example.org/"onclick=')).toBeNull();
  });
});
