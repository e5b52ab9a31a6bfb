import { parseDocument } from 'yaml';

const FRONT_MATTER = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)(?:\r?\n)?---[ \t]*(?:\r?\n|$)/;
/** Front matter beyond this is treated like broken YAML. */
const MAX_FRONT_MATTER_CHARS = 1_000_000;

/** Front matter of a README as JSON; null when there is none or its YAML is broken, like on the Hub. */
export function readCardData(readme: string): Record<string, unknown> | null {
  const text = FRONT_MATTER.exec(readme)?.[1];
  if (text === undefined || text.length > MAX_FRONT_MATTER_CHARS) return null;
  try {
    const document = parseDocument(text);
    if (document.errors.length > 0) return null;
    // a low alias count defuses "billion laughs"
    const value: unknown = document.toJS({ maxAliasCount: 50 });
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
