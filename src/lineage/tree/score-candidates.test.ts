import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CALIBRATION } from '../calibration.ts';
import { createRandom } from '../numeric/random.ts';
import type { TreeNode } from './grow-tree.ts';
import { createScorer } from './score-candidates.ts';

const N = 14;

/** A tree over all nodes in which some nodes of another one hang elsewhere. */
function change(tree: Int32Array, random: () => number): Int32Array {
  const next = tree.slice();
  const isBelow = (v: number, top: number) => {
    for (let at = v; at >= 0; at = next[at]!) if (at === top) return true;
    return false;
  };
  for (let moves = Math.floor(3 * random()); moves >= 0; moves--) {
    const child = Math.floor(N * random());
    const to = Math.floor(N * random());
    if (next[child]! >= 0 && !isBelow(to, child)) next[child] = to;
  }
  return next;
}

describe('scores of candidates', () => {
  it('are those of a scorer that has seen no tree before', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const nodes = Array.from({ length: N }, (_, i): TreeNode => {
          const node: TreeNode = { repo: `m${i}`, existedBy: Math.floor(5 * random()) * 1e8, vocab: null };
          if (i > 2 && random() < 0.1) node.pinned = i - 1;
          if (i > 3 && random() < 0.1) node.mergeOf = [i - 2, i - 3];
          return node;
        });
        const scoring = {
          nodes,
          nearest: nodes.map((_, i) => nodes.map((_, j) => j).filter((j) => j !== i && random() < 0.25)),
          calibration: DEFAULT_CALIBRATION,
          steps: { of: (p: number, q: number, c: number) => Math.sin(p + 17 * q + 291 * c) },
          agreement: null,
        };
        const kept = createScorer(scoring);
        let tree: Int32Array = Int32Array.from({ length: N }, (_, i) =>
          i === 0 ? -1 : Math.floor(i * random()),
        );
        for (let round = 0; round < 6; round++) {
          const fresh = createScorer(scoring);
          const [expected, found] = [fresh.score(tree), kept.score(tree)];
          expect([...found.start]).toEqual([...expected.start]);
          const size = expected.start[N]!;
          for (const column of ['parent', 'score', 'turned', 'geometry'] as const)
            expect([...found[column].subarray(0, size)]).toEqual([...expected[column].subarray(0, size)]);
          expect(kept.list(tree, found)).toEqual(fresh.list(tree, expected));
          tree = change(tree, random);
        }
      }),
      { numRuns: 300 },
    );
  });
});
