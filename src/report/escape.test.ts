import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  toDotString,
  toHtml,
  toMarkdown,
  toMarkdownCode,
  toMermaidLabel,
  toPlain,
  toRepoUrl,
  toSafeUrl,
} from './escape.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 80 });
const nasty = fc
  .array(
    fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '`',
      '``',
      '|',
      '[',
      '](',
      ')',
      '\\',
      '\n',
      '#',
      '*',
      '_',
      '-',
      '\u202e',
      '\u0007',
      'a',
      'https://x',
      '<script>',
      ';',
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));
const text = fc.oneof(anyText, nasty);

describe('escaping', () => {
  it('leaves no acting character and one line', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(toPlain(value)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(toPlain(value).isWellFormed()).toBe(true);
      }),
    );
  });

  it('HTML: no character that could start markup or end an attribute, and the text can be had back', () => {
    const back: Record<string, string> = {
      '&amp;': '&',
      '&lt;': '<',
      '&gt;': '>',
      '&quot;': '"',
      '&#39;': "'",
    };
    fc.assert(
      fc.property(text, (value) => {
        const html = toHtml(value);
        expect(html).not.toMatch(/[<>"']/);
        expect(html.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => back[entity] ?? '')).toBe(
          toPlain(value),
        );
      }),
    );
  });

  it('Markdown: every active character is escaped', () => {
    fc.assert(
      fc.property(text, (value) => {
        const bare = toMarkdown(value).replace(/\\[^\sA-Za-z0-9]/g, '');
        expect(bare).not.toMatch(/[`*_[\]<>|#~!]/);
        expect(toMarkdown(value)).not.toContain('://');
      }),
    );
  });

  it('Markdown code: the text cannot close its fence, in a table or out of it', () => {
    fc.assert(
      fc.property(text, (value) => {
        const code = toMarkdownCode(value);
        const fence = /^`+/.exec(code)?.[0] ?? '';
        expect(fence.length).toBeGreaterThan(0);
        expect(code.endsWith(fence)).toBe(true);
        const inner = code.slice(fence.length, -fence.length);
        for (const [run] of inner.matchAll(/`+/g)) expect(run.length).not.toBe(fence.length);
        expect(inner).not.toMatch(/^`|`$/);
        expect(code).not.toContain('|');
      }),
    );
  });

  it('DOT and Mermaid: the text cannot close its string', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(toDotString(value)).toMatch(/^"(?:[^"\\]|\\["\\])*"$/);
        expect(toMermaidLabel(value).slice(1, -1)).toMatch(/^[^"<>`%{}[\]|\\]+$/);
      }),
    );
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'https://x/"onclick="y', 'https://x y', '//x', ''])(
    'links to no %s',
    (url) => {
      expect(toSafeUrl(url)).toBeNull();
    },
  );

  it('links repos only where the name is an id', () => {
    expect(toRepoUrl('https://huggingface.co', 'a/B.c-d_1')).toBe('https://huggingface.co/a/B.c-d_1');
    for (const name of ['virtual/llama-1', 'a/b/c', 'a/<b>', '../x y', 'javascript:alert(1)', 'a/b?x']) {
      expect(toRepoUrl('https://huggingface.co', name)).toBeNull();
    }
    expect(toRepoUrl('javascript:', 'a/b')).toBeNull();
  });
});
