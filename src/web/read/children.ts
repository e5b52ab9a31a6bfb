import type { Store, ViewRows } from '../../store/index.ts';
import { RELATIONS, type Relation } from '../../types/lineage.ts';
import type { RelationCount } from './cards.ts';

/**
 * Up to here all children of a relation are sorted. Beyond, the models are walked from the most downloaded down until enough of
 * them turn out to be children: with that many of them, the walk is short.
 */
const MAX_SORTED = 2_000;

const CHILDREN = 'parent = ? AND rank = 1 AND relation = ?';

/** Direct children by relation, most first; relations without any are left out. */
export async function countChildren(store: Store, parent: string): Promise<RelationCount[]> {
  const counts: RelationCount[] = [];
  for (const relation of RELATIONS) {
    const count = await store.countView('edges', { where: CHILDREN, params: [parent, relation] });
    if (count > 0) counts.push({ relation, count });
  }
  return counts.sort((a, b) => b.count - a.count || (a.relation < b.relation ? -1 : 1));
}

export const countAllChildren = (store: Store, parent: string): Promise<number> =>
  store.countView('edges', { where: 'parent = ? AND rank = 1', params: [parent] });

/** The most downloaded children of one relation; virtual ones, which nobody downloads but much hangs on, first. */
export async function readNotableChildren(
  store: Store,
  parent: string,
  relation: Relation,
  count: number,
  limit: number,
  maxSorted = MAX_SORTED,
): Promise<string[]> {
  const virtual = await store.readView('edges', {
    // the range of names that begin with virtual/
    where: `${CHILDREN} AND child >= 'virtual/' AND child < 'virtual0'`,
    params: [parent, relation],
    order: 'child',
    limit,
  });
  const models = await store.readView('models', {
    ...(count > maxSorted
      ? {
          where:
            'EXISTS (SELECT 1 FROM edges e WHERE e.child = models.repo AND e.rank = 1 AND e.parent = ? AND e.relation = ?)',
          order: 'downloads DESC, repo',
        }
      : {
          where: `repo IN (SELECT child FROM edges WHERE ${CHILDREN})`,
          order: '+downloads DESC, +repo',
        }),
    params: [parent, relation],
    limit,
  });
  return [...virtual.map((row) => row.child), ...models.map((row) => row.repo)].slice(0, limit);
}

/** One page of children in order of (relation, name), beginning after a given one. */
export async function listChildren(
  store: Store,
  parent: string,
  relation: Relation | null,
  after: { relation: string; child: string } | null,
  limit: number,
): Promise<ViewRows['edges'][]> {
  const where = ['parent = ? AND rank = 1'];
  const params: unknown[] = [parent];
  if (relation !== null) {
    where.push('relation = ?');
    params.push(relation);
  }
  if (after !== null) {
    where.push('(relation, child) > (?, ?)');
    params.push(after.relation, after.child);
  }
  return store.readView('edges', { where: where.join(' AND '), params, order: 'relation, child', limit });
}
