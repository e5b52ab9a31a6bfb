import type { Store, ViewRows } from '../../store/index.ts';
import type { Relation } from '../../types/lineage.ts';
import { type ModelCard, type RelationCount, readCards, readEdgesOf } from './cards.ts';
import { countAllChildren, countChildren, readNotableChildren } from './children.ts';

/** A tree in reading order, as lines: models, and what is folded away under one. */
export type OutlineRow =
  | (ModelCard & {
      kind: 'model';
      depth: number;
      relation: Relation | null;
      probability: number | null;
      /** share in a merge */
      weight: number | null;
      parent: string | null;
      /** further parents of a merge */
      otherParents: string[];
      /** direct children that are not lines of their own */
      below: number;
    })
  | { kind: 'more'; depth: number; parent: string; relation: Relation | null; count: number };

/** A tree as it is put together: names first, facts about all of them afterwards in one go. */
interface Branch {
  repo: string;
  /** relation it is listed under; null for the one a page is about */
  relation: Relation | null;
  /** undefined = not opened */
  children?: Branch[];
  more?: RelationCount[];
}

export interface OutlineSource {
  store: Store;
  labels: ReadonlyMap<string, string | null>;
}

/** Generations above a model that are drawn; real chains are ten or so. */
const MAX_PATH = 64;

/** Chosen parents from a model up to its root, nearest first; of a merge the one with the largest share. Cycles end. */
export async function readPath(store: Store, repo: string): Promise<string[]> {
  const path: string[] = [];
  const seen = new Set([repo]);
  let at = repo;
  while (path.length < MAX_PATH) {
    const [edge] = await readEdgesOf(store, [at]);
    if (edge === undefined || seen.has(edge.parent)) break;
    seen.add(edge.parent);
    path.push(edge.parent);
    at = edge.parent;
  }
  return path;
}

/** The way up to the root, the siblings, and two generations below, each cut down to the best known. */
export async function readModelOutline(source: OutlineSource, repo: string): Promise<OutlineRow[]> {
  const { store } = source;
  const path = await readPath(store, repo);
  const self = await openBranch(store, repo, 6);
  let grandchildren = 0;
  for (const child of self.children ?? []) {
    if (grandchildren >= 12) break;
    const opened = await openBranch(store, child.repo, 3);
    if (opened.children?.length) Object.assign(child, opened, { relation: child.relation });
    grandchildren += opened.children?.length ?? 0;
  }
  const [parent, ...above] = path;
  if (parent === undefined) return decorate(source, [self]);
  const siblings = await openBranch(store, parent, 3, repo);
  const top = above.reduce<Branch>(
    (below, ancestor) => ({ repo: ancestor, relation: null, children: [below] }),
    {
      ...siblings,
      children: [self, ...(siblings.children ?? [])],
    },
  );
  return decorate(source, [top]);
}

/** A family from its root down: the branches with most children are opened first, until the lines are used up. */
export async function readFamilyOutline(
  source: OutlineSource,
  root: string,
  maxRows: number,
): Promise<OutlineRow[]> {
  const { store } = source;
  const top: Branch = { repo: root, relation: null };
  const queue: { branch: Branch; children: number }[] = [{ branch: top, children: Number.POSITIVE_INFINITY }];
  const seen = new Set([root]);
  let rows = 1;
  while (queue.length > 0 && rows < maxRows) {
    queue.sort((a, b) => b.children - a.children);
    const next = queue.shift()!;
    if (next.children === 0) break;
    const opened = await openBranch(store, next.branch.repo, next.branch === top ? 8 : 4);
    opened.children = opened.children?.filter((child) => !seen.has(child.repo)) ?? [];
    Object.assign(next.branch, opened, { relation: next.branch.relation });
    rows += opened.children.length + (opened.more?.length ?? 0);
    for (const branch of opened.children) {
      seen.add(branch.repo);
      queue.push({ branch, children: await countAllChildren(store, branch.repo) });
    }
  }
  return decorate(source, [top]);
}

/** @param except a child that is drawn anyway */
async function openBranch(
  store: Store,
  repo: string,
  perRelation: number,
  except: string | null = null,
): Promise<Branch> {
  const counts = await countChildren(store, repo);
  // with one or two relations there is room for more of each
  const limit = counts.length > 2 ? perRelation : perRelation * 2;
  const children: Branch[] = [];
  const more: RelationCount[] = [];
  for (const { relation, count } of counts) {
    const names = await readNotableChildren(store, repo, relation, count, limit + 3);
    const others = names.filter((name) => name !== except);
    const total = count - (except !== null && (await isChild(store, repo, except, relation)) ? 1 : 0);
    // a group of one or two saves nothing over the models themselves
    const shown = total <= limit + 2 ? others.slice(0, total) : others.slice(0, limit);
    children.push(...shown.map((name) => ({ repo: name, relation })));
    if (total > shown.length) more.push({ relation, count: total - shown.length });
  }
  return { repo, relation: null, children, more };
}

async function isChild(store: Store, parent: string, child: string, relation: Relation): Promise<boolean> {
  const edges = await readEdgesOf(store, [child]);
  return edges.some((edge) => edge.parent === parent && edge.relation === relation);
}

async function decorate(source: OutlineSource, tops: readonly Branch[]): Promise<OutlineRow[]> {
  const flat: { branch: Branch | null; more: RelationCount | null; parent: string | null; depth: number }[] =
    [];
  const walk = (branch: Branch, parent: string | null, depth: number) => {
    flat.push({ branch, more: null, parent, depth });
    const waiting = new Map((branch.more ?? []).map((more) => [more.relation, more]));
    const tell = (more: RelationCount) => {
      waiting.delete(more.relation);
      flat.push({ branch: null, more, parent: branch.repo, depth: depth + 1 });
    };
    const children = branch.children ?? [];
    for (const [i, child] of children.entries()) {
      walk(child, branch.repo, depth + 1);
      // what is folded away stands after the last of its kind
      const more = child.relation === null ? undefined : waiting.get(child.relation);
      if (more !== undefined && children[i + 1]?.relation !== child.relation) tell(more);
    }
    for (const more of [...waiting.values()]) tell(more);
  };
  for (const top of tops) walk(top, null, 0);
  const names = [...new Set(flat.flatMap(({ branch }) => (branch === null ? [] : [branch.repo])))];
  const cards = await readCards(source.store, source.labels, names);
  const edges = Map.groupBy(await readEdgesOf(source.store, names), (edge) => edge.child);
  const rows: OutlineRow[] = [];
  for (const { branch, more, parent, depth } of flat) {
    if (branch === null) {
      rows.push({ kind: 'more', depth, parent: parent ?? '', ...more! });
      continue;
    }
    const parents = edges.get(branch.repo) ?? [];
    const edge: ViewRows['edges'] | undefined = parents.find((row) => row.parent === parent);
    rows.push({
      kind: 'model',
      ...cards.get(branch.repo)!,
      depth,
      parent,
      relation: edge?.relation ?? null,
      probability: edge?.probability ?? null,
      weight: edge?.weight ?? null,
      otherParents: parents.filter((row) => row.parent !== parent).map((row) => row.parent),
      below: branch.children === undefined ? await countAllChildren(source.store, branch.repo) : 0,
    });
  }
  return rows;
}
