import type { Commit, RepoFile, RepoRecord } from '../repos/record.ts';
import type { Answer } from '../wire/answer.ts';
import { answerJson, answerRedirect, answerText } from '../wire/answer.ts';
import type { Surface } from '../wire/refusals.ts';
import { refusals } from '../wire/refusals.ts';
import type { Call, HubState } from './call.ts';
import { decodePart, findCommit, mayRead, takeRevision } from './call.ts';
import { answerRaw, answerResolve, answerResolveCache, findFile } from './files.ts';
import { answerInfo } from './info.ts';
import { answerList } from './list.ts';
import { answerPathsInfo, answerTree } from './tree.ts';
import { answerReadToken } from './xet.ts';

/** Names of routes, for stats and for choosing faults. */
export type RouteName =
  | 'list'
  | 'info'
  | 'tree'
  | 'paths-info'
  | 'commits'
  | 'refs'
  | 'xet-read-token'
  | 'resolve-cache'
  | 'resolve'
  | 'raw'
  | 'tags-by-type'
  | 'page'
  | 'unknown';

export interface Routed {
  name: RouteName;
  /** canonical id of the repo the request is about, when there is one */
  repo: RepoRecord | null;
  /** set when the request is for a file that exists and may be read */
  file: RepoFile | null;
  answer: Answer;
}

const API_ACTIONS = new Set(['revision', 'tree', 'paths-info', 'commits', 'refs', 'xet-read-token']);
const FILE_ACTIONS = new Set(['resolve', 'raw']);

/** Every URL of the Hub's origin. */
export async function routeHub(state: HubState, call: Call): Promise<Routed> {
  const [first, second, third] = call.segments;
  if (first === 'api') {
    if (second === 'models' && third === undefined) {
      return { name: 'list', repo: null, file: null, answer: await answerList(state, call) };
    }
    if (second === 'models') return routeModel(state, call, call.segments.slice(2));
    if (second === 'models-tags-by-type') return plain('tags-by-type', answerJson(tagsByType(state, call)));
    if (second === 'resolve-cache' && third === 'models') {
      return routeFiles(state, call, call.segments.slice(3), 'resolve-cache');
    }
    return plain('unknown', refusals.routeMissing());
  }
  const action = [call.segments[1], call.segments[2]].find((part) => part && FILE_ACTIONS.has(part));
  if (action !== undefined) return routeFiles(state, call, call.segments, action as 'resolve' | 'raw');
  return plain(
    'page',
    answerText('<!doctype html><title>minihub</title>', 200, { 'content-type': 'text/html' }),
  );
}

const plain = (name: RouteName, answer: Answer): Routed => ({ name, repo: null, file: null, answer });

/** `owner/name` or a bare legacy name at the head of the segments, and what follows it. */
function takeId(
  segments: string[],
  actions: Set<string>,
): { id: string; rest: string[]; encodedSlash: boolean } | null {
  const bare = segments.length === 1 || (segments[1] !== undefined && actions.has(segments[1]));
  const parts = segments.slice(0, bare ? 1 : 2).map(decodePart);
  if (parts.some((part) => part === null || part === '')) return null;
  const encodedSlash = parts.some((part) => part?.includes('/'));
  return { id: parts.join('/'), rest: segments.slice(bare ? 1 : 2), encodedSlash };
}

async function routeModel(state: HubState, call: Call, segments: string[]): Promise<Routed> {
  const taken = takeId(segments, API_ACTIONS);
  if (taken === null) return plain('unknown', refusals.routeMissing());
  const [action = 'info'] = taken.rest;
  const name = (action === 'revision' ? 'info' : API_ACTIONS.has(action) ? action : 'info') as RouteName;
  if (taken.encodedSlash) return plain(name, refusals.badRequest('Invalid repo name'));
  const found = findRepo(state, call, taken.id);
  if (found === null) return plain(name, refusals.repoMissing('api', call.hasToken));
  const { repo } = found;
  const done = (answer: Answer): Routed => ({ name, repo, file: null, answer });
  if (!found.exact) return done(toCanonical(call, `/api/models/${repo.id}`, taken.rest));
  if (taken.rest.length > 0 && !API_ACTIONS.has(action)) return done(refusals.routeMissing());
  if (action === 'refs') return done(answerJson(toRefs(repo, call)));

  const revised = taken.rest.length <= 1 ? { revision: 'main', rest: [] } : takeRevision(taken.rest.slice(1));
  if (revised === null) return done(refusals.badRequest('Invalid revision'));
  const commit = findCommit(repo, revised.revision);
  if (commit === null) return done(refusals.revisionMissing('api', revised.revision));
  if (name === 'info') return done(await answerInfo(state, call, repo, commit));
  if (name === 'tree') return done(await answerTree(state, call, repo, commit, revised.rest));
  if (name === 'paths-info') {
    return done(call.method === 'POST' ? await answerPathsInfo(call, commit) : refusals.methodNotAllowed());
  }
  if (name === 'commits') return done(answerCommits(state, call, repo, commit));
  if (repo.gated !== false && !mayRead(call, repo)) return done(refusals.gated(repo.id, call.hasToken, {}));
  return done(answerReadToken(state));
}

