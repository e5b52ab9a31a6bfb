import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText, Html, html, joinHtml, lines } from './html.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 60 });

describe('html', () => {
  it('escapes every value but HTML, joins arrays, leaves nothing for what is absent', () => {
    const name = `<b>"O'Neil" & co</b>`;
    expect(
      html`<p title="${name}">${name}${null}${undefined}${false}${0}${[html`<i>1</i>`, 'a<b']}</p>`.text,
    ).toBe(
      '<p title="&lt;b&gt;&quot;O&#39;Neil&quot; &amp; co&lt;/b&gt;">&lt;b&gt;&quot;O&#39;Neil&quot; &amp; co&lt;/b&gt;0<i>1</i>a&lt;b</p>',
    );
    expect(joinHtml(['<', html`<br>`, '>'], ', ').text).toBe('&lt;, <br>, &gt;');
  });

  it('whatever the text: no markup, no end of an attribute, no character that acts', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const escaped = escapeText(text);
        expect(escaped).not.toMatch(/[<>"'\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(escaped).not.toMatch(/&(?!(?:amp|lt|gt|quot|#39);)/);
        expect(escaped.isWellFormed()).toBe(true);
      }),
    );
  });

  it('can be read back: nothing printable is lost', () => {
    const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escapeText(text).replace(/&(\w+|#39);/g, (_, name: string) => entities[name]!)).toBe(text);
      }),
    );
  });

  it('keeps the lines of a text of several', () => {
    expect(lines('a <b>\r\n\tc\u0007').text).toBe('a &lt;b&gt;\n\tc\ufffd');
    expect(html`${lines('<')}`).toBeInstanceOf(Html);
  });
});
