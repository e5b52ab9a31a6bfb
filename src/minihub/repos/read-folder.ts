import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HublineageError } from '../../types/errors.ts';
import { readCardData } from './card.ts';
import { createDiskFile } from './disk-file.ts';
import { readDownloadMetadata } from './download-metadata.ts';
import { MAX_GIT_FILE_BYTES, toCommitSha } from './identity.ts';
import type { RepoFile, RepoSeed } from './record.ts';
import { asObject, toHubConfig } from './tags.ts';

export interface HubFolder {
  repos: RepoSeed[];
  /** old id -> today's id */
  renames: Record<string, string>;
}

/** More files than this in one repo is a mistake in the folder (a checkout's cache, say), not a model. */
const MAX_FILES = 100_000;

/**
 * Reads a folder that is a Hub: `repos.json` at its root says what the listing says of each repo (an array, or
 * `{"repos": [...], "renames": {"old/id": "new/id"}}`); without it every `owner/name/` folder is a repo and its README,
 * config.json and the like say the rest. Only names and sizes are read here, and small metadata files.
 */
export async function readHubFolder(dir: string): Promise<HubFolder> {
  const root = resolve(dir);
  const folder = await stat(root).catch(() => null);
  if (folder === null || !folder.isDirectory()) {
    throw new HublineageError('UsageInvalid', 'there is no such folder', {
      where: dir,
      hint: 'name a folder with repos.json, or with owner/name/ folders of model files',
    });
  }
  const listed = await readJson(join(root, 'repos.json'));
  if (listed === undefined) return { repos: await readUnlisted(root), renames: {} };
  const rows = Array.isArray(listed) ? listed : asObject(listed)?.repos;
  if (!Array.isArray(rows)) {
    throw new HublineageError('UsageInvalid', 'repos.json holds neither an array nor {"repos": [...]}', {
      where: join(dir, 'repos.json'),
    });
  }
  const repos: RepoSeed[] = [];
  for (const row of rows) repos.push(await readListed(root, row));
  const renames = asObject(asObject(listed)?.renames) ?? {};
  return { repos, renames: renames as Record<string, string> };
}

async function readListed(root: string, value: unknown): Promise<RepoSeed> {
  const row = asObject(value);
  const id = row?.id;
  // ids become folders: nothing that climbs out of the root
  if (
    row === null ||
    typeof id !== 'string' ||
    !/^[\w.-]+(\/[\w.-]+)?$/.test(id) ||
    id.split('/').includes('..')
  ) {
    throw new HublineageError(
      'UsageInvalid',
      `repos.json names ${JSON.stringify(id)}, which is not a repo id`,
      {
        where: join(root, 'repos.json'),
      },
    );
  }
  const onDisk = await readFiles(join(root, id));
  const named = Array.isArray(row.siblings)
    ? new Set(row.siblings.map((sibling) => asObject(sibling)?.rfilename))
    : null;
  const files = named === null ? onDisk : onDisk.filter((file) => named.has(file.path));
  const seed: Record<string, unknown> = { id, files };
  const copies: [to: string, from: string][] = [
    ['hubId', '_id'],
    ['sha', 'sha'],
    ['createdAt', 'createdAt'],
    ['lastModified', 'lastModified'],
    ['downloads', 'downloads'],
    ['likes', 'likes'],
    ['trendingScore', 'trendingScore'],
    ['private', 'private'],
    ['gated', 'gated'],
    ['disabled', 'disabled'],
    ['libraryName', 'library_name'],
    ['pipelineTag', 'pipeline_tag'],
    ['tags', 'tags'],
    ['cardData', 'cardData'],
    ['config', 'config'],
    ['refs', 'refs'],
    ['safetensors', 'safetensors'],
    ['gguf', 'gguf'],
  ];
  for (const [to, from] of copies) if (row[from] !== undefined) seed[to] = row[from];
  seed.sha ??= await hashOf(id, files, join(root, id));
  return seed as unknown as RepoSeed;
}

async function readUnlisted(root: string): Promise<RepoSeed[]> {
  const repos: RepoSeed[] = [];
  for (const owner of await folderNames(root)) {
    for (const name of await folderNames(join(root, owner))) {
      const id = `${owner}/${name}`;
      const dir = join(root, owner, name);
      const files = await readFiles(dir);
      if (files.length === 0) continue;
      const readme = await readFile(join(dir, 'README.md'), 'utf8').catch(() => '');
      const config = toHubConfig({
        config: await readJson(join(dir, 'config.json')),
        modelIndex: await readJson(join(dir, 'model_index.json')),
        adapterConfig: await readJson(join(dir, 'adapter_config.json')),
      });
      const info = await stat(dir);
      repos.push({
        id,
        files,
        config,
        cardData: readCardData(readme),
        // the oldest trace of a folder is all there is to tell when a model came to be
        createdAt: new Date(Math.min(info.birthtimeMs || info.mtimeMs, info.mtimeMs)).toISOString(),
        lastModified: info.mtime.toISOString(),
        sha: await hashOf(id, files, dir),
      });
    }
  }
  return repos;
}

/** Small files by content; large ones by size and time, so that opening a mirror does not read terabytes. */
async function hashOf(id: string, files: readonly RepoFile[], dir: string): Promise<string> {
  const entries: [string, string][] = [];
  const commits = new Set<string | null>();
  for (const file of files) {
    const path = join(dir, file.path);
    commits.add((await readDownloadMetadata(dir, file.path, (await stat(path)).mtimeMs))?.commit ?? null);
  }
  // all of it one untouched download: the commit is known
  const [commit] = commits;
  if (commits.size === 1 && commit) return commit;
  for (const file of files) {
    const path = join(dir, file.path);
    const content =
      file.size <= MAX_GIT_FILE_BYTES
        ? createHash('sha1')
            .update(await readFile(path))
            .digest('hex')
        : `${file.size}:${(await stat(path)).mtimeMs}`;
    entries.push([file.path, content]);
  }
  return toCommitSha(id, entries);
}

async function readFiles(dir: string, prefix = '', found: RepoFile[] = []): Promise<RepoFile[]> {
  const entries = await readdir(join(dir, prefix), { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    // `.cache` is what `hf download --local-dir` leaves behind, `.git` what a clone does
    if (entry.name === '.cache' || entry.name === '.git') continue;
    const info = await stat(join(dir, path)).catch(() => null);
    if (info?.isDirectory() && !entry.isSymbolicLink()) await readFiles(dir, path, found);
    else if (info?.isFile()) {
      const downloaded = await readDownloadMetadata(dir, path, info.mtimeMs);
      found.push(createDiskFile(path, join(dir, path), info.size, downloaded?.sha256 ?? null));
    }
    if (found.length > MAX_FILES) {
      throw new HublineageError('UsageInvalid', `more than ${MAX_FILES} files in one repo`, { where: dir });
    }
  }
  return found;
}

async function folderNames(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && /^[\w.-]+$/.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

/** undefined when the file is absent; broken JSON in a repo's own files counts as absent, in repos.json as an error. */
async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!path.endsWith('repos.json')) return undefined;
    throw new HublineageError('UsageInvalid', 'repos.json is not valid JSON', { where: path, cause });
  }
}
