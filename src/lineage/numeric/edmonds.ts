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
export function findArborescenceOf(nodeCount: number, edges: EdgeColumns, root: number): Int32Array | null {
  return new Contraction(nodeCount, edges, root).solve();
}

/** The state of one search. A class, not closures: see decision 8 on machine code. */
class Contraction {
  private readonly nodeCount: number;
  private readonly sources: Int32Array;
  private readonly targets: Int32Array;
  private readonly root: number;
  // edges as nodes of skew heaps
  private readonly left: Int32Array;
  private readonly right: Int32Array;
  private readonly cost: Float64Array;
  private readonly lazy: Float64Array;
  /** what a merge passed on its way down */
  private readonly spine: number[] = [];
  // by node: its heap, if it has one; else its edges, and the cheapest of them
  private readonly heap: Int32Array;
  private readonly hasHeap: Uint8Array;
  private readonly first: Int32Array;
  private readonly incoming: Int32Array;
  private readonly cheapest: Int32Array;
  // union-find with rollback (union by size, no path compression), so contraction can be undone
  private readonly parent: Int32Array;
  private readonly history: number[] = [];

  constructor(nodeCount: number, { from, to, cost }: EdgeColumns, root: number) {
    this.nodeCount = nodeCount;
    this.sources = from;
    this.targets = to;
    this.root = root;
    this.left = new Int32Array(cost.length).fill(-1);
    this.right = new Int32Array(cost.length).fill(-1);
    this.cost = cost.slice();
    this.lazy = new Float64Array(cost.length);
    this.heap = new Int32Array(nodeCount).fill(-1);
    this.hasHeap = new Uint8Array(nodeCount);
    const { first, incoming } = groupByTarget(nodeCount, from, to);
    this.first = first;
    this.incoming = incoming;
    this.cheapest = findCheapest(nodeCount, first, incoming, cost, root);
    this.parent = new Int32Array(nodeCount).fill(-1);
  }

  solve(): Int32Array | null {
    const { nodeCount, root, sources, targets, heap, hasHeap, cheapest, cost, lazy } = this;
    const seen = new Int32Array(nodeCount).fill(-1);
    seen[root] = root;
    const chosen = new Int32Array(nodeCount).fill(-1);
    const path = new Int32Array(nodeCount);
    const queue = new Int32Array(nodeCount);
    const cycles: { at: number; time: number; edges: Int32Array }[] = [];
    for (let start = 0; start < nodeCount; start++) {
      let u = this.find(start);
      let length = 0;
      while (seen[u]! < 0) {
        const top = hasHeap[u] ? heap[u]! : cheapest[u]!;
        if (top < 0) return null;
        if (hasHeap[u]) {
          this.push(top);
          const price = cost[top]!;
          // Everything else that enters u now costs what it costs beyond the edge taken.
          lazy[top]! -= price;
          this.push(top);
          heap[u] = this.merge(this.left[top]!, this.right[top]!);
          this.left[top] = -1;
          this.right[top] = -1;
        }
        const from = this.find(sources[top]!);
        if (from === u) continue;
        queue[length] = top;
        path[length] = u;
        length++;
        seen[u] = start;
        u = from;
        if (seen[u] === start) {
          let heapOfCycle = -1;
          const end = length;
          const time = this.history.length;
          let w: number;
          do {
            length--;
            w = path[length]!;
            heapOfCycle = this.merge(heapOfCycle, hasHeap[w] ? heap[w]! : this.heapBeyondCheapest(w));
          } while (this.join(u, w));
          u = this.find(u);
          heap[u] = heapOfCycle;
          hasHeap[u] = 1;
          seen[u] = -1;
          cycles.push({ at: u, time, edges: queue.slice(length, end) });
        }
      }
      for (let i = 0; i < length; i++) chosen[this.find(targets[queue[i]!]!)] = queue[i]!;
    }
    for (let i = cycles.length - 1; i >= 0; i--) {
      const cycle = cycles[i]!;
      const entering = chosen[cycle.at]!;
      this.rollback(cycle.time);
      for (let k = 0; k < cycle.edges.length; k++) {
        const e = cycle.edges[k]!;
        chosen[this.find(targets[e]!)] = e;
      }
      chosen[this.find(targets[entering]!)] = entering;
    }
    chosen[root] = -1;
    return chosen;
  }

