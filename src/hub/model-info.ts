import { HublineageError } from '../types/errors.ts';
import type { HubFile } from '../types/hub.ts';
import { encodeRevision, fetchJson, type HubContext, toModelPath } from './api.ts';
import type { CallOptions, ModelInfo } from './contract.ts';
import { tryAgain } from './failures.ts';
import { EXPAND } from './list-models.ts';
import { fromSibling } from './normalize-files.ts';
import { isRecord, isRepoId, normalizeRepo } from './normalize-repo.ts';

const MAX_INFO_BYTES = 48 * 2 ** 20;
/** Beyond this the Hub's clients do not trust `siblings` to be whole. */
const MAX_SIBLINGS = 50_000;

/** One request: what the Hub says about a repo, its files with sizes and hashes (`blobs=true`) included. */
export function fetchModelInfo(
  context: HubContext,
  repo: string,
  options: CallOptions & { revision?: string | null | undefined } = {},
): Promise<ModelInfo> {
  const where = describeRepo(repo, options.revision);
  requireRepoId(repo);
  const revision = options.revision == null ? '' : `/revision/${encodeRevision(options.revision)}`;
  const parameters = new URLSearchParams({ blobs: 'true' });
  for (const field of EXPAND) parameters.append('expand[]', field);
  return fetchJson(context, {
    url: `${context.endpoint}${toModelPath(repo)}${revision}?${parameters}`,
    subject: 'repo',
    maxBytes: MAX_INFO_BYTES,
    where,
    meter: options.meter,
    read: (json) => readInfo(context, json, repo, where),
  });
}

function readInfo(context: HubContext, json: unknown, asked: string, where: string): ModelInfo {
  const row = normalizeRepo(json);
  if (!row.ok) throw tryAgain('HubBadAnswer', `a model info that is none: ${row.why}`, where);
  for (const message of row.remarks) context.emit({ type: 'remark', where, message });
  if (row.repo.repo !== asked) context.emit({ type: 'renamed', from: asked, to: row.repo.repo });
  const siblings = isRecord(json) && Array.isArray(json.siblings) ? json.siblings : [];
  const files = new Map<string, HubFile>();
  let unread = 0;
  for (const entry of siblings.slice(0, MAX_SIBLINGS)) {
    const file = fromSibling(entry);
    if (file === null) unread++;
    else files.set(file.path, file);
  }
  return {
    repo: row.repo,
    files: [...files.values()],
    // A repo without any file has an empty list; one without sizes is from a Hub that does not know `blobs`.
    filesTruncated:
      siblings.length >= MAX_SIBLINGS || unread > 0 || !isRecord(json) || !Array.isArray(json.siblings),
  };
}

export function describeRepo(repo: string, revision?: string | null): string {
  return revision == null ? repo : `${repo}@${revision.slice(0, 12)}`;
}

/** Ids come from users too; a wrong one must not become another path of the API. */
export function requireRepoId(repo: string): void {
  if (!isRepoId(repo)) {
    throw new HublineageError('ModelUnknown', `not a repo id: ${JSON.stringify(repo.slice(0, 100))}`, {
      hint: 'owner/name',
    });
  }
}
