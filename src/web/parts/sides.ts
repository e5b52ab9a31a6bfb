import type { ReportFinding } from '../../report/index.ts';
import { percent, plural } from '../format.ts';
import { type Html, html, joinHtml } from '../html.ts';
import { edgePath } from '../links.ts';
import { chip, modelLink } from './badges.ts';

const MAX_DECLARED = 12;

/** What the card says: one line a base, with every place it is declared in. */
export function declaredSide(finding: ReportFinding): Html {
  const rows =
    finding.declarations.length > 0
      ? finding.declarations
      : finding.declared.map((declared) => ({
          declared,
          resolved: declared,
          relation: finding.relationDeclared,
          source: '',
        }));
  const groups = [...Map.groupBy(rows, (row) => `${row.declared}\n${row.resolved ?? ''}`).values()];
  const items = groups.slice(0, MAX_DECLARED).map((group) => {
    const { declared, resolved } = group[0]!;
    const name = resolved === declared ? modelLink(declared) : html`<code>${declared}</code>`;
    const meaning =
      resolved === declared
        ? ''
        : resolved === null
          ? html` <span class="soft">names no repo in the index</span>`
          : html` → ${modelLink(resolved)}`;
    const sources = new Set(
      group.map(({ source, relation }) => [source, relation].filter((text) => text).join(': ')),
    );
    return html`<li>${name}${meaning} ${joinHtml([...sources].filter((text) => text !== '').map(chip), ' ')}</li>`;
  });
  return html`<div class="side"><h3>Declared</h3>${
    items.length === 0
      ? html`<p class="soft">nothing</p>`
      : html`<ul>${items}${groups.length > MAX_DECLARED ? html`<li class="soft">and ${groups.length - MAX_DECLARED} more</li>` : ''}</ul>`
  }</div>`;
}

/** What the weights say, with what is not ruled out beside it. */
export function inferredSide(finding: ReportFinding): Html {
  const item = (edge: ReportFinding['parents'][number]) =>
    html`<li>${modelLink(edge.parent, edge.label)} ${chip(edge.relation)} <span class="meta">${edge.weight === null ? '' : html`share ${percent(edge.weight)}, `}<a href="${edgePath(finding.repo, edge.parent)}">probability ${percent(edge.probability)}</a></span></li>`;
  return html`<div class="side"><h3>Weights point to</h3>${
    finding.parents.length === 0
      ? html`<p class="soft">${finding.ties.length === 0 ? 'no parent in the index' : 'no parent that is sure enough'}</p>`
      : html`<ul>${finding.parents.map(item)}</ul>`
  }${
    finding.ties.length === 0
      ? ''
      : html`<details><summary>${plural(finding.ties.length, finding.parents.length === 0 ? 'candidate' : 'other candidate')} not ruled out</summary><ul>${finding.ties.map(item)}</ul></details>`
  }</div>`;
}
