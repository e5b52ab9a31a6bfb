import { lfsPointer } from '../repos/identity.ts';
import type { Commit, RepoRecord } from '../repos/record.ts';
import type { Answer } from '../wire/answer.ts';
import { answerJson } from '../wire/answer.ts';
import { refusals } from '../wire/refusals.ts';
import type { Call, HubState } from './call.ts';
import type { Field } from './entry.ts';
import { INFO_FIELDS, pickFields } from './entry.ts';
import { readExpand } from './list.ts';

/** Key order as recorded from the Hub. `baseModels` is not among them: it only comes through expand. */
const FULL_INFO = [
  '_id',
  'id',
  'private',
  'pipeline_tag',
  'library_name',
  'tags',
  'downloads',
  'likes',
  'modelId',
  'author',
  'sha',
  'lastModified',
  'gated',
  'inference',
  'disabled',
  'mask_token',
  'widgetData',
  'model-index',
  'config',
  'cardData',
  'transformersInfo',
  'gguf',
  'siblings',
  'spaces',
  'createdAt',
  'safetensors',
  'usedStorage',
] as const;

/** `GET /api/models/{id}` and `…/revision/{rev}`. */
export async function answerInfo(
  state: HubState,
  call: Call,
  repo: RepoRecord,
  commit: Commit,
): Promise<Answer> {
  const expand = readExpand(call.query);
  if (expand.some((field) => !INFO_FIELDS.includes(field as Field))) {
    return refusals.badRequest(`"expand" must be one of [${INFO_FIELDS.join(', ')}]`);
  }
  const fields = expand.length > 0 ? (['_id', 'id', ...(expand as Field[])] as const) : FULL_INFO;
  const info = await pickFields(state.index, repo, fields, commit);
  if (info.siblings !== undefined && isSet(call.query.get('blobs'))) {
    info.siblings = await siblingsWithBlobs(commit);
  }
  return answerJson(info);
}

async function siblingsWithBlobs(commit: Commit): Promise<unknown[]> {
  const siblings = [];
  for (const file of commit.files) {
    const { oid, sha256 } = await file.identity();
    siblings.push({
      rfilename: file.path,
      blobId: oid,
      size: file.size,
      ...(sha256 === null
        ? {}
        : { lfs: { sha256, size: file.size, pointerSize: lfsPointer(sha256, file.size).length } }),
    });
  }
  return siblings;
}

const isSet = (value: string | null) => value !== null && value !== 'false';
