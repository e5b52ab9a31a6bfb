/** Deepest ancestor kept: far beyond any real chain, and an end for hostile ones. */
export const MAX_ANCESTOR_DEPTH = 64;

/** Parents of nodes 0..n-1 in compressed rows: those of node i are `parents[offsets[i] .. offsets[i + 1])`. */
export interface ParentLists {
  offsets: Int32Array;
  parents: Int32Array;
}

export function toParentLists(
  count: number,
  edges: Iterable<readonly [child: number, parent: number]>,
): ParentLists {
  const list = [...edges];
  const offsets = new Int32Array(count + 1);
  for (const [child] of list) offsets[child + 1]!++;
  for (let i = 0; i < count; i++) offsets[i + 1]! += offsets[i]!;
  const next = offsets.slice();
  const parents = new Int32Array(list.length);
  for (const [child, parent] of list) parents[next[child]!++] = parent;
  return { offsets, parents };
}

/**
 * Every ancestor of a node with its shortest distance, nearest first. Breadth first with a mark on what was seen, so a cycle ends and a
 * node is never its own ancestor. `seen` is scratch space of one int a node, holding the node last asked for plus one.
 */
export function walkAncestors(
  lists: ParentLists,
  node: number,
  seen: Int32Array,
  visit: (ancestor: number, depth: number) => void,
): void {
  const mark = node + 1;
  seen[node] = mark;
  let level = [node];
  for (let depth = 1; level.length > 0 && depth <= MAX_ANCESTOR_DEPTH; depth++) {
    const above: number[] = [];
    for (const current of level) {
      for (let i = lists.offsets[current]!; i < lists.offsets[current + 1]!; i++) {
        const parent = lists.parents[i]!;
        if (seen[parent] === mark) continue;
        seen[parent] = mark;
        above.push(parent);
        visit(parent, depth);
      }
    }
    level = above;
  }
}
