import { VERDICT_WORDS } from '../../report/index.ts';
import type { Store, ViewRows } from '../../store/index.ts';
import type { Relation } from '../../types/lineage.ts';
import { VERDICTS, type VerdictKind } from '../../types/verdict.ts';
import type { Family } from '../../types/weights.ts';
import { countVerdicts, type Snapshot } from '../snapshot.ts';
import { readVerdicts } from './cards.ts';
import { toNames } from './names.ts';

/** The verdicts that call for a look. */
export const FLAGGED: readonly VerdictKind[] = VERDICTS.filter(
  (verdict) => VERDICT_WORDS[verdict].severity > 0,
);

export const SORTS = ['downloads', 'newest', 'name'] as const;
export type Sort = (typeof SORTS)[number];

export interface FlaggedFilter {
  verdicts: readonly VerdictKind[];
  sort: Sort;
  family?: Family | null;
  owner?: string | null;
  /** relation to the inferred parent */
  relation?: Relation | null;
  minDownloads?: number | null;
  /** begins after this row: the sort key and the repo */
  after?: Cursor | null;
}

export interface Cursor {
  key: string | number;
  repo: string;
}

export interface FlaggedRow {
  repo: string;
  verdict: VerdictKind;
  declared: string[];
  inferred: string[];
  relationInferred: Relation | null;
  probability: number | null;
  reason: string;
  downloads: number;
  createdAt: string;
  family: Family | null;
}

export interface FlaggedPage {
  rows: FlaggedRow[];
  /** where the next page begins; null at the end */
  next: Cursor | null;
  /** true when the page ends early because many models had to be looked through */
  stoppedEarly: boolean;
}

export interface FlaggedLimits {
  /** up to this many models, the verdicts' own index leads and the models are sorted; beyond, models are walked in order */
  maxSorted: number;
  /** models looked through for one page: a rare combination of filters takes several pages instead of one slow one */
  maxWalked: number;
}

/** Measured on a million models: sorting 8,000 and walking 15,000 cost about 20 ms each. */
const LIMITS: FlaggedLimits = { maxSorted: 8_000, maxWalked: 15_000 };

interface Order {
  column: 'downloads' | 'created_at' | 'repo';
  descending: boolean;
  /** repos with equal keys, the way the index has them when it is read in this direction */
  tiesDescending: boolean;
}

const ORDERS: Record<Sort, Order> = {
  downloads: { column: 'downloads', descending: true, tiesDescending: false },
  newest: { column: 'created_at', descending: true, tiesDescending: true },
  name: { column: 'repo', descending: false, tiesDescending: false },
};

interface Condition {
  sql: string;
  params: unknown[];
}

/** One page of models with these verdicts. Which index leads is chosen by how many rows it would give. */
export async function readFlagged(
  store: Store,
  snapshot: Snapshot,
  filter: FlaggedFilter,
  limit: number,
  limits: FlaggedLimits = LIMITS,
): Promise<FlaggedPage> {
  const order = ORDERS[filter.sort];
  const after = filter.after ?? null;
  const conditions = toConditions(filter);
  if (filter.owner != null || countVerdicts(snapshot, filter.verdicts) <= limits.maxSorted) {
    const leading: Condition =
      filter.owner != null
        ? has(filter)
        : {
            sql: 'repo IN (SELECT repo FROM verdicts WHERE verdict IN (SELECT value FROM json_each(?)))',
            params: [JSON.stringify(filter.verdicts)],
          };
    const all = [...conditions, leading, ...(filter.owner == null && filter.relation ? [has(filter)] : [])];
    if (after !== null) all.push(beyond(order, after));
    const rows = await select(store, all, order, limit + 1, true);
    return finish(store, rows, order, limit, false);
  }
  const found: ViewRows['models'][] = [];
  for (const range of toRanges(order, after)) {
    const edge = await lastWalked(store, [...range, ...startOf(filter, order)], order, limits.maxWalked);
    const bounds = edge === null ? [] : [within(order, edge)];
    found.push(
      ...(await select(
        store,
        [...range, ...bounds, ...conditions, has(filter)],
        order,
        limit + 1 - found.length,
        false,
      )),
    );
    if (found.length > limit) return finish(store, found, order, limit, false);
    if (edge !== null) {
      const page = await finish(store, found, order, limit, true);
      return { ...page, next: edge };
    }
  }
  return finish(store, found, order, limit, false);
}

/** Conditions on the model itself. */
function toConditions(filter: FlaggedFilter): Condition[] {
  const conditions: Condition[] = [];
  if (filter.owner != null) conditions.push({ sql: 'owner = ?', params: [filter.owner] });
  if (filter.family != null) conditions.push({ sql: '+family = ?', params: [filter.family] });
  if (filter.minDownloads != null)
    conditions.push({
      sql: filter.sort === 'downloads' ? 'downloads >= ?' : '+downloads >= ?',
      params: [filter.minDownloads],
    });
  return conditions;
}