  private push(node: number): void {
    const { lazy, left, right } = this;
    const add = lazy[node]!;
    if (add === 0) return;
    this.cost[node]! += add;
    const l = left[node]!;
    const r = right[node]!;
    if (l >= 0) lazy[l]! += add;
    if (r >= 0) lazy[r]! += add;
    lazy[node] = 0;
  }

  /** Iterative skew merge: walk down the right spines, then link back up, so deep heaps cannot overflow the stack. */
  private merge(first: number, second: number): number {
    const { cost, left, right, spine } = this;
    let a = first;
    let b = second;
    let length = 0;
    while (a >= 0 && b >= 0) {
      this.push(a);
      this.push(b);
      if (cost[b]! < cost[a]! || (cost[b] === cost[a] && b < a)) {
        const other = a;
        a = b;
        b = other;
      }
      spine[length++] = a;
      a = right[a]!;
    }
    let rest = a >= 0 ? a : b;
    for (let i = length - 1; i >= 0; i--) {
      const node = spine[i]!;
      right[node] = left[node]!;
      left[node] = rest;
      rest = node;
    }
    return rest;
  }

  /** The heap of a node whose cheapest edge is taken: all others, at what they cost beyond it. */
  private heapBeyondCheapest(node: number): number {
    const { first, incoming } = this;
    const taken = this.cheapest[node]!;
    let all = -1;
    for (let i = first[node]!; i < first[node + 1]!; i++)
      if (incoming[i] !== taken) all = this.merge(all, incoming[i]!);
    if (all >= 0) this.lazy[all]! -= this.cost[taken]!;
    return all;
  }

  private find(x: number): number {
    const { parent } = this;
    let node = x;
    while (parent[node]! >= 0) node = parent[node]!;
    return node;
  }

  private join(x: number, y: number): boolean {
    const { parent } = this;
    let a = this.find(x);
    let b = this.find(y);
    if (a === b) return false;
    if (parent[a]! > parent[b]!) {
      const other = a;
      a = b;
      b = other;
    }
    this.history.push(a, parent[a]!, b, parent[b]!);
    parent[a]! += parent[b]!;
    parent[b] = a;
    return true;
  }

  private rollback(to: number): void {
    const { history, parent } = this;
    while (history.length > to) {
      const value = history.pop()!;
      parent[history.pop()!] = value;
    }
  }
}

function findCheapest(
  nodeCount: number,
  first: Int32Array,
  incoming: Int32Array,
  costs: Float64Array,
  root: number,
): Int32Array {
  const cheapest = new Int32Array(nodeCount).fill(-1);
  for (let node = 0; node < nodeCount; node++) {
    if (node === root) continue;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = first[node]!; i < first[node + 1]!; i++) {
      const price = costs[incoming[i]!]!;
      if (best >= 0 && !(price < least)) continue;
      best = incoming[i]!;
      least = price;
    }
    cheapest[node] = best;
  }
  return cheapest;
}

/** Edges by the node they enter, in their order; without loops. Those that come by target, as in a tree search, only have to be counted. */
function groupByTarget(
  nodeCount: number,
  sources: Int32Array,
  targets: Int32Array,
): { first: Int32Array; incoming: Int32Array } {
  const first = new Int32Array(nodeCount + 1);
  let sorted = true;
  for (let e = 0; e < targets.length; e++) {
    if (sources[e] === targets[e]) sorted = false;
    else first[targets[e]! + 1]!++;
    if (e > 0 && targets[e]! < targets[e - 1]!) sorted = false;
  }
  for (let node = 0; node < nodeCount; node++) first[node + 1]! += first[node]!;
  const incoming = new Int32Array(first[nodeCount]!);
  if (sorted) {
    for (let e = 0; e < incoming.length; e++) incoming[e] = e;
    return { first, incoming };
  }
  const next = first.slice();
  for (let e = 0; e < targets.length; e++) if (sources[e] !== targets[e]) incoming[next[targets[e]!]!++] = e;
  return { first, incoming };
}
