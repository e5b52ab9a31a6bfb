import { type ErrorCode, HublineageError, isHublineageError } from '../types/errors.ts';
import type { HubFile } from '../types/hub.ts';
import { encodeRevision, fetchJson, type HubContext, toModelPath } from './api.ts';
import type { CallOptions } from './contract.ts';
import { tryAgain } from './failures.ts';
import { describeRepo, requireRepoId } from './model-info.ts';
import { fromTreeEntry, isInsidePath, isPath } from './normalize-files.ts';
import { isRecord } from './normalize-repo.ts';
import { createLoopGuard, toNextUrl } from './paging.ts';

const MAX_PAGE_BYTES = 16 * 2 ** 20;
const MAX_FILES = 200_000;
const MAX_FOLDERS = 5000;
const isTreePath = (path: string) => path.startsWith('/api/models/') && path.includes('/tree/');
/** Failures of one big recursive answer that many small ones may not have. */
const TOO_MUCH: readonly ErrorCode[] = ['HubOverloaded', 'HubTimeout', 'BodyTooLarge', 'HubBadAnswer'];

/**
 * Every file of a revision, all pages of the recursive tree; folder by folder where the Hub cannot give it in one go. Order
 * is by path, because the Hub guarantees none.
 */
export async function listTree(
  context: HubContext,
  repo: string,
  revision: string,
  options: CallOptions = {},
): Promise<HubFile[]> {
  requireRepoId(repo);
  const files = new Map<string, HubFile>();
  try {
    await walkFolder(context, repo, revision, '', true, files, options);
  } catch (error) {
    if (files.size > MAX_FILES || !TOO_MUCH.some((code) => isHublineageError(error, code))) throw error;
    context.emit({
      type: 'remark',
      where: describeRepo(repo, revision),
      message: `listing folder by folder: ${(error as Error).message}`,
    });
    files.clear();
    await walkByFolder(context, repo, revision, files, options);
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function walkByFolder(
  context: HubContext,
  repo: string,
  revision: string,
  files: Map<string, HubFile>,
  options: CallOptions,
): Promise<void> {
  const todo = [''];
  const known = new Set(todo);
  for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
    for (const found of await walkFolder(context, repo, revision, folder, false, files, options)) {
      // Only what lies below: a folder that names its parent would send us round for ever.
      if (known.has(found) || !isInsidePath(found) || !found.startsWith(folder === '' ? '' : `${folder}/`))
        continue;
      known.add(found);
      todo.push(found);
    }
    if (known.size > MAX_FOLDERS) throw tooMany(repo, revision, `more than ${MAX_FOLDERS} folders`);
  }
}

/** Adds the files of one folder and returns the folders in it. */
async function walkFolder(
  context: HubContext,
  repo: string,
  revision: string,
  folder: string,
  recursive: boolean,
  files: Map<string, HubFile>,
  options: CallOptions,
): Promise<string[]> {
  const where = describeRepo(repo, revision);
  const path = folder === '' ? '' : `/${encodeURIComponent(folder.toWellFormed())}`;
  const guard = createLoopGuard();
  const folders: string[] = [];
  let url: string | null =
    `${context.endpoint}${toModelPath(repo)}/tree/${encodeRevision(revision)}${path}?recursive=${recursive}&expand=false`;
  while (url !== null) {
    guard.enter(url, where);
    const current: string = url;
    const page: { entries: unknown[]; next: string | null } = await fetchJson(context, {
      url: current,
      subject: 'repo',
      maxBytes: MAX_PAGE_BYTES,
      where,
      meter: options.meter,
      read: (json, headers) => {
        if (!Array.isArray(json)) throw tryAgain('HubBadAnswer', 'a tree that is no list', where);
        return { entries: json, next: toNextUrl(headers.link, current, context.endpoint, isTreePath, where) };
      },
    });
    guard.rows(page.entries.length, where);
    for (const entry of page.entries) {
      const file = fromTreeEntry(entry);
      if (file !== null) files.set(file.path, file);
      else if (isRecord(entry) && entry.type === 'directory' && isPath(entry.path)) folders.push(entry.path);
    }
    if (files.size > MAX_FILES) throw tooMany(repo, revision, `more than ${MAX_FILES} files`);
    url = page.next;
  }
  return folders;
}

function tooMany(repo: string, revision: string, message: string): HublineageError {
  return new HublineageError('BodyTooLarge', message, { where: describeRepo(repo, revision) });
}
