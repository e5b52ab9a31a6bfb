import { createHash } from 'node:crypto';
import { lfsPointer } from '../repos/identity.ts';
import type { Commit, RepoFile, RepoRecord } from '../repos/record.ts';
import type { Answer } from '../wire/answer.ts';
import { answerJson } from '../wire/answer.ts';
import { refusals } from '../wire/refusals.ts';
import type { Call, HubState } from './call.ts';
import { decodePart } from './call.ts';

interface TreeNode {
  path: string;
  file: RepoFile | null;
}

const MAX_PAGE = 1000;
const MAX_EXPANDED_PAGE = 50;
const MAX_PATHS = 2000;

/** `GET /api/models/{id}/tree/{rev}[/{path}]` */
export async function answerTree(
  state: HubState,
  call: Call,
  repo: RepoRecord,
  commit: Commit,
  pathSegments: string[],
): Promise<Answer> {
  const folder = decodePart(pathSegments.join('/').replace(/\/$/, ''));
  if (folder === null) return refusals.badRequest('Invalid path');
  const recursive = call.query.get('recursive') === 'true';
  const expand = call.query.get('expand') === 'true';
  const nodes = listNodes(commit.files, folder, recursive);
  if (nodes === null) return refusals.entryMissing('api', { 'x-repo-commit': commit.sha });
  arrange(nodes, state.options.treeOrder);

  const cap = expand ? MAX_EXPANDED_PAGE : MAX_PAGE;
  const asked = Number(call.query.get('limit') ?? cap);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, cap) : cap;
  let start = 0;
  const cursor = call.query.get('cursor');
  if (cursor !== null) {
    const name = fromTreeCursor(cursor);
    const at = nodes.findIndex((node) => node.path === name);
    if (at < 0) return refusals.badRequest('Invalid cursor');
    start = at + 1;
  }
  const page = nodes.slice(start, start + limit);
  const entries = [];
  for (const node of page) entries.push(await toTreeEntry(node, commit, expand));
  const last = page.at(-1);
  const headers: Record<string, string> = { 'x-repo-commit': commit.sha };
  if (last !== undefined && start + limit < nodes.length) {
    const next = toTreeCursor(last.path, commit.sha, limit);
    const query = `expand=${expand}&recursive=${recursive}&limit=${limit}&cursor=${encodeURIComponent(next)}`;
    const at = folder === '' ? '' : `/${encodeURIComponent(folder)}`;
    headers.link = `<${state.url()}/api/models/${repo.id}/tree/${commit.sha}${at}?${query}>; rel="next"`;
  }
  return answerJson(entries, 200, headers);
}

/** `POST /api/models/{id}/paths-info/{rev}`: JSON or form body; what does not exist is left out without a word. */
export async function answerPathsInfo(call: Call, commit: Commit): Promise<Answer> {
  const asked = readPaths(call);
  if (asked === null) return refusals.badRequest('Invalid body: "paths" is required');
  if (asked.paths.length > MAX_PATHS) return refusals.badRequest(`Too many paths, the limit is ${MAX_PATHS}`);
  const nodes = new Map(listNodes(commit.files, '', true)?.map((node) => [node.path, node]));
  const entries = [];
  for (const path of asked.paths) {
    const node = nodes.get(path.replace(/\/$/, ''));
    if (node !== undefined) entries.push(await toTreeEntry(node, commit, asked.expand));
  }
  return answerJson(entries, 200, { 'x-repo-commit': commit.sha });
}

function readPaths(call: Call): { paths: string[]; expand: boolean } | null {
  const text = call.body.toString('utf8');
  if (call.headers['content-type']?.includes('application/json')) {
    try {
      const body = JSON.parse(text) as { paths?: unknown; expand?: unknown };
      const paths = typeof body.paths === 'string' ? [body.paths] : body.paths;
      if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) return null;
      return { paths, expand: body.expand === true };
    } catch {
      return null;
    }
  }
  const form = new URLSearchParams(text);
  return { paths: form.getAll('paths'), expand: /^true$/i.test(form.get('expand') ?? '') };
}

/** Entries of one level, or of all below it; null when the folder does not exist. */
function listNodes(files: readonly RepoFile[], folder: string, recursive: boolean): TreeNode[] | null {
  const prefix = folder === '' ? '' : `${folder}/`;
  const nodes = new Map<string, TreeNode>();
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue;
    const parts = file.path.slice(prefix.length).split('/');
    const depth = recursive ? parts.length : 1;
    for (let i = 1; i < Math.min(parts.length, depth + 1); i++) {
      const path = prefix + parts.slice(0, i).join('/');
      nodes.set(path, { path, file: null });
    }
    if (parts.length === 1 || recursive) nodes.set(file.path, { path: file.path, file });
  }
  if (nodes.size === 0 && folder !== '') return null;
  return [...nodes.values()];
}

function arrange(
  nodes: TreeNode[],
  order: 'directories-first' | { seed: number } = 'directories-first',
): void {
  const rank = (node: TreeNode) => (node.file === null ? 0 : 1);
  const shuffled = (path: string) =>
    createHash('sha1')
      .update(`${typeof order === 'object' ? order.seed : ''}:${path}`)
      .digest('hex');
  nodes.sort((a, b) => {
    if (order !== 'directories-first') return shuffled(a.path) < shuffled(b.path) ? -1 : 1;
    return rank(a) - rank(b) || (a.path < b.path ? -1 : 1);
  });
}

async function toTreeEntry(
  node: TreeNode,
  commit: Commit,
  expand: boolean,
): Promise<Record<string, unknown>> {
  const extra = expand ? { lastCommit: { id: commit.sha, title: commit.title, date: commit.date } } : {};
  if (node.file === null) {
    const oid = createHash('sha1').update(`tree ${commit.sha} ${node.path}`).digest('hex');
    return { type: 'directory', oid, size: 0, path: node.path, ...extra };
  }
  const { file } = node;
  const { oid, sha256, xetHash } = await file.identity();
  return {
    type: 'file',
    oid,
    size: file.size,
    ...(sha256 === null
      ? {}
      : {
          lfs: { oid: sha256, size: file.size, pointerSize: lfsPointer(sha256, file.size).length },
          xetHash,
        }),
    path: file.path,
    ...extra,
    ...(expand ? { securityFileStatus: { status: 'safe' } } : {}),
  };
}

/** base64(base64(JSON) + ":" + limit), as seen on the Hub. */
function toTreeCursor(fileName: string, treeOid: string, limit: number): string {
  const inner = Buffer.from(JSON.stringify({ file_name: fileName, tree_oid: treeOid })).toString('base64');
  return Buffer.from(`${inner}:${limit}`).toString('base64');
}

function fromTreeCursor(cursor: string): string | null {
  try {
    const inner = Buffer.from(cursor, 'base64').toString('utf8').split(':')[0] ?? '';
    const parsed = JSON.parse(Buffer.from(inner, 'base64').toString('utf8')) as { file_name?: unknown };
    return typeof parsed.file_name === 'string' ? parsed.file_name : null;
  } catch {
    return null;
  }
}
