import type { HubRepo } from '../types/hub.ts';
import { CARD_CAPS, capJson } from './cap-json.ts';

export type RepoRow =
  | { ok: true; repo: HubRepo; remarks: string[] }
  | { ok: false; id: string | null; why: string };

const HUB_ID = /^[0-9a-f]{24}$/i;
const SHA = /^[0-9a-f]{40}$/i;
/** One or two segments of what the Hub allows in names; `.` and `..` are excluded apart. */
const REPO_ID = /^[\w.-]{1,128}(?:\/[\w.-]{1,128})?$/;
const MAX_TAGS = 10_000;
const MAX_FILES = 100_000;
const MAX_BASE_MODELS = 1000;
const MAX_NAME = 500;
const MAX_PATH = 4096;

export function isRepoId(id: string): boolean {
  return REPO_ID.test(id) && id.split('/').every((part) => part !== '.' && part !== '..');
}

/**
 * One row of a listing, or one model info, as a HubRepo. Nothing in a row is trusted: what is not of the expected type counts as
 * absent, what is too long is cut (and remarked), and a row without an identity is refused, never thrown.
 */
export function normalizeRepo(row: unknown): RepoRow {
  if (!isRecord(row)) return { ok: false, id: null, why: 'not an object' };
  const repo = readString(row.id ?? row.modelId, MAX_NAME);
  const hubId = readString(row._id, 24);
  if (repo === null || !isRepoId(repo)) {
    return { ok: false, id: repo, why: 'no valid repo id' };
  }
  if (hubId === null || !HUB_ID.test(hubId)) return { ok: false, id: repo, why: 'no valid _id' };

  const remarks: string[] = [];
  const cap = <T>(items: T[], max: number, what: string): T[] => {
    if (items.length <= max) return items;
    remarks.push(`${what}: ${items.length} cut to ${max}`);
    return items.slice(0, max);
  };
  const capRecord = (value: unknown, what: string): Record<string, unknown> | null => {
    if (!isRecord(value)) return null;
    const capped = capJson(value, CARD_CAPS);
    if (capped.truncated) remarks.push(`${what}: cut to its caps`);
    return capped.value as Record<string, unknown>;
  };
  const sha = readString(row.sha, 40);
  return {
    ok: true,
    remarks,
    repo: {
      hubId: hubId.toLowerCase(),
      repo,
      sha: sha !== null && SHA.test(sha) ? sha.toLowerCase() : null,
      // The first four bytes of an ObjectId are the second it was made in.
      createdAt:
        readDate(row.createdAt) ?? new Date(Number.parseInt(hubId.slice(0, 8), 16) * 1000).toISOString(),
      lastModified: readDate(row.lastModified),
      downloads: readCount(row.downloads),
      likes: readCount(row.likes),
      gated: readGated(row.gated),
      private: row.private === true,
      disabled: row.disabled === true,
      tags: cap(readStrings(row.tags, MAX_NAME), MAX_TAGS, 'tags'),
      pipelineTag: readString(row.pipeline_tag, MAX_NAME),
      libraryName: readString(row.library_name, MAX_NAME),
      cardData: capRecord(row.cardData, 'cardData'),
      config: capRecord(row.config, 'config'),
      files: cap(readFileNames(row.siblings), MAX_FILES, 'siblings'),
      safetensors: readSafetensors(row.safetensors),
      gguf: capRecord(row.gguf, 'gguf'),
      baseModels: readBaseModels(row.baseModels),
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Strings longer than this are not what they claim to be: null, not cut, because half a name is another name. */
function readString(value: unknown, maxLength: number): string | null {
  return typeof value === 'string' && value !== '' && value.length <= maxLength ? value : null;
}

function readStrings(value: unknown, maxLength: number): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is string => readString(item, maxLength) !== null);
}

export function readCount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

function readDate(value: unknown): string | null {
  const text = readString(value, 40);
  const ms = text === null ? Number.NaN : Date.parse(text);
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}

/** An unknown kind of gate is the strictest one we know. */
function readGated(value: unknown): HubRepo['gated'] {
  if (value === undefined || value === null || value === false) return false;
  return value === 'auto' ? 'auto' : 'manual';
}

function readFileNames(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const names = value.map((item: unknown) => (isRecord(item) ? readString(item.rfilename, MAX_PATH) : null));
  return [...new Set(names.filter((name) => name !== null))];
}

function readSafetensors(value: unknown): HubRepo['safetensors'] {
  if (!isRecord(value) || !isRecord(value.parameters)) return null;
  const counts = Object.entries(value.parameters)
    .filter(([dtype, count]) => dtype.length <= 40 && dtype !== '__proto__' && typeof count === 'number')
    .slice(0, 100)
    .map(([dtype, count]) => [dtype, readCount(count)] as const);
  const sum = counts.reduce((total, [, count]) => total + count, 0);
  return {
    parameters: Object.fromEntries(counts),
    total: typeof value.total === 'number' ? readCount(value.total) : sum,
  };
}

function readBaseModels(value: unknown): HubRepo['baseModels'] {
  if (!isRecord(value) || !Array.isArray(value.models)) return null;
  const models = value.models.slice(0, MAX_BASE_MODELS).flatMap((item: unknown) => {
    const hubId = isRecord(item) ? readString(item._id, 24) : null;
    const repo = isRecord(item) ? readString(item.id, MAX_NAME) : null;
    return hubId !== null && HUB_ID.test(hubId) && repo !== null && isRepoId(repo)
      ? [{ hubId: hubId.toLowerCase(), repo }]
      : [];
  });
  return models.length === 0 ? null : { relation: readString(value.relation, MAX_NAME) ?? '', models };
}
