import type { LineageModel } from '../types/lineage.ts';
import { criticalZ, squaredDistance, testCosine } from './cosine-test.ts';
import { createNormal, createRandom } from './numeric/random.ts';

/** Models related beyond chance, with each member's nearest others. Indices point into the list given. */
export interface Block {
  members: number[];
  /** for each member, up to K others, nearest first */
  nearest: Map<number, number[]>;
}

export interface BlockOptions {
  seed: number;
  /** candidates a model */
  nearest: number;
}

/** Values of the sketch: enough for cosines with sd .09, few enough for a hub of 10,000 to be searched in seconds. */
const SKETCH = 128;
/** Above this many members the search goes through cells instead of over all pairs. */
const EXACT_BELOW = 1500;

/**
 * Splits models of one core layout into blocks and finds nearest neighbours. Leader clustering: each model is held against the
 * leaders found so far (a test against the null with the number of comparisons taken into account), so the cost is models x families.
 */
export function findBlocks(models: readonly LineageModel[], options: BlockOptions): Block[] {
  const byLayout = new Map<string, number[]>();
  models.forEach((m, i) => {
    if (m.fingerprint.core.length === 0) return;
    const group = byLayout.get(m.fingerprint.coreKey);
    if (group) group.push(i);
    else byLayout.set(m.fingerprint.coreKey, [i]);
  });
  const grouped = new Set([...byLayout.values()].flat());
  const blocks: Block[] = models
    .map((_, i) => i)
    .filter((i) => !grouped.has(i))
    .map((i) => ({ members: [i], nearest: new Map([[i, []]]) }));
  for (const layout of byLayout.values())
    for (const members of clusterByLeaders(models, layout))
      blocks.push({ members, nearest: findNearest(models, members, options) });
  return blocks;
}

/** Positions at which leaders are looked up by value, and how many must agree before the cosine is computed. */
const LOOKUPS = 256;
const VOTES = 3;

function clusterByLeaders(models: readonly LineageModel[], layout: readonly number[]): number[][] {
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
        if (cluster.leaders.some((leader) => testCosine(core(leader), mine).z > threshold)) hits.add(id);
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

function findNearest(
  models: readonly LineageModel[],
  members: readonly number[],
  { nearest: wanted, seed }: BlockOptions,
): Map<number, number[]> {
  const core = (i: number) => models[i]!.fingerprint.core;
  const result = new Map<number, number[]>();
  if (members.length <= EXACT_BELOW) {
    const n = members.length;
    const d2 = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++)
        d2[i * n + j] = d2[j * n + i] = squaredDistance(core(members[i]!), core(members[j]!));
    for (let i = 0; i < n; i++) {
      const others = members.map((_, j) => j).filter((j) => j !== i);
      others.sort((a, b) => d2[i * n + a]! - d2[i * n + b]! || a - b);
      result.set(
        members[i]!,
        others.slice(0, wanted).map((j) => members[j]!),
      );
    }
    return result;
  }
  return searchBySketch(models, members, wanted, seed);
}

/**
 * Johnson-Lindenstrauss sketches of what differs from the block's first member (distances between relatives are tiny beside their
 * common part), cells around random members, exact distances on the core for what the cells give.
 */
function searchBySketch(
  models: readonly LineageModel[],
  members: readonly number[],
  wanted: number,
  seed: number,
): Map<number, number[]> {
  const core = (i: number) => models[i]!.fingerprint.core;
  const n = members.length;
  const origin = core(members[0]!);
  const width = origin.length;
  const random = createRandom(seed);
  const normal = createNormal(random);
  const projection = Float32Array.from({ length: SKETCH * width }, () => normal() / Math.sqrt(SKETCH));
  const sketch = new Float32Array(n * SKETCH);
  const delta = new Float32Array(width);
  for (let m = 0; m < n; m++) {
    const mine = core(members[m]!);
    for (let i = 0; i < width; i++) delta[i] = mine[i] === 0 || origin[i] === 0 ? 0 : mine[i]! - origin[i]!;
    for (let s = 0; s < SKETCH; s++) {
      let sum = 0;
      const at = s * width;
      for (let i = 0; i < width; i++) sum += projection[at + i]! * delta[i]!;
      sketch[m * SKETCH + s] = sum;
    }
  }
  const far = (a: number, b: number) => {
    let sum = 0;
    const p = a * SKETCH;
    const q = b * SKETCH;
    for (let s = 0; s < SKETCH; s++) {
      const d = sketch[p + s]! - sketch[q + s]!;
      sum += d * d;
    }
    return sum;
  };
  const cellCount = Math.ceil(Math.sqrt(n));
  const centres = Array.from({ length: cellCount }, (_, c) => Math.floor(((c + random()) * n) / cellCount));
  const cells: number[][] = centres.map(() => []);
  const nearCells: number[][] = [];
  for (let m = 0; m < n; m++) {
    const order = centres.map((centre, c) => [far(m, centre), c] as const).sort((x, y) => x[0] - y[0]);
    nearCells.push(order.slice(0, 4).map(([, c]) => c));
    for (const [, c] of order.slice(0, 2)) cells[c]!.push(m);
  }
  // What lies in the middle is everybody's candidate: hubs, whose children are otherwise far from each other.
  const middle = members
    .map((_, m) => [centres.reduce((sum, centre) => sum + Math.sqrt(far(m, centre)), 0), m] as const)
    .sort((x, y) => x[0] - y[0])
    .slice(0, 12)
    .map(([, m]) => m);
  const result = new Map<number, number[]>();
  for (let m = 0; m < n; m++) {
    const pool = new Set(middle);
    for (const c of nearCells[m]!) for (const other of cells[c]!) pool.add(other);
    pool.delete(m);
    const rough = [...pool]
      .map((other) => [far(m, other), other] as const)
      .sort((x, y) => x[0] - y[0])
      .slice(0, 3 * wanted);
    for (const other of middle) if (other !== m) rough.push([far(m, other), other]);
    const exact = [...new Set(rough.map(([, other]) => other))]
      .map((other) => [squaredDistance(core(members[m]!), core(members[other]!)), other] as const)
      .sort((x, y) => x[0] - y[0] || x[1] - y[1]);
    result.set(
      members[m]!,
      exact.slice(0, wanted).map(([, other]) => members[other]!),
    );
  }
  return result;
}
