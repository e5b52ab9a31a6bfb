import { HublineageError } from '../../types/errors.ts';

/** No model known has more than a few hundred; the Hub's own clients stop here too. */
const MAX_SHARDS = 10_000;
export const MAX_INDEX_BYTES = 16_000_000;

/** File of the repo -> names of the tensors it should hold, from a `*.index.json`. */
export type ShardIndex = ReadonlyMap<string, string[]>;

/**
 * Parses an index. `folder` is where the index lies, `''` or ending in `/`; the answer's paths begin with it. Shard names are plain
 * relative paths below that folder: anything else (`..`, absolute, URL, backslash, control characters) is IndexInvalid.
 */
export function parseShardIndex(bytes: Uint8Array, folder: string, where: string): ShardIndex {
  const fail = (what: string): never => {
    throw new HublineageError('IndexInvalid', what, { where });
  };
  if (bytes.length > MAX_INDEX_BYTES)
    fail(`index of ${bytes.length} bytes, at most ${MAX_INDEX_BYTES} are read`);
  let parsed: unknown;
  try {
    checkNesting(bytes, 8);
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return fail('the index is not JSON');
  }
  const map = isRecord(parsed) ? parsed.weight_map : undefined;
  if (!isRecord(map)) return fail('the index has no weight_map');
  const shards = new Map<string, string[]>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !isPlainPath(file)) {
      return fail(`the index names ${JSON.stringify(String(file).slice(0, 120))} as a shard`);
    }
    const path = folder + file;
    const names = shards.get(path);
    if (names !== undefined) names.push(tensor);
    else if (shards.size >= MAX_SHARDS) return fail(`the index names more than ${MAX_SHARDS} shards`);
    else shards.set(path, [tensor]);
  }
  return shards;
}

/** Header bytes a shard with these tensors should have: a little more than what writers use, so that one range mostly does. */
export function estimateHeaderBytes(tensorNames: readonly string[]): number {
  const entryBytes = 92;
  return tensorNames.reduce((sum, name) => sum + name.length + entryBytes, 256);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlainPath(path: string): boolean {
  if (path.length === 0 || path.length > 255 || /[\\\u0000-\u001f\u007f:?#%*]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** Deep nesting is refused before JSON.parse builds gigabytes of it. */
function checkNesting(bytes: Uint8Array, maxDepth: number): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > maxDepth) throw new RangeError('nested too deeply');
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}
