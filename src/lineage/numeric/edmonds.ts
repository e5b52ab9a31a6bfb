/**
 * Minimum spanning arborescence: each node but the root gets the incoming edge of a cheapest directed tree.
 * Gabow, Galil, Spencer and Tarjan (1986) in the contracting form with mergeable heaps: O(E log V).
 * Heaps are skew heaps with lazy addition; contraction is undone in reverse to read the chosen edges off. Only nodes on a cycle of
 * cheapest edges get a heap: in a tree search most do not.
 */

interface ArborescenceEdge {
  from: number;
  to: number;
  cost: number;
}

/** The same edges as columns. */
export interface EdgeColumns {
  from: Int32Array;
  to: Int32Array;
  cost: Float64Array;
}

/** `findArborescenceOf` over edges as objects. */
export function findArborescence(
  nodeCount: number,
  edges: readonly ArborescenceEdge[],
  root: number,
): Int32Array | null {
  return findArborescenceOf(
    nodeCount,
    {
      from: Int32Array.from(edges, (e) => e.from),
      to: Int32Array.from(edges, (e) => e.to),
      cost: Float64Array.from(edges, (e) => e.cost),
    },
    root,
  );
}

/**
 * Picks for every node the index of its edge, -1 for the root.
 * Null when some node cannot be reached from the root. Costs may be negative; ties go to the earlier edge.
 */
export function findArborescenceOf(
  nodeCount: number,
  { from: sources, to: targets, cost: costs }: EdgeColumns,
  root: number,
): Int32Array | null {
  const count = costs.length;
  const left = new Int32Array(count).fill(-1);
  const right = new Int32Array(count).fill(-1);
  const cost = Float64Array.from(costs);
  const lazy = new Float64Array(count);
  const heap = new Int32Array(nodeCount).fill(-1);

  const push = (node: number) => {
    const add = lazy[node]!;
    if (add === 0) return;
    cost[node]! += add;
    const l = left[node]!;
    const r = right[node]!;
    if (l >= 0) lazy[l]! += add;
    if (r >= 0) lazy[r]! += add;
    lazy[node] = 0;
  };
  const before = (a: number, b: number) => cost[a]! < cost[b]! || (cost[a]! === cost[b]! && a < b);
  // Iterative skew merge: walk down the right spines, then link back up, so deep heaps cannot overflow the stack.
  const spine: number[] = [];
  const merge = (first: number, second: number): number => {
    let a = first;
    let b = second;
    spine.length = 0;
    while (a >= 0 && b >= 0) {
      push(a);
      push(b);
      if (before(b, a)) {
        const other = a;
        a = b;
        b = other;
      }
      spine.push(a);
      a = right[a]!;
    }
    let rest = a >= 0 ? a : b;
    for (let i = spine.length - 1; i >= 0; i--) {
      const node = spine[i]!;
      right[node] = left[node]!;
      left[node] = rest;
      rest = node;
    }
    return rest;
  };

  const { first, incoming } = groupByTarget(nodeCount, sources, targets);
  const hasHeap = new Uint8Array(nodeCount);
  const cheapest = new Int32Array(nodeCount).fill(-1);
  for (let node = 0; node < nodeCount; node++) {
    if (node === root) continue;
    for (let i = first[node]!; i < first[node + 1]!; i++) {
      const e = incoming[i]!;
      if (cheapest[node]! < 0 || cost[e]! < cost[cheapest[node]!]!) cheapest[node] = e;
    }
  }
  /** The heap of a node whose cheapest edge is taken: all others, at what they cost beyond it. */
  const heapBeyondCheapest = (node: number): number => {
    const taken = cheapest[node]!;
    let all = -1;
    for (let i = first[node]!; i < first[node + 1]!; i++)
      if (incoming[i] !== taken) all = merge(all, incoming[i]!);
    if (all >= 0) lazy[all]! -= cost[taken]!;
    return all;
  };

  // Union-find with rollback (union by size, no path compression), so contraction can be undone.
  const parent = new Int32Array(nodeCount).fill(-1);
  const history: [number, number][] = [];
  const find = (x: number) => {
    let node = x;
    while (parent[node]! >= 0) node = parent[node]!;
    return node;
  };
  const rollback = (to: number) => {
    while (history.length > to) {
      const [node, value] = history.pop()!;
      parent[node] = value;
    }
  };
  const join = (x: number, y: number): boolean => {
    let a = find(x);
    let b = find(y);
    if (a === b) return false;
    if (parent[a]! > parent[b]!) [a, b] = [b, a];
    history.push([a, parent[a]!], [b, parent[b]!]);
    parent[a]! += parent[b]!;
    parent[b] = a;
    return true;
  };

  const seen = new Int32Array(nodeCount).fill(-1);
  seen[root] = root;
  const chosen = new Int32Array(nodeCount).fill(-1);
  const path = new Int32Array(nodeCount);
  const queue = new Int32Array(nodeCount);
  const cycles: { at: number; time: number; edges: number[] }[] = [];
  for (let start = 0; start < nodeCount; start++) {
    let u = find(start);
    let length = 0;
    while (seen[u]! < 0) {
      const top = hasHeap[u] ? heap[u]! : cheapest[u]!;
      if (top < 0) return null;
      if (hasHeap[u]) {
        push(top);
        const price = cost[top]!;
        // Everything else that enters u now costs what it costs beyond the edge taken.
        lazy[top]! -= price;
        push(top);
        heap[u] = merge(left[top]!, right[top]!);
        left[top] = -1;
        right[top] = -1;
      }
      const from = find(sources[top]!);
      if (from === u) continue;
      queue[length] = top;
      path[length] = u;
      length++;
      seen[u] = start;
      u = from;
      if (seen[u] === start) {
        let heapOfCycle = -1;
        const end = length;
        const time = history.length;
        let w: number;
        do {
          length--;
          w = path[length]!;
          heapOfCycle = merge(heapOfCycle, hasHeap[w] ? heap[w]! : heapBeyondCheapest(w));
        } while (join(u, w));
        u = find(u);
        heap[u] = heapOfCycle;
        hasHeap[u] = 1;
        seen[u] = -1;
        cycles.push({ at: u, time, edges: Array.from(queue.subarray(length, end)) });
      }
    }
    for (let i = 0; i < length; i++) chosen[find(targets[queue[i]!]!)] = queue[i]!;
  }
  for (let i = cycles.length - 1; i >= 0; i--) {
    const cycle = cycles[i]!;
    const entering = chosen[cycle.at]!;
    rollback(cycle.time);
    for (const e of cycle.edges) chosen[find(targets[e]!)] = e;
    chosen[find(targets[entering]!)] = entering;
  }
  chosen[root] = -1;
  return chosen;
}

/** Edges by the node they enter, in their order; without loops. */
function groupByTarget(
  nodeCount: number,
  sources: Int32Array,
  targets: Int32Array,
): { first: Int32Array; incoming: Int32Array } {
  const first = new Int32Array(nodeCount + 1);
  for (let e = 0; e < targets.length; e++) if (sources[e] !== targets[e]) first[targets[e]! + 1]!++;
  for (let node = 0; node < nodeCount; node++) first[node + 1]! += first[node]!;
  const incoming = new Int32Array(first[nodeCount]!);
  const next = first.slice();
  for (let e = 0; e < targets.length; e++) if (sources[e] !== targets[e]) incoming[next[targets[e]!]!++] = e;
  return { first, incoming };
}
