/** Limits on a JSON value that somebody else wrote and we keep. */
export interface JsonCaps {
  depth: number;
  /** values altogether: objects, arrays and leaves */
  nodes: number;
  /** UTF-16 units a string; longer ones are cut */
  stringLength: number;
  /** UTF-16 units altogether, keys included */
  totalLength: number;
}

export const CARD_CAPS: JsonCaps = { depth: 8, nodes: 20_000, stringLength: 4096, totalLength: 262_144 };

/**
 * A copy within the caps: what lies deeper or comes later is left out, long strings are cut. Control characters stay (they are data);
 * `__proto__` goes, because assigning it would change an object instead of describing one.
 */
export function capJson(value: unknown, caps: JsonCaps): { value: unknown; truncated: boolean } {
  let nodes = 0;
  let length = 0;
  let truncated = false;
  const LEFT_OUT = Symbol('left out');

  function copy(from: unknown, depth: number): unknown {
    if (++nodes > caps.nodes || depth > caps.depth || length > caps.totalLength) {
      truncated = true;
      return LEFT_OUT;
    }
    if (typeof from === 'string') return copyString(from);
    if (typeof from !== 'object' || from === null) return from;
    if (Array.isArray(from)) return copyArray(from, depth);
    return copyObject(from as Record<string, unknown>, depth);
  }

  function copyString(from: string): string {
    const room = Math.max(0, Math.min(caps.stringLength, caps.totalLength - length));
    if (from.length > room) truncated = true;
    const kept = from.length > room ? from.slice(0, room) : from;
    length += kept.length + 1;
    return kept;
  }

  function copyArray(from: readonly unknown[], depth: number): unknown[] {
    const to: unknown[] = [];
    for (const item of from) {
      if (nodes >= caps.nodes || length > caps.totalLength) {
        truncated = true;
        break;
      }
      const kept = copy(item, depth + 1);
      if (kept !== LEFT_OUT) to.push(kept);
    }
    return to;
  }

  function copyObject(from: Record<string, unknown>, depth: number): Record<string, unknown> {
    const to: Record<string, unknown> = {};
    for (const key of Object.keys(from)) {
      if (key === '__proto__') continue;
      if (nodes >= caps.nodes || length > caps.totalLength) {
        truncated = true;
        break;
      }
      const kept = copy(from[key], depth + 1);
      if (kept === LEFT_OUT) continue;
      to[copyString(key)] = kept;
    }
    return to;
  }

  const kept = copy(value, 0);
  return { value: kept === LEFT_OUT ? null : kept, truncated };
}
