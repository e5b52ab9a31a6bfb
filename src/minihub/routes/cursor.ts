import type { RepoRecord } from '../repos/record.ts';

export const SORT_KEYS = ['createdAt', 'lastModified', 'downloads', 'likes', 'trendingScore'] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export interface Order {
  key: SortKey;
  /** 1 ascending, -1 descending */
  direction: 1 | -1;
}
/** Where the next page begins: after this key and `_id`. */
export interface Position {
  value: string | number;
  hubId: string;
}

/** createdAt lives in the `_id`, so its order is the order of ids; other ties go by ascending `_id`. */
export function compareRepos(order: Order): (a: RepoRecord, b: RepoRecord) => number {
  const { key, direction } = order;
  const byId = (a: RepoRecord, b: RepoRecord) => (a.hubId < b.hubId ? -1 : a.hubId > b.hubId ? 1 : 0);
  if (key === 'createdAt') return (a, b) => direction * byId(a, b);
  return (a, b) => (a[key] < b[key] ? -direction : a[key] > b[key] ? direction : byId(a, b));
}

export function isAfter(repo: RepoRecord, position: Position, order: Order): boolean {
  const { key, direction } = order;
  if (key === 'createdAt') return direction === 1 ? repo.hubId > position.hubId : repo.hubId < position.hubId;
  const value = repo[key];
  if (value === position.value) return repo.hubId > position.hubId;
  return direction === 1 ? value > position.value : value < position.value;
}

/** The Hub's cursor: base64 of a Mongo condition on (sort key, _id). */
export function toCursor(last: RepoRecord, order: Order): string {
  return Buffer.from(
    JSON.stringify(toCondition({ value: last[order.key], hubId: last.hubId }, order)),
  ).toString('base64');
}

function toCondition(position: Position, { key, direction }: Order): unknown {
  const operator = direction === 1 ? '$gt' : '$lt';
  if (key === 'createdAt') return { _id: { [operator]: position.hubId } };
  return {
    $or: [
      { [key]: position.value, _id: { $gt: position.hubId } },
      { [key]: { [operator]: position.value } },
      { [key]: null },
    ],
  };
}

/** null when the cursor is not one this server would write for this order. */
export function fromCursor(text: string, order: Order): Position | null {
  let condition: unknown;
  try {
    condition = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  } catch {
    return null;
  }
  const position = readCondition(condition, order);
  // whatever is not exactly our own spelling was tampered with or belongs to another sort
  const own = position !== null && JSON.stringify(toCondition(position, order)) === JSON.stringify(condition);
  return own ? position : null;
}

function readCondition(condition: unknown, { key, direction }: Order): Position | null {
  const operator = direction === 1 ? '$gt' : '$lt';
  const object = condition as {
    _id?: Record<string, unknown>;
    $or?: [Record<string, unknown> & { _id?: { $gt?: unknown } }, ...unknown[]];
  } | null;
  if (key === 'createdAt') {
    const hubId = object?._id?.[operator];
    return typeof hubId === 'string' && /^[0-9a-f]{24}$/.test(hubId) ? { value: '', hubId } : null;
  }
  const first = Array.isArray(object?.$or) ? object.$or[0] : undefined;
  const value = first?.[key];
  const hubId = first?._id?.$gt;
  if (typeof hubId !== 'string' || (typeof value !== 'string' && typeof value !== 'number')) return null;
  return { value, hubId };
}
