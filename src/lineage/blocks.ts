import type { LineageModel } from '../types/lineage.ts';
import { criticalZ, squaredDistance, testCosine } from './cosine-test.ts';
import { createRandom } from './numeric/random.ts';

/** Models related beyond chance, with each member's nearest others. Indices point into the list given. */
export interface Block {
  members: number[];
  /** for each member, up to K others, nearest first */
  readonly nearest: ReadonlyMap<number, number[]>;
}

export interface BlockOptions {
  seed: number;
  /** candidates a model */
  nearest: number;
}

/** Values of the sketch: enough for cosines with sd .06, few enough for a hub of 10,000 to be searched in seconds. */
const SKETCH = 256;
/** Buckets each value of a core is added to. */
const SPREAD = 4;
/** Up to this many members every pair is measured on the whole core. */
const EXACT_BELOW = 200;
/** Above this many members the search goes through cells instead of over all pairs of sketches. */
const CELLS_ABOVE = 3000;

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
    for (const members of clusterByLeaders(models, layout)) {
      // searched when asked for: what is known of a block from a former run needs no neighbours
      let nearest: Map<number, number[]> | null = null;
      blocks.push({
        members,
        get nearest() {
          nearest ??= findNearest(models, members, options);
          return nearest;
        },
      });
    }
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
  const cores = members.map((i) => models[i]!.fingerprint.core);
  if (members.length > EXACT_BELOW) return searchBySketch(cores, members, wanted, seed);
  const n = members.length;
  const result = new Map<number, number[]>();
  const d2 = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) d2[i * n + j] = d2[j * n + i] = squaredDistance(cores[i]!, cores[j]!);
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

/**
 * Sketches of what differs from the block's first member (distances between relatives are tiny beside their common part): a sparse
 * Johnson-Lindenstrauss transform (Kane and Nelson, JACM 2014), each value added with random signs to SPREAD of the buckets, which
 * costs a hundredth of a dense projection. Exact distances on the core for the best of them; in large blocks only members of the
 * nearest cells around random members are looked at.
 */
function searchBySketch(
  cores: readonly Float32Array[],
  members: readonly number[],
  wanted: number,
  seed: number,
): Map<number, number[]> {
  const n = cores.length;
  const random = createRandom(seed);
  const sketch = sketchAll(cores, random);
  /** given up once it is beyond the limit: most pairs are, after a quarter of the sketch */
  const far = (a: number, b: number, limit = Number.POSITIVE_INFINITY) => {
    let sum = 0;
    const p = a * SKETCH;
    const q = b * SKETCH;
    for (let start = 0; start < SKETCH && sum < limit; start += 32)
      for (let s = start; s < start + 32; s++) {
        const d = sketch[p + s]! - sketch[q + s]!;
        sum += d * d;
      }
    return sum;
  };
  const { middle, poolOf } = createCells(n, far, random);
  const nearest = createNearestList(3 * wanted);
  const mark = new Int32Array(n).fill(-1);
  const result = new Map<number, number[]>();
  for (let m = 0; m < n; m++) {
    nearest.clear();
    mark[m] = m;
    for (const pool of poolOf(m))
      for (let k = 0; k < pool.length; k++) {
        const other = pool[k]!;
        if (mark[other] === m) continue;
        mark[other] = m;
        nearest.offer(far(m, other, nearest.limit()), other);
      }
    const rough = new Set(nearest.items());
    for (const other of middle) if (other !== m) rough.add(other);
    const exact = [...rough]
      .map((other) => [squaredDistance(cores[m]!, cores[other]!), other] as const)
      .sort((x, y) => x[0] - y[0] || x[1] - y[1]);
    result.set(
      members[m]!,
      exact.slice(0, wanted).map(([, other]) => members[other]!),
    );
  }
  return result;
}

function sketchAll(cores: readonly Float32Array[], random: () => number): Float32Array {
  const origin = cores[0]!;
  const width = origin.length;
  const bucket = Uint16Array.from({ length: width * SPREAD }, () => Math.floor(random() * SKETCH));
  const sign = Float32Array.from(bucket, () => (random() < 0.5 ? -1 : 1) / Math.sqrt(SPREAD));
  const sketch = new Float32Array(cores.length * SKETCH);
  cores.forEach((core, m) => {
    const at = m * SKETCH;
    for (let i = 0; i < width; i++) {
      const x = core[i]!;
      const y = origin[i]!;
      // 0 = not read in one of the two
      if (x === 0 || y === 0 || x === y) continue;
      for (let s = i * SPREAD; s < (i + 1) * SPREAD; s++) sketch[at + bucket[s]!]! += sign[s]! * (x - y);
    }
  });
  return sketch;
}

/** Whom to compare with whom: everybody in blocks of some thousand, else the members of four cells and what lies in the middle. */
function createCells(
  n: number,
  far: (a: number, b: number) => number,
  random: () => number,
): { middle: Int32Array; poolOf(member: number): readonly Int32Array[] } {
  const cellCount = Math.ceil(Math.sqrt(n));
  const centres = Array.from({ length: cellCount }, (_, c) => Math.floor(((c + random()) * n) / cellCount));
  const distance = new Float64Array(cellCount);
  const nearCells = new Int32Array(n * 4);
  const centrality = new Float64Array(n);
  const cells: number[][] = centres.map(() => []);
  const list = createNearestList(4);
  for (let m = 0; m < n; m++) {
    list.clear();
    for (let c = 0; c < cellCount; c++) {
      distance[c] = far(m, centres[c]!);
      centrality[m]! += Math.sqrt(distance[c]!);
      list.offer(distance[c]!, c);
    }
    list.items().forEach((c, k) => {
      nearCells[m * 4 + k] = c;
      if (k < 2) cells[c]!.push(m);
    });
  }
  // What lies in the middle is everybody's candidate: hubs, whose children are otherwise far from each other.
  const middle = Int32Array.from({ length: n }, (_, m) => m)
    .sort((a, b) => centrality[a]! - centrality[b]! || a - b)
    .slice(0, 12);
  if (n <= CELLS_ABOVE) {
    const everybody = [Int32Array.from({ length: n }, (_, m) => m)];
    return { middle, poolOf: () => everybody };
  }
  const packed = cells.map((cell) => Int32Array.from(cell));
  return {
    middle,
    poolOf: (m) => [middle, ...[...nearCells.subarray(m * 4, m * 4 + 4)].map((c) => packed[c]!)],
  };
}

/** The `capacity` smallest of what is offered, smallest first; ties by index. Insertion is cheap because most offers are refused. */
export function createNearestList(capacity: number) {
  const values = new Float64Array(capacity);
  const indices = new Int32Array(capacity);
  let size = 0;
  return {
    clear(): void {
      size = 0;
    },
    offer(value: number, index: number): void {
      if (size === capacity && !(value < values[size - 1]!)) return;
      let at = size < capacity ? size++ : size - 1;
      while (at > 0 && (values[at - 1]! > value || (values[at - 1] === value && indices[at - 1]! > index))) {
        values[at] = values[at - 1]!;
        indices[at] = indices[at - 1]!;
        at--;
      }
      values[at] = value;
      indices[at] = index;
    },
    /** what is not below it would be refused */
    limit(): number {
      return size === capacity ? values[size - 1]! : Number.POSITIVE_INFINITY;
    },
    items(): number[] {
      return [...indices.subarray(0, size)];
    },
  };
}
