import type { PairLogits } from './score-pairs.ts';
import { PAIR_MEASURES, pairColumn, type SetTable } from './set-table.ts';

const CERTAIN = 1000;

/** The baseline every detector has to beat: the nearest model that is not younger; the oldest has no parent. */
export function rateNearestEarlier(table: SetTable): PairLogits {
  const { offsets, candidates, createdAt } = table;
  const closeness = pairColumn('closeness');
  const pairs = new Float32Array(candidates.length);
  const none = new Float32Array(createdAt.length);
  createdAt.forEach((time, child) => {
    let anyEarlier = false;
    for (let e = offsets[child]!; e < offsets[child + 1]!; e++) {
      const earlier = createdAt[candidates[e]!]! <= time;
      anyEarlier ||= earlier;
      pairs[e] = table.pairs[e * PAIR_MEASURES.length + closeness]! - (earlier ? 0 : CERTAIN);
    }
    none[child] = anyEarlier ? -CERTAIN : CERTAIN;
  });
  return { pairs, none };
}