/** Ends the walk itself, not only what it lets through. */
const startOf = (filter: FlaggedFilter, order: Order): Condition[] =>
  filter.minDownloads != null && order.column === 'downloads'
    ? [{ sql: 'downloads >= ?', params: [filter.minDownloads] }]
    : [];

/** A verdict of the kinds asked for. */
function has(filter: FlaggedFilter): Condition {
  const relation = filter.relation ?? null;
  return {
    sql: `EXISTS (SELECT 1 FROM verdicts v WHERE v.repo = models.repo AND +v.verdict IN (SELECT value FROM json_each(?))${relation === null ? '' : ' AND v.relation_inferred = ?'})`,
    params: [JSON.stringify(filter.verdicts), ...(relation === null ? [] : [relation])],
  };
}

/** What lies after a row, as ranges the index can seek to: the rest of the rows with the same key, then the keys beyond. */
function toRanges(order: Order, after: Cursor | null): Condition[][] {
  if (after === null) return [[]];
  const { column, descending, tiesDescending } = order;
  if (column === 'repo') return [[{ sql: 'repo > ?', params: [after.repo] }]];
  return [
    [{ sql: `${column} = ? AND repo ${tiesDescending ? '<' : '>'} ?`, params: [after.key, after.repo] }],
    [{ sql: `${column} ${descending ? '<' : '>'} ?`, params: [after.key] }],
  ];
}

/** The same as one condition, for rows that are sorted anyway. */
function beyond({ column, tiesDescending }: Order, after: Cursor): Condition {
  return column === 'repo'
    ? { sql: 'repo > ?', params: [after.repo] }
    : {
        sql: `(${column} < ? OR (${column} = ? AND repo ${tiesDescending ? '<' : '>'} ?))`,
        params: [after.key, after.key, after.repo],
      };
}

/** Not past this row. */
function within({ column, tiesDescending }: Order, edge: Cursor): Condition {
  return column === 'repo'
    ? { sql: 'repo <= ?', params: [edge.repo] }
    : {
        sql: `${column} >= ? AND (${column} > ? OR repo ${tiesDescending ? '>=' : '<='} ?)`,
        params: [edge.key, edge.key, edge.repo],
      };
}

/** The row at which the walk has to stop, or null when it ends before. */
async function lastWalked(
  store: Store,
  range: readonly Condition[],
  order: Order,
  offset: number,
): Promise<Cursor | null> {
  const [row] = await store.readView('models', {
    ...toQuery(range),
    order: toOrder(order, false),
    limit: 1,
    offset,
  });
  return row === undefined ? null : { key: row[order.column], repo: row.repo };
}

function toOrder({ column, descending, tiesDescending }: Order, sorted: boolean): string {
  const plus = sorted ? '+' : '';
  const key = `${plus}${column}${descending ? ' DESC' : ''}`;
  return column === 'repo' ? key : `${key}, ${plus}repo${tiesDescending ? ' DESC' : ''}`;
}

const toQuery = (conditions: readonly Condition[]) =>
  conditions.length === 0
    ? {}
    : {
        where: conditions.map(({ sql }) => sql).join(' AND '),
        params: conditions.flatMap(({ params }) => params),
      };

/** @param sorted true keeps the order's own index out of it, so that the condition's leads */
function select(
  store: Store,
  conditions: readonly Condition[],
  order: Order,
  limit: number,
  sorted: boolean,
): Promise<ViewRows['models'][]> {
  return store.readView('models', { ...toQuery(conditions), order: toOrder(order, sorted), limit });
}

async function finish(
  store: Store,
  models: readonly ViewRows['models'][],
  order: Order,
  limit: number,
  stoppedEarly: boolean,
): Promise<FlaggedPage> {
  const shown = models.slice(0, limit);
  const verdicts = await readVerdicts(
    store,
    shown.map((row) => row.repo),
  );
  const last = shown.at(-1);
  return {
    rows: shown.flatMap((model) => {
      const verdict = verdicts.get(model.repo);
      return verdict === undefined ? [] : [toRow(model, verdict)];
    }),
    next: models.length > limit && last !== undefined ? { key: last[order.column], repo: last.repo } : null,
    stoppedEarly,
  };
}

function toRow(model: ViewRows['models'], verdict: ViewRows['verdicts']): FlaggedRow {
  return {
    repo: model.repo,
    verdict: verdict.verdict,
    declared: toNames(verdict.declared),
    inferred: toNames(verdict.inferred),
    relationInferred: verdict.relation_inferred,
    probability: verdict.probability,
    reason: verdict.reason,
    downloads: model.downloads,
    createdAt: model.created_at,
    family: model.family,
  };
}
