import type { RepoRecord } from '../repos/record.ts';
import { ownerOf } from '../repos/record.ts';
import type { Answer } from '../wire/answer.ts';
import { answerJson } from '../wire/answer.ts';
import { refusals } from '../wire/refusals.ts';
import type { Call, HubState } from './call.ts';
import { mayRead } from './call.ts';
import type { Order, SortKey } from './cursor.ts';
import { compareRepos, fromCursor, isAfter, SORT_KEYS, toCursor } from './cursor.ts';
import type { Field } from './entry.ts';
import { LIST_FIELDS, pickFields } from './entry.ts';

const MAX_LIMIT = 1000;
const DEFAULT_FIELDS = [
  '_id',
  'id',
  'likes',
  'trendingScore',
  'private',
  'downloads',
  'tags',
  'pipeline_tag',
  'library_name',
  'createdAt',
  'modelId',
] as const;
const FULL_FIELDS = ['author', 'sha', 'lastModified', 'gated', 'disabled', 'siblings'] as const;

/** `GET /api/models`. Rows are made when asked for: nothing is kept between pages, so moving keys move rows like on the Hub. */
export async function answerList(state: HubState, call: Call): Promise<Answer> {
  const { query } = call;
  const expand = readExpand(query);
  const unknown = expand.find((field) => !LIST_FIELDS.includes(field as Field));
  if (unknown !== undefined) {
    return refusals.badRequest(`"expand" must be one of [${LIST_FIELDS.join(', ')}]`);
  }
  const order = readOrder(query);
  if (order === null) return refusals.badRequest(`"sort" must be one of [${SORT_KEYS.join(', ')}]`);
  const limit = readLimit(query.get('limit'));
  if (limit === null) return refusals.badRequest('"limit" must be a positive number');
  const cursor = query.get('cursor');
  const position = cursor === null ? null : fromCursor(cursor, order);
  if (cursor !== null && position === null) return refusals.badRequest('Invalid cursor');

  const matches = createFilter(state, call);
  const page: RepoRecord[] = [];
  let more = false;
  for (const repo of inOrder(state, order)) {
    if ((position !== null && !isAfter(repo, position, order)) || !matches(repo)) continue;
    if (page.length === limit) {
      more = true;
      break;
    }
    page.push(repo);
  }
  const fields = readFields(query, expand);
  const rows = [];
  for (const repo of page) rows.push(await pickFields(state.index, repo, fields));
  const last = page.at(-1);
  const headers: Record<string, string> =
    more && last !== undefined ? { link: toNextLink(state, call, toCursor(last, order)) } : {};
  return answerJson(rows, 200, headers);
}

function* inOrder(state: HubState, order: Order): Generator<RepoRecord> {
  if (order.key === 'createdAt') {
    const repos = state.index.byHubId();
    for (let i = 0; i < repos.length; i++) yield repos[order.direction === 1 ? i : repos.length - 1 - i]!;
  } else yield* [...state.index.all()].sort(compareRepos(order));
}

/** Absolute, on this server's own origin, the query otherwise as it came. */
function toNextLink(state: HubState, call: Call, cursor: string): string {
  const query = new URLSearchParams(call.query);
  query.delete('cursor');
  query.append('cursor', cursor);
  return `<${state.url()}/api/models?${query}>; rel="next"`;
}

export function readExpand(query: URLSearchParams): string[] {
  const values = [...query.getAll('expand'), ...query.getAll('expand[]')];
  return [...new Set(values.flatMap((value) => value.split(',')))].filter((value) => value !== '');
}

function readFields(query: URLSearchParams, expand: string[]): (Field | 'id' | '_id' | 'modelId')[] {
  if (expand.length > 0) return ['_id', 'id', ...(expand as Field[])];
  // presence counts: the Hub takes `full=false` for a yes
  const full = query.has('full') ? FULL_FIELDS : [];
  const config = query.get('config') === 'true' ? (['config'] as const) : [];
  const card = query.get('cardData') === 'true' ? (['cardData'] as const) : [];
  return [...DEFAULT_FIELDS, ...full, ...config, ...card];
}

function readOrder(query: URLSearchParams): Order | null {
  const key = query.get('sort') ?? 'trendingScore';
  if (!SORT_KEYS.includes(key as SortKey)) return null;
  return { key: key as SortKey, direction: query.get('direction') === '1' ? 1 : -1 };
}

function readLimit(value: string | null): number | null {
  if (value === null) return MAX_LIMIT;
  const limit = Number(value);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, MAX_LIMIT) : null;
}

function createFilter(state: HubState, call: Call): (repo: RepoRecord) => boolean {
  const { query } = call;
  const tags = [...query.getAll('filter'), ...query.getAll('library')].flatMap((value) => value.split(','));
  const author = query.get('author');
  const searches = query.getAll('search').map((text) => text.toLowerCase());
  const pipelineTag = query.get('pipeline_tag');
  const gated = query.get('gated');
  return (repo) =>
    (!repo.private || mayRead(call, repo)) &&
    (author === null || ownerOf(repo.id) === author) &&
    (pipelineTag === null || repo.pipelineTag === pipelineTag) &&
    (gated === null || String(repo.gated !== false) === gated) &&
    searches.every((text) => repo.id.toLowerCase().includes(text)) &&
    (tags.length === 0 || tags.every((tag) => state.index.derived(repo).allTags.includes(tag)));
}
