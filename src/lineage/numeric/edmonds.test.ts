import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findArborescence } from './edmonds.ts';

interface WeightedEdge {
  from: number;
  to: number;
  cost: number;
}

/** Cheapest arborescence by trying every choice of one incoming edge a node. */
function bruteForce(n: number, edges: WeightedEdge[], root: number): number | null {
  const incoming = Array.from({ length: n }, (_, v) => edges.filter((e) => e.to === v && e.from !== v));
  let best: number | null = null;
  const parent = new Array<number>(n).fill(-1);
  const reachesRoot = (v: number) => {
    let at = v;
    for (let steps = 0; steps <= n; steps++) {
      if (at === root) return true;
      at = parent[at]!;
    }
    return false;
  };
  const choose = (v: number, cost: number): void => {
    if (v === n) {
      if (parent.every((_, i) => reachesRoot(i)) && (best === null || cost < best)) best = cost;
      return;
    }
    if (v === root) {
      choose(v + 1, cost);
      return;
    }
    for (const e of incoming[v]!) {
      parent[v] = e.from;
      choose(v + 1, cost + e.cost);
    }
  };
  choose(0, 0);
  return best;
}

const graph = fc.integer({ min: 2, max: 6 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    edges: fc.array(
      fc.record({
        from: fc.integer({ min: 0, max: n - 1 }),
        to: fc.integer({ min: 0, max: n - 1 }),
        cost: fc.integer({ min: -20, max: 20 }),
      }),
      { maxLength: 14 },
    ),
  }),
);

describe('findArborescence', () => {
  it('costs what brute force finds, and is a tree', () => {
    fc.assert(
      fc.property(graph, ({ n, edges }) => {
        const chosen = findArborescence(n, edges, 0);
        const best = bruteForce(n, edges, 0);
        expect(chosen === null).toBe(best === null);
        if (chosen === null) return;
        let cost = 0;
        for (let v = 1; v < n; v++) {
          const edge = edges[chosen[v]!]!;
          expect(edge.to).toBe(v);
          cost += edge.cost;
        }
        expect(cost).toBe(best);
      }),
      { numRuns: 600 },
    );
  });

  it('survives a long chain of contractions', () => {
    const n = 3000;
    const edges: WeightedEdge[] = [];
    for (let v = 1; v < n; v++) {
      edges.push({ from: v, to: v - 1, cost: 1 }, { from: v - 1, to: v, cost: 2 });
    }
    const chosen = findArborescence(n, edges, 0)!;
    for (let v = 1; v < n; v++) expect(edges[chosen[v]!]!.from).toBe(v - 1);
  });
});
