/** Part of a set: who is in it, and whose parents are asked for. Every model of the set is asked about in exactly one part. */
export interface SetPart {
  members: number[];
  asked: number[];
}

/** Of a part at most this share is asked about; the rest is their neighbourhood. */
const ASKED_SHARE = 1 / 3;
/** Models most often among others' nearest: likely bases, shown in every part. */
const HUBS = 8;

/**
 * Cuts a set into parts of at most `largest` models. Who is asked about together is found by walking from neighbour to neighbour, so
 * relatives stay together; beside them stand the set's hubs and their own nearest, nearest first. `near` gives neighbours by index,
 * nearest first. One part with everybody where the set is small enough. O(models x neighbours).
 */
export function splitIntoParts(near: readonly (readonly number[])[], largest: number): SetPart[] {
  const everybody = near.map((_, i) => i);
  if (near.length <= largest) return [{ members: everybody, asked: everybody }];
  const size = Math.max(1, Math.floor(largest * ASKED_SHARE));
  const order = walk(near);
  const hubs = findHubs(near);
  const parts: SetPart[] = [];
  for (let from = 0; from < order.length; from += size) {
    const asked = order.slice(from, from + size);
    const members = new Set(asked);
    const add = (i: number | undefined) => {
      if (i !== undefined && members.size < largest) members.add(i);
    };
    hubs.forEach(add);
    const most = Math.max(...asked.map((i) => near[i]!.length));
    for (let rank = 0; rank < most && members.size < largest; rank++)
      for (const i of asked) add(near[i]![rank]);
    parts.push({ members: [...members].sort((a, b) => a - b), asked });
  }
  return parts;
}

/** Breadth first from neighbour to neighbour, starting anew where nobody new is near. */
function walk(near: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const seen = new Uint8Array(near.length);
  for (let start = 0; start < near.length; start++) {
    if (seen[start]) continue;
    seen[start] = 1;
    let at = order.push(start) - 1;
    for (; at < order.length; at++)
      for (const next of near[order[at]!]!) {
        if (seen[next]) continue;
        seen[next] = 1;
        order.push(next);
      }
  }
  return order;
}

function findHubs(near: readonly (readonly number[])[]): number[] {
  const degree = new Int32Array(near.length);
  for (const row of near) for (const i of row) degree[i]!++;
  return [...degree.keys()].sort((a, b) => degree[b]! - degree[a]! || a - b).slice(0, HUBS);
}