async function routeFiles(
  state: HubState,
  call: Call,
  segments: string[],
  name: 'resolve' | 'raw' | 'resolve-cache',
): Promise<Routed> {
  const surface: Surface = 'files';
  const taken = takeId(segments, name === 'resolve-cache' ? new Set() : FILE_ACTIONS);
  if (taken === null) return plain(name, refusals.routeMissing());
  if (taken.encodedSlash) return plain(name, refusals.badRequest('Invalid repo name'));
  if (call.method !== 'GET' && call.method !== 'HEAD') return plain(name, refusals.methodNotAllowed());
  const found = findRepo(state, call, taken.id);
  if (found === null) return plain(name, refusals.repoMissing(surface, call.hasToken));
  const { repo } = found;
  const done = (answer: Answer, file: RepoFile | null = null): Routed => ({ name, repo, file, answer });
  if (!found.exact && (state.options.renamedResolve ?? 'serve') === 'redirect') {
    return done(toCanonical(call, `/${repo.id}`, taken.rest));
  }
  const after = name === 'resolve-cache' ? taken.rest : taken.rest.slice(1);
  const revised = takeRevision(after);
  if (revised === null) return done(refusals.badRequest('Invalid revision'));
  const commit = findCommit(repo, revised.revision);
  if (commit === null) return done(refusals.revisionMissing(surface, revised.revision));
  const sought = findFile(call, repo, commit, revised.rest);
  if ('refused' in sought) return done(sought.refused);
  const { file } = sought;
  if (name === 'raw') return done(await answerRaw(commit, file), file);
  if (name === 'resolve-cache') return done(await answerResolveCache(call, commit, file), file);
  return done(await answerResolve(state, call, repo, commit, file), file);
}

function findRepo(state: HubState, call: Call, id: string): { repo: RepoRecord; exact: boolean } | null {
  const found = state.index.find(id);
  return found === undefined || (found.repo.private && !mayRead(call, found.repo)) ? null : found;
}

/** A relative 307, the method kept: renames, another case, legacy names. */
function toCanonical(call: Call, base: string, rest: string[]): Answer {
  const query = call.query.toString();
  return answerRedirect(307, [base, ...rest].join('/') + (query === '' ? '' : `?${query}`));
}

function toRefs(repo: RepoRecord, call: Call): unknown {
  const list = (prefix: string) =>
    Object.entries(repo.refs)
      .filter(([ref]) => ref.startsWith(prefix))
      .map(([ref, targetCommit]) => ({ name: ref.slice(prefix.length), ref, targetCommit }));
  return {
    tags: list('refs/tags/'),
    branches: [
      { name: 'main', ref: 'refs/heads/main', targetCommit: repo.commits[0]?.sha },
      ...list('refs/heads/'),
    ],
    converts: list('refs/convert/'),
    ...(call.query.get('include_prs') === '1' ? { pullRequests: list('refs/pr/') } : {}),
  };
}

function answerCommits(state: HubState, call: Call, repo: RepoRecord, commit: Commit): Answer {
  const limit = Math.min(1000, Math.max(1, Number(call.query.get('limit')) || 50));
  const page = Math.max(0, Number(call.query.get('p')) || 0);
  const from = repo.commits.indexOf(commit) + page * limit;
  const rows = repo.commits.slice(from, from + limit).map(({ sha, title, date }) => ({
    id: sha,
    title,
    message: '',
    authors: [{ user: repo.id.split('/')[0], avatar: '' }],
    date,
  }));
  const hasMore = from + limit < repo.commits.length;
  const next = `${state.url()}/api/models/${repo.id}/commits/${commit.sha}?p=${page + 1}&limit=${limit}`;
  return answerJson(rows, 200, {
    'x-total-count': String(repo.commits.length),
    ...(hasMore ? { link: `<${next}>; rel="next"` } : {}),
  });
}

function tagsByType(state: HubState, call: Call): unknown {
  const kinds: Record<string, (tag: string) => boolean> = {
    license: (tag) => tag.startsWith('license:'),
    dataset: (tag) => tag.startsWith('dataset:'),
    region: (tag) => tag.startsWith('region:'),
  };
  const type = call.query.get('type');
  const out: Record<string, unknown> = {};
  for (const [kind, matches] of Object.entries(kinds)) {
    if (type !== null && type !== kind) continue;
    const tags = new Set(state.index.all().flatMap((repo) => repo.tags.filter(matches)));
    out[kind] = [...tags].sort().map((id) => ({ id, label: id.slice(id.indexOf(':') + 1), type: kind }));
  }
  return out;
}
