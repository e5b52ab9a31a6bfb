import { VERDICT_ORDER, VERDICT_WORDS } from '../../report/index.ts';
import type { PageHandler } from '../contract.ts';
import { grouped, plural } from '../format.ts';
import { html } from '../html.ts';
import { familyPath } from '../links.ts';
import { badge, modelLink } from '../parts/badges.ts';
import { mapSvg } from '../parts/map-svg.ts';
import { table } from '../parts/table.ts';
import { labelOf } from '../read/cards.ts';
import { readFamilyMap } from '../read/family-map.ts';
import { familyNotFound, findRoot, sayShare } from './family.ts';

const TABLE_ROWS = 40;

/** A whole family as a picture: the root in the middle, a generation a ring. */
export const mapPage: PageHandler = async (request) => {
  const { store, snapshot } = request;
  const root = await findRoot(request);
  if (root === null) return familyNotFound(request);
  const label = labelOf(root.root, snapshot.virtualLabels);
  const map = await readFamilyMap({ store, labels: snapshot.virtualLabels }, root);
  const branches = map.nodes
    .filter((node) => node.drawnBelow > 0)
    .sort((a, b) => b.drawnBelow - a.drawnBelow)
    .slice(0, TABLE_ROWS);
  const shown = VERDICT_ORDER.filter((verdict) => map.nodes.some((node) => node.verdict === verdict));
  return {
    title: `Map of ${label}`,
    place: 'families',
    data: { ...root, label, drawn: map.nodes.length, nodes: map.nodes },
    body: html`<header class="page-head"><h1>Map of the family of ${modelLink(root.root, label)}</h1>
<p class="lead">${sayShare(map.nodes.length, root.models)}${map.isWhole ? '' : ': the most downloaded, and the way to each of them from the root'}. <a href="${familyPath(root.root)}">Tree and list of all</a></p></header>
<figure class="map">${mapSvg(map.nodes, `Map of ${label}: ${plural(map.nodes.length, 'model')}; the table below lists its largest branches`)}
<figcaption><ul class="legend">${shown.map((verdict) => html`<li>${badge(verdict)} <span class="soft">${VERDICT_WORDS[verdict].meaning}</span></li>`)}</ul></figcaption></figure>
<section aria-labelledby="branches"><h2 id="branches">Largest branches</h2>${table(
      'Models with most others below them on this map',
      [
        { title: 'Model', cell: (row) => modelLink(row.repo, row.label) },
        { title: 'Generation', numeric: true, cell: (row) => row.depth },
        { title: 'Drawn below it', numeric: true, cell: (row) => grouped(row.drawnBelow) },
        {
          title: 'Verdict',
          kind: 'keep',
          cell: (row) => (row.verdict === null ? '' : badge(row.verdict)),
        },
      ],
      branches,
    )}</section>`,
  };
};
