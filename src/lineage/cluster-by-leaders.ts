import type { LineageModel } from '../types/lineage.ts';
import { criticalZ, testCosine, zOfCosine } from './cosine-test.ts';

/** Positions at which leaders are looked up by value, and how many must agree before the cosine is computed. */
const LOOKUPS = 256;
const VOTES = 3;

/**
 * Leader clustering of models of one layout: each model is held against the leaders found so far (a test against the null with the number
 * of comparisons taken into account), so the cost is models x families. Families as indices into the list given, ascending.
 */
export function clusterByLeaders(models: readonly LineageModel[], layout: readonly number[]): number[][] {
  const threshold = criticalZ(layout.length ** 2);
  const core = (i: number) => models[i]!.fingerprint.core;
  // Leaders are taken in an order that does not depend on how the list was sorted.
  const order = [...layout].sort(
    (a, b) => models[a]!.createdAt - models[b]!.createdAt || (models[a]!.repo < models[b]!.repo ? -1 : 1),
  );
  const clusters = new Map<number, { leaders: number[]; members: number[] }>();
  const home = new Map<number, number>();
  const leadersByValue = createValueIndex();
  const lead = (leader: number, cluster: number) => {
    clusters.get(cluster)!.leaders.push(leader);
    home.set(leader, cluster);
    leadersByValue.add(leader, core(leader));
  };
  for (const i of order) {
    const mine = core(i);
    // Fine-tunes keep some per cent of bfloat16 values exactly: a look-up finds nearly every family without trying them all.
    const guess = leadersByValue.find(mine).find((leader) => testCosine(core(leader), mine).cosine > 0.9);
    const hits = new Set<number>();
    if (guess !== undefined) hits.add(home.get(guess)!);
    else
      for (const [id, cluster] of clusters)
        if (cluster.leaders.some((leader) => zOfCosine(core(leader), mine) > threshold)) hits.add(id);
    const [first, ...others] = hits;
    if (first === undefined) {
      clusters.set(i, { leaders: [], members: [i] });
      lead(i, i);
      continue;
    }
    const cluster = clusters.get(first)!;
    cluster.members.push(i);
    // A model related to two clusters joins them: two heavily trained branches whose stem comes later in time.
    for (const other of others) {
      const { leaders, members } = clusters.get(other)!;
      cluster.members.push(...members);
      cluster.leaders.push(...leaders);
      for (const leader of leaders) home.set(leader, first);
      clusters.delete(other);
    }
    if (guess === undefined && cluster.leaders.length < 8) lead(i, first);
  }
  return [...clusters.values()].map((c) => c.members.sort((a, b) => a - b));
}

/** Models by the values, rounded to bfloat16, at some positions. */
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
    add(model: number, core: Float32Array): void {
      for (const key of keys(core)) {
        const list = lists.get(key);
        if (list) list.push(model);
        else lists.set(key, [model]);
      }
    },
    /** with enough votes, most votes first */
    find(core: Float32Array): number[] {
      const votes = new Map<number, number>();
      for (const key of keys(core))
        for (const model of lists.get(key) ?? []) votes.set(model, (votes.get(model) ?? 0) + 1);
      return [...votes]
        .filter(([, n]) => n >= VOTES)
        .sort((a, b) => b[1] - a[1] || a[0] - b[0])
        .map(([model]) => model);
    },
  };
}
