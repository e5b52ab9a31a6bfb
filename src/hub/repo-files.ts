import { HublineageError } from '../types/errors.ts';
import type { ByteSource, HubFile, HubRepo, RepoFiles } from '../types/hub.ts';
import type { HubContext } from './api.ts';
import type { CallOptions } from './contract.ts';
import { fetchSize } from './fetch-range.ts';
import { listTree } from './list-tree.ts';
import { describeRepo, fetchModelInfo, requireRepoId } from './model-info.ts';
import { isInsidePath } from './normalize-files.ts';
import { createRangeSource } from './range-source.ts';
import { fetchSmall } from './read-small.ts';
import { describeFile, type FileAddress, resolveFile } from './resolve-file.ts';

const SHA = /^[0-9a-f]{40}$/i;

/**
 * The files of one repo at one revision. Everything is asked for at most once and kept: the list (one api request), each file's
 * address (one resolve). A branch name is pinned to the first commit an answer names, so that no two files are of two commits.
 */
export function openRepo(
  context: HubContext,
  repo: string,
  revision: string,
  options: CallOptions & { gated?: HubRepo['gated'] | undefined } = {},
): RepoFiles {
  requireRepoId(repo);
  const { meter } = options;
  let pinned = SHA.test(revision) ? revision : null;
  let canonical = repo;
  let listing: Promise<HubFile[]> | null = null;
  let listed: ReadonlyMap<string, HubFile> | null = null;
  const sources = new Map<string, Promise<ByteSource>>();

  async function fetchList(): Promise<HubFile[]> {
    const info = await fetchModelInfo(context, canonical, { meter, revision: pinned ?? revision });
    pin(info.repo.sha, describeRepo(repo, revision));
    canonical = info.repo.repo;
    const files = info.filesTruncated
      ? await listTree(context, canonical, pinned ?? revision, { meter })
      : info.files;
    listed = new Map(files.map((file) => [file.path, file]));
    return files;
  }

  function pin(commit: string | null, where: string): void {
    if (commit === null) return;
    if (pinned !== null && pinned.toLowerCase() !== commit.toLowerCase()) {
      throw new HublineageError('RevisionGone', `${revision} moved to another commit`, { where });
    }
    pinned = commit;
  }

  /** Refuses without a request what cannot be there or cannot be had. */
  function addressOf(path: string): FileAddress {
    const address = { repo: canonical, revision: pinned ?? revision, path };
    const where = describeFile(address);
    if (!isInsidePath(path)) throw new HublineageError('FileMissing', 'not a path inside a repo', { where });
    if (options.gated && !context.hasToken) {
      throw new HublineageError('RepoGated', 'files of a gated repo need a token', {
        where,
        hint: 'a token with access (HF_TOKEN) can read it',
      });
    }
    if (listed !== null && !listed.has(path)) {
      throw new HublineageError('FileMissing', 'no such file', { where });
    }
    return address;
  }

  async function openFile(path: string): Promise<ByteSource> {
    const address = addressOf(path);
    const where = describeFile(address);
    const entry = listed?.get(path) ?? null;
    const resolved = await context.retrying(
      () => resolveFile(context, address, { meter, sizeKnown: entry !== null }),
      { bucket: 'resolvers', where },
    );
    pin(resolved.commit, where);
    const size =
      resolved.size ??
      entry?.size ??
      (await context.retrying(() => fetchSize(context, { url: resolved.url, where, meter }), {
        bucket: 'cdn',
        where,
      }));
    if (entry !== null && resolved.size !== null && resolved.size !== entry.size) {
      throw new HublineageError('RevisionGone', `listed with ${entry.size} bytes, now has ${resolved.size}`, {
        where,
      });
    }
    const sha256 = resolved.sha256 ?? entry?.sha256 ?? null;
    const pinnedAddress = { ...address, revision: pinned ?? revision };
    return createRangeSource(context, pinnedAddress, { ...resolved, size, sha256 }, { meter });
  }

  return {
    label: repo,
    list: () => {
      listing ??= fetchList().catch((error: unknown) => {
        listing = null;
        throw error;
      });
      return listing;
    },
    open: (path) => {
      let source = sources.get(path);
      if (source === undefined) {
        source = openFile(path);
        sources.set(path, source);
        source.catch(() => sources.delete(path));
      }
      return source;
    },
    readSmall: async (path, maxBytes) => {
      const address = addressOf(path);
      const where = describeFile(address);
      const entry = listed?.get(path);
      if (entry !== undefined && entry.size > maxBytes) {
        throw new HublineageError('BodyTooLarge', `${entry.size} bytes, at most ${maxBytes} are read`, {
          where,
        });
      }
      return context.retrying(() => fetchSmall(context, address, maxBytes, { meter }), {
        bucket: 'resolvers',
        where,
      });
    },
  };
}
