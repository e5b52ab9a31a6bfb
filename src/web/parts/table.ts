import { type Html, type HtmlValue, html } from '../html.ts';

export interface Column<Row> {
  title: string;
  /** numbers stand to the right */
  numeric?: boolean;
  /** `keep` = one line, `wide` = room for a sentence */
  kind?: 'keep' | 'wide';
  cell: (row: Row) => HtmlValue;
}

/** A table with a caption; the first column names the row. Scrolls sideways on narrow screens, by keyboard too. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { hideCaption?: boolean } = {},
): Html {
  const classOf = (column: Column<Row>) => (column.numeric ? 'num' : (column.kind ?? ''));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption${options.hideCaption ? html` class="hidden"` : ''}>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col" class="${classOf(column)}">${column.title}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr>${columns.map((column, i) =>
      i === 0
        ? html`<th scope="row" class="${classOf(column)}">${column.cell(row)}</th>`
        : html`<td class="${classOf(column)}">${column.cell(row)}</td>`,
    )}</tr>
`,
)}</tbody></table></div>`;
}

/** Names and values, names without a value left out. */
export function factList(facts: readonly (readonly [name: string, value: HtmlValue])[]): Html {
  const shown = facts.filter(
    ([, value]) => value !== null && value !== undefined && value !== '' && value !== false,
  );
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
