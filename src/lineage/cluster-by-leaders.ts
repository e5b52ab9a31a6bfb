import type { LineageModel } from '../types/lineage.ts';
import { criticalZ, LEAST_RELATED, testCosine, zOfCosine } from './cosine-test.ts';
import { createRowProducts } from './numeric/row-products.ts';
import { oldestFirst } from './oldest-first.ts';

/** Positions at which leaders are looked up by value, and how many must agree before the cosine is computed. */
const LOOKUPS = 256;
const VOTES = 3;
/** Sums in float32 are good to some 1e-6 of themselves: so near to the threshold they are made again in float64. */
const NEAR_THRESHOLD = 1e-3;
/** Squares of products of tiny values are 0 in float32, of huge ones infinite. */
const MIN_SQUARES = 1e-30;
/** Members of one cluster that others are held against. */
const MAX_LEADERS = 8;

/**
 * Leader clustering of models of one layout: each model is held against the leaders found so far (a test against the null with the number
 * of comparisons taken into account), so the cost is models x families for those that a look-up finds no family for. Families as indices
 * into the list given, ascending.
 */
export function clusterByLeaders(models: readonly LineageModel[], layout: readonly number[]): number[][] {
  const threshold = criticalZ(layout.length ** 2);
  const core = (i: number) => models[i]!.fingerprint.core;
  // Leaders are taken in an order that does not depend on how the list was sorted.
  const order = [...layout].sort((a, b) => oldestFirst(models[a]!, models[b]!));
  // numbered as they are found
  const clusters = new Map<number, { leaders: number; members: number[] }>();
  const leaders: { model: number; cluster: number }[] = [];
  const leadersByValue = createValueIndex();
  const products = createRowProducts(Math.max(...order.map((i) => core(i).length)));
  const lead = (model: number, cluster: number) => {
    clusters.get(cluster)!.leaders++;
    leadersByValue.add(leaders.length, core(model));
    leaders.push({ model, cluster });
    products.add(core(model));
  };
  // Fine-tunes keep some per cent of bfloat16 values exactly: a look-up finds nearly every family without trying them all.
  const guessLeader = (mine: Float32Array) => {
    const guess = leadersByValue
      .find(mine)
      .find((l) => testCosine(core(leaders[l]!.model), mine).cosine > 0.9);
    return guess === undefined ? null : leaders[guess]!;
  };
  /** clusters with a leader the model is related to, oldest first */
  const findRelated = (mine: Float32Array): number[] => {
    const hits = new Set<number>();
    products.hold(mine, (row, dot, squares) => {
      const { model, cluster } = leaders[row]!;
      let z = dot / Math.sqrt(squares);
      if (
        !(
          squares > MIN_SQUARES &&
          squares < 1 / MIN_SQUARES &&
          Math.abs(z - threshold) > NEAR_THRESHOLD * threshold
        )
      )
        z = zOfCosine(core(model), mine);
      if (z > threshold && testCosine(core(model), mine).cosine >= LEAST_RELATED) hits.add(cluster);
    });
    return [...hits].sort((a, b) => a - b);
  };
  for (const [number, i] of order.entries()) {
    const guess = guessLeader(core(i));
    const [first, ...others] = guess ? [guess.cluster] : findRelated(core(i));
    if (first === undefined) {
      clusters.set(number, { leaders: 0, members: [i] });
      lead(i, number);
      continue;
    }
    const cluster = clusters.get(first)!;
    cluster.members.push(i);
    // A model related to two clusters joins them: two heavily trained branches whose stem comes later in time.
    for (const other of others) {
      const joined = clusters.get(other)!;
      for (const member of joined.members) cluster.members.push(member);
      cluster.leaders += joined.leaders;
      for (const leader of leaders) if (leader.cluster === other) leader.cluster = first;
      clusters.delete(other);
    }
    if (guess === null && cluster.leaders < MAX_LEADERS) lead(i, first);
  }
  return [...clusters.values()].map((c) => c.members.sort((a, b) => a - b));
}

/** Leaders by the values, rounded to bfloat16, at some positions. */
function createValueIndex() {
  const lists = new Map<number, number[]>();
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  const keys = (core: Float32Array): number[] => {
    const found: number[] = [];
    const step = core.length / LOOKUPS;
    for (let k = 0; k < LOOKUPS; k++) {
      const value = core[Math.floor(k * step)]!;
      if (value === 0) continue;
      float[0] = value;
      found.push(k * 65536 + ((word[0]! + 0x8000) >>> 16));
    }
    return found;
  };
  return {
    add(leader: number, core: Float32Array): void {
      for (const key of keys(core)) {
        const list = lists.get(key);
        if (list) list.push(leader);
        else lists.set(key, [leader]);
      }
    },
    /** with enough votes, most votes first */
    find(core: Float32Array): number[] {
      const votes = new Map<number, number>();
      for (const key of keys(core))
        for (const leader of lists.get(key) ?? []) votes.set(leader, (votes.get(leader) ?? 0) + 1);
      return [...votes]
        .filter(([, n]) => n >= VOTES)
        .sort((a, b) => b[1] - a[1] || a[0] - b[0])
        .map(([leader]) => leader);
    },
  };
}
