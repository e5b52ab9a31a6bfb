import { type Html, html } from '../html.ts';

export const option = (value: string, text: string, chosen: string | null): Html =>
  html`<option value="${value}"${value === chosen ? html` selected` : ''}>${text}</option>`;

/** Links to the first and the next page of a list; nothing where there is neither. */
export function pager({ first, next }: { first: string | null; next: string | null }): Html | '' {
  if (first === null && next === null) return '';
  return html`<nav class="pager" aria-label="Pages">${first === null ? '' : html`<a href="${first}">First page</a>`}${next === null ? html`<span class="soft">End of the list</span>` : html`<a href="${next}" rel="next">Next page</a>`}</nav>`;
}
