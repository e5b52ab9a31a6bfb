/**
 * HTML as values: the only way from text to a page. Everything put into a template is escaped unless it is HTML already, so a forgotten
 * escape is not possible and a card's text can never become markup.
 */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/** C0 and C1 controls, bidirectional overrides and zero-width characters: they hide, reorder and imitate text. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Printable ASCII without what HTML reads: nearly all names and numbers, of which a page has thousands. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

/** One line of text for content or a quoted attribute. */
export function escapeText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .replace(/[\t\n\r]+/g, ' ')
    .replace(CONTROL, '\ufffd')
    .toWellFormed()
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** Text of several lines, for `pre` and `textarea`: line breaks and tabs stay. */
export function lines(text: string): Html {
  return new Html(
    text
      .replace(/\r\n?/g, '\n')
      .split('\n')
      .map((line) => line.split('\t').map(escapeText).join('\t'))
      .join('\n'),
  );
}

function toText(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return value.map(toText).join('');
}

/** A template whose values are escaped; arrays are joined, null, undefined and false leave nothing. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(strings.reduce((out, part, i) => out + (i === 0 ? '' : toText(values[i - 1])) + part, ''));
}

export const NOTHING = new Html('');

/** The parts with something between each two. */
export function joinHtml(parts: readonly HtmlValue[], separator: HtmlValue): Html {
  return html`${parts.map((part, i) => (i === 0 ? part : [separator, part]))}`;
}
