/**
 * Everything a report shows may come from a stranger's card. Each output format has one way out of here; renderers never put text
 * into a document by any other.
 */

/**
 * C0 and C1 controls, bidirectional overrides and zero-width characters: they move cursors, hide text and reorder lines. The last two code
 * points are no characters at all, and no XML may hold them.
 */
const CONTROL =
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]/g;

/** One line of text without characters that act instead of being shown; line breaks and tabs become spaces. */
export const toPlain = (text: string): string =>
  text
    .replace(/[\t\n\r]+/g, ' ')
    .replace(CONTROL, '\ufffd')
    .toWellFormed();

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const toEntities = (text: string) => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

/** Text for HTML or XML, in content or in a quoted attribute. */
export const toHtml = (text: string): string => toEntities(toPlain(text));

/** Text of several lines (a diff) for HTML content: line breaks stay. */
export const toHtmlLines = (text: string): string => text.split('\n').map(toHtml).join('\n');

/** Text for Markdown prose: nothing in it can start markup, a link or an HTML tag; bare URLs do not become links. */
export const toMarkdown = (text: string): string =>
  toPlain(text)
    .replace(/[\\`*_[\]<>|#~&!(){}$^=+]/g, '\\$&')
    .replace(/:\/\//g, ':\\/\\/')
    .replace(/@/g, '\\@')
    .replace(/\bwww\./gi, (match) => `${match.slice(0, 3)}\\.`)
    .replace(/^(\s*)([-+]|\d+[.)])(?=\s|$)/, '$1\\$2');

/** Names as Markdown code, whatever backticks or pipes they hold; also safe inside a table. */
export function toMarkdownCode(text: string): string {
  const plain = toPlain(text).replaceAll('|', '\u2502');
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 || /^\s|\s$/.test(plain) || plain === '' ? ' ' : '';
  return `${fence}${pad}${plain}${pad}${fence}`;
}

/** A quoted string of the DOT language. */
export const toDotString = (text: string): string => `"${toPlain(text).replace(/[\\"]/g, '\\$&')}"`;

/**
 * A quoted Mermaid label. Mermaid knows `#code;` entities, reads HTML, and obeys `%%{init: ...}%%` anywhere, inside quotes too: all of it is
 * written as entities. An empty label is a syntax error.
 */
export const toMermaidLabel = (text: string): string =>
  `"${toPlain(text).replace(/[#&<>"'`;%{}[\]|\\]/g, (char) => `#${char.charCodeAt(0)};`) || '#160;'}"`;

/** A link's target when it is an https (or, on a loopback or mirror Hub, http) URL; null otherwise. */
export const toSafeUrl = (url: string): string | null =>
  /^https?:\/\/[^\s"'<>\\^`{|}]+$/i.test(url) ? url : null;

/** Page of a repo on the Hub; null for what is no repo id. */
export function toRepoUrl(hubUrl: string, repo: string): string | null {
  if (!/^[\w.-]+(?:\/[\w.-]+)?$/.test(repo) || repo.startsWith('virtual/')) return null;
  return toSafeUrl(`${hubUrl}/${repo}`);
}
