import type { Commit, RepoRecord } from '../repos/record.ts';
import { headOf, ownerOf } from '../repos/record.ts';
import type { RepoIndex } from '../repos/repo-index.ts';
import { ggufSummary, safetensorsSummary } from '../repos/summaries.ts';

/** Fields `expand` knows, as the server's own error text lists them. */
export const INFO_FIELDS = [
  'author',
  'baseModels',
  'cardData',
  'childrenModelCount',
  'config',
  'createdAt',
  'disabled',
  'downloads',
  'downloadsAllTime',
  'evalResults',
  'gated',
  'gguf',
  'inference',
  'inferenceProviderMapping',
  'lastModified',
  'library_name',
  'likes',
  'mask_token',
  'model-index',
  'pipeline_tag',
  'private',
  'resourceGroup',
  'safetensors',
  'sha',
  'siblings',
  'spaces',
  'tags',
  'transformersInfo',
  'trendingScore',
  'usedStorage',
  'widgetData',
  'gitalyUid',
  'xetEnabled',
] as const;
export type Field = (typeof INFO_FIELDS)[number];
export const LIST_FIELDS: readonly Field[] = INFO_FIELDS.filter(
  (field) => field !== 'usedStorage' && field !== 'childrenModelCount',
);

/** `undefined` = the key is left out: what nobody declared is absent on the Hub, not null. */
async function fieldValue(
  index: RepoIndex,
  repo: RepoRecord,
  field: Field | 'id' | '_id' | 'modelId',
  commit: Commit = headOf(repo),
): Promise<unknown> {
  switch (field) {
    case '_id':
      return repo.hubId;
    case 'id':
    case 'modelId':
      return repo.id;
    case 'author':
      return ownerOf(repo.id) ?? undefined;
    case 'baseModels':
      return index.derived(repo).baseModels ?? undefined;
    case 'cardData':
      return repo.cardData ?? undefined;
    case 'childrenModelCount':
      return countChildren(index, repo);
    case 'config':
      return repo.config ?? undefined;
    case 'downloads':
    case 'likes':
    case 'trendingScore':
    case 'private':
    case 'gated':
    case 'disabled':
    case 'createdAt':
    case 'lastModified':
      return repo[field];
    case 'downloadsAllTime':
      return repo.downloads;
    case 'gguf':
      return (await ggufSummary(repo)) ?? undefined;
    case 'safetensors':
      return (await safetensorsSummary(repo)) ?? undefined;
    case 'library_name':
      return repo.libraryName ?? undefined;
    case 'pipeline_tag':
      return repo.pipelineTag ?? undefined;
    case 'model-index':
      return null;
    case 'sha':
      return commit.sha;
    case 'siblings':
      return commit.files.map((file) => ({ rfilename: file.path }));
    case 'spaces':
      return [];
    case 'tags':
      return index.derived(repo).allTags;
    case 'usedStorage':
      return usedStorage(repo);
    case 'inferenceProviderMapping':
      return [];
    case 'transformersInfo':
      return transformersInfo(repo);
    case 'xetEnabled':
      return true;
    default:
      return undefined;
  }
}

/** An object of the fields that exist, in the order asked for. */
export async function pickFields(
  index: RepoIndex,
  repo: RepoRecord,
  fields: readonly (Field | 'id' | '_id' | 'modelId')[],
  commit?: Commit,
): Promise<Record<string, unknown>> {
  const out: Record<string, unknown> = {};
  for (const field of fields) {
    const value = await fieldValue(index, repo, field, commit);
    if (value !== undefined) out[field] = value;
  }
  return out;
}

/** Bytes over all revisions, each distinct file object once. */
function usedStorage(repo: RepoRecord): number {
  const files = new Set(repo.commits.flatMap((commit) => [...commit.files]));
  return [...files].reduce((sum, file) => sum + file.size, 0);
}

function transformersInfo(repo: RepoRecord): unknown {
  if (repo.libraryName !== 'transformers' || repo.config?.model_type === undefined) return undefined;
  return {
    auto_model: 'AutoModelForCausalLM',
    ...(repo.pipelineTag === null ? {} : { pipeline_tag: repo.pipelineTag }),
    processor: 'AutoTokenizer',
  };
}

function countChildren(index: RepoIndex, repo: RepoRecord): Record<string, number> {
  const counts: Record<string, number> = { adapter: 0, merge: 0, quantized: 0, finetune: 0 };
  for (const other of index.all()) {
    const base = index.derived(other).baseModels;
    if (base?.models.some((model) => model._id === repo.hubId)) {
      counts[base.relation] = (counts[base.relation] ?? 0) + 1;
    }
  }
  return counts;
}
