import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrontMatter, parseYamlSafely } from './front-matter.ts';

const card = (yaml: string) => `---\n${yaml}\n---\n\n# Title\n`;

describe('parseFrontMatter', () => {
  it('reads a mapping and says on which line each key stands', () => {
    const { data, error, lines } = parseFrontMatter(
      card('license: mit\nbase_model:\n- a/b\n- c/d\ntags: [x]'),
    );
    expect(error).toBeNull();
    expect(data).toEqual({ license: 'mit', base_model: ['a/b', 'c/d'], tags: ['x'] });
    expect(lines).toEqual({ license: 2, base_model: 3, tags: 6 });
  });

  it('counts lines from the top of the file, with a byte order mark, blank lines and CRLF before', () => {
    const { data, lines } = parseFrontMatter('\ufeff\n\n---\r\nlicense: mit\r\nbase_model: a/b\r\n---\r\n');
    expect(data).toEqual({ license: 'mit', base_model: 'a/b' });
    expect(lines.base_model).toBe(5);
  });

  it('finds none in a card without any', () => {
    expect(parseFrontMatter('# Just a title\n---\n')).toEqual({ data: null, error: null, lines: {} });
    expect(parseFrontMatter('')).toEqual({ data: null, error: null, lines: {} });
    expect(parseFrontMatter('---\n---\n').error).toBeNull();
  });

  it.each([
    ['broken YAML', card('a: [1, 2'), /not valid YAML/],
    ['a tab as indentation', card('a:\n\tb: 1'), /not valid YAML/],
    ['a list', card('- a\n- b'), /not a YAML mapping/],
    ['no end', '---\nlicense: mit\n', /no closing/],
    ['too much', `---\n${'a: b\n'.repeat(80_000)}---\n`, /too large/],
    ['nesting', card(`a: ${'['.repeat(5_000)}${']'.repeat(5_000)}`), /nested too deeply/],
    ['block nesting', card(`${'- '.repeat(3_000)}a`), /nested too deeply/],
  ])('says so: %s', (_, text, message) => {
    const { data, error } = parseFrontMatter(text);
    expect(data).toBeNull();
    expect(error).toMatch(message);
  });

  it('does not expand an alias bomb', () => {
    const rows = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 12; i += 1)
      rows.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    const { data, error } = parseFrontMatter(card(rows.join('\n')));
    expect(data).toBeNull();
    expect(error).toMatch(/alias/i);
  });

  it('runs no tag and pollutes no prototype', () => {
    const { data } = parseFrontMatter(card('__proto__:\n  polluted: true\nx: !!js/function "function(){}"'));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(typeof data?.x).not.toBe('function');
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (yaml) => {
        expect(() => parseFrontMatter(card(yaml))).not.toThrow();
        expect(() => parseYamlSafely(yaml)).not.toThrow();
      }),
    );
  });
});
