import type { PageHandler } from '../contract.ts';
import { grouped, plural } from '../format.ts';
import { html } from '../html.ts';
import { childrenPath, familyPath } from '../links.ts';
import { treeSection } from '../parts/tree-section.ts';
import { labelOf } from '../read/cards.ts';
import { countChildren } from '../read/children.ts';
import { readModelOutline } from '../read/outline.ts';
import { notFoundPage } from './error.ts';

/** A parent that is not in the index: known by its children only. */
export const virtualPage: PageHandler = async ({ store, snapshot, subject, isStatic }) => {
  const children = await countChildren(store, subject);
  const total = children.reduce((sum, row) => sum + row.count, 0);
  if (total === 0) return notFoundPage(subject, [], isStatic);
  const label = labelOf(subject, snapshot.virtualLabels);
  const declared = snapshot.virtualLabels.get(subject) ?? null;
  const tree = await readModelOutline({ store, labels: snapshot.virtualLabels }, subject);
  return {
    title: label,
    data: { id: subject, virtual: true, declaredLabel: declared, children, tree },
    body: html`<header class="page-head"><h1>${label}</h1><p class="meta"><code>${subject}</code></p>
<p>No repo in the index holds these weights. They were worked out from ${plural(total, 'child', 'children')} that cannot be explained by each other: a base that was deleted, is gated, or was never published.${declared === null ? '' : html` Most of them declare <code>${declared}</code>; that is their authors' word, and is used for the name alone.`}</p>
<p>${children.map((row) => html`<a href="${childrenPath(subject, row.relation)}">${grouped(row.count)} ${row.relation}</a> `)}· <a href="${familyPath(subject)}">its family</a></p></header>
${treeSection(tree, subject, snapshot)}`,
  };
};
