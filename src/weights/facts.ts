import type { RepoFiles } from '../types/hub.ts';

/** What the caller already knows of a repo, mostly from the Hub's listing; nothing here is trusted about the weights themselves. */
export interface KnownFacts {
  /** (a subset of) config.json */
  config?: Record<string, unknown> | null;
  /** neither tags nor library choose what is read: they are often wrong, names and headers are not */
  tags?: readonly string[];
  libraryName?: string | null;
}

const MAX_CONFIG_BYTES = 1_000_000;

/** A small JSON file as an object; null when it is absent, too large, or anything but an object. */
export async function readJsonObject(repo: RepoFiles, path: string): Promise<Record<string, unknown> | null> {
  try {
    const bytes = await repo.readSmall(path, MAX_CONFIG_BYTES);
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError || isPermanent(error)) return null;
    throw error;
  }
}

function isPermanent(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'FileMissing' || code === 'BodyTooLarge';
}

/** A positive whole number below 2^31 under the first of the keys that has one, else null. */
export function readCount(
  record: Record<string, unknown> | null | undefined,
  ...keys: string[]
): number | null {
  for (const key of keys) {
    const value = record?.[key];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 31) return value;
  }
  return null;
}

/** `architectures[0]` where it is a plain identifier, else the fallback. */
export function readArchitecture(
  config: Record<string, unknown> | null | undefined,
  fallback: string,
): string {
  const list = config?.architectures;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return typeof first === 'string' && /^\w{1,80}$/.test(first) ? first : fallback;
}
