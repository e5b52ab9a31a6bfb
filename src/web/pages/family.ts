import type { Store, ViewRows } from '../../store/index.ts';
import { HublineageError } from '../../types/errors.ts';
import type { Page, PageHandler, PageRequest } from '../contract.ts';
import { compact, grouped, percent, plural } from '../format.ts';
import { html } from '../html.ts';
import { edgePath, familyPath, mapPath, withQuery } from '../links.ts';
import { badge, chip, modelLink } from '../parts/badges.ts';
import { pager } from '../parts/forms.ts';
import { table } from '../parts/table.ts';
import { treeSection } from '../parts/tree-section.ts';
import { isVirtual, labelOf, readCards, readEdgesOf } from '../read/cards.ts';
import { readFamilyOutline } from '../read/outline.ts';
import { notFoundPage } from './error.ts';

const PAGE_ROWS = 100;
const MAX_TREE_ROWS = 70;
/** Families a map says more about than an outline does. */
const MAP_FROM = 20;

/** One family: the tree from its root, and all its models, a page at a time. */
export const familyPage: PageHandler = async (request) => {
  const { store, snapshot, subject, params } = request;
  const root = await findRoot(request);
  if (root === null) return familyNotFound(request);
  const label = labelOf(root.root, snapshot.virtualLabels);
  const after = readAfter(params.text('after', 400));
  const members = await listMembers(store, root.root, after);
  const shown = members.slice(0, PAGE_ROWS);
  const names = shown.map((row) => row.repo);
  const cards = await readCards(store, snapshot.virtualLabels, names);
  const edges = new Map(
    (await readEdgesOf(store, names)).toReversed().map((edge) => [edge.child, edge] as const),
  );
  const rows = shown.map((row) => ({
    ...row,
    card: cards.get(row.repo)!,
    edge: edges.get(row.repo) ?? null,
  }));
  const tree = await readFamilyOutline({ store, labels: snapshot.virtualLabels }, root.root, MAX_TREE_ROWS);
  const last = shown.at(-1);
  const next =
    members.length > PAGE_ROWS && last
      ? withQuery(familyPath(root.root), { after: `${last.depth}~${last.repo}` })
      : null;
  const body = html`<header class="page-head"><h1>Family of ${modelLink(root.root, label)}</h1>
<p class="lead">${plural(root.models, 'model')}, ${plural(root.max_depth, 'generation')} below the root${root.family === null ? '' : ` (${root.family})`}.${root.models >= MAP_FROM ? html` <a href="${mapPath(root.root)}">Map of the whole family</a>` : ''}</p>
${root.root === subject ? '' : html`<p class="notice">${subject} is not a root; this is the family it belongs to.</p>`}</header>
${treeSection(tree, root.root, snapshot)}
<section aria-labelledby="members"><h2 id="members">Models</h2>${table(
    'Models of this family, by generation and name',
    [
      { title: 'Model', cell: (row) => modelLink(row.repo, row.card.label) },
      { title: 'Generation', numeric: true, cell: (row) => row.depth },
      {
        title: 'Relation',
        kind: 'keep',
        cell: (row) => (row.edge === null ? '' : chip(row.edge.relation)),
      },
      {
        title: 'Parent',
        cell: (row) =>
          row.edge === null
            ? ''
            : modelLink(row.edge.parent, labelOf(row.edge.parent, snapshot.virtualLabels)),
      },
      {
        title: 'Probability',
        numeric: true,
        cell: (row) =>
          row.edge === null
            ? ''
            : html`<a href="${edgePath(row.repo, row.edge.parent)}" aria-label="Evidence, probability ${percent(row.edge.probability)}">${percent(row.edge.probability)}</a>`,
      },
      {
        title: 'Verdict',
        kind: 'keep',
        cell: (row) => (row.card.verdict === null ? '' : badge(row.card.verdict)),
      },
      {
        title: 'Downloads',
        numeric: true,
        cell: (row) => (row.card.downloads === null ? '' : compact(row.card.downloads)),
      },
    ],
    rows,
  )}${pager({ first: after === null ? null : familyPath(root.root), next })}</section>`;
  return {
    title: `Family of ${label}`,
    place: 'families',
    data: {
      ...root,
      label,
      tree,
      members: rows.map(({ card: _, edge, ...row }) => ({
        ...row,
        parent: edge?.parent ?? null,
        relation: edge?.relation ?? null,
        probability: edge?.probability ?? null,
      })),
      nextUrl: next,
    },
    body,
  };
};

/** The family a model is in; its own when it is a root. */
export async function findRoot({
  store,
  subject,
}: Pick<PageRequest, 'store' | 'subject'>): Promise<ViewRows['roots'] | null> {
  const name = (await store.findRepo(subject))?.repo ?? subject;
  const [member] = await store.readView('families', { where: 'repo = ?', params: [name], limit: 1 });
  if (member === undefined) return null;
  const [root] = await store.readView('roots', { where: 'root = ?', params: [member.root], limit: 1 });
  return root ?? null;
}

export async function familyNotFound({ store, subject, snapshot, isStatic }: PageRequest): Promise<Page> {
  const nearest = isVirtual(subject, snapshot.virtualLabels) ? [] : await store.suggestRepos(subject, 8);
  return notFoundPage(subject, nearest, isStatic);
}

async function listMembers(
  store: Store,
  root: string,
  after: { depth: number; repo: string } | null,
): Promise<ViewRows['families'][]> {
  return store.readView('families', {
    where: `root = ?${after === null ? '' : ' AND (depth, repo) > (?, ?)'}`,
    params: [root, ...(after === null ? [] : [after.depth, after.repo])],
    order: 'depth, repo',
    limit: PAGE_ROWS + 1,
  });
}

function readAfter(text: string | null): { depth: number; repo: string } | null {
  if (text === null) return null;
  const match = /^(\d{1,4})~(.+)$/.exec(text);
  if (match === null)
    throw new HublineageError('UsageInvalid', 'after is not a place in this list.', {
      hint: 'Leave it out to begin at the top.',
    });
  return { depth: Number(match[1]), repo: match[2]! };
}

export const sayShare = (shown: number, all: number): string =>
  shown >= all ? `all ${grouped(all)} models` : `${grouped(shown)} of ${grouped(all)} models`;
