import type { LineageModel } from '../types/lineage.ts';
import type { BlockOptions } from './blocks.ts';
import { squaredDistance } from './cosine-test.ts';
import { createNearestList } from './numeric/nearest-list.ts';
import { createRandom } from './numeric/random.ts';
import { createRowDistances, type RowDistances } from './numeric/row-distances.ts';

/** Values of the sketch: enough for cosines with sd .06, few enough for a hub of 10,000 to be searched in seconds. */
const SKETCH = 256;
/** Buckets each value of a core is added to. */
const SPREAD = 4;
/** Up to this many members every pair is measured on the whole core. */
const EXACT_BELOW = 200;
/** Above this many members the search goes through cells instead of over all pairs of sketches. */
const CELLS_ABOVE = 3000;

/** The members' nearest others by their cores, nearest first; ties by place in `members`. */
export function findNearest(
  models: readonly LineageModel[],
  members: readonly number[],
  { nearest: wanted, seed }: BlockOptions,
): Map<number, number[]> {
  const cores = members.map((i) => models[i]!.fingerprint.core);
  const exact = createExactDistances(cores);
  const everybody = Int32Array.from(members.keys());
  const { order, candidatesOf } =
    members.length > EXACT_BELOW
      ? createSketchSearch(cores, 3 * wanted, seed)
      : { order: everybody, candidatesOf: () => everybody };
  const list = createNearestList(wanted);
  const nearest = new Map<number, number[]>();
  for (const m of order) {
    list.clear();
    const pool = candidatesOf(m);
    const found = exact(m, pool);
    for (let k = 0; k < pool.length; k++) if (pool[k] !== m) list.offer(found[k]!, pool[k]!);
    nearest.set(
      members[m]!,
      list.items().map((other) => members[other]!),
    );
  }
  return nearest;
}

/** Squared distances over whole cores. */
function createExactDistances(
  cores: readonly Float32Array[],
): (from: number, list: Int32Array) => ArrayLike<number> {
  const rows = createRowDistances(cores.length, cores[0]!.length, { zerosAreUnread: true });
  if (rows === null)
    return (from, list) => Float64Array.from(list, (to) => squaredDistance(cores[from]!, cores[to]!));
  cores.forEach((core, i) => {
    rows.row(i).set(core);
  });
  return (from, list) => rows.from(from, list);
}

/**
 * Sketches of what differs from the block's first member (distances between relatives are tiny beside their common part): a sparse
 * Johnson-Lindenstrauss transform (Kane and Nelson, JACM 2014), each value added with random signs to SPREAD of the buckets, which
 * costs a hundredth of a dense projection. In large blocks only members of the nearest cells around random members are looked at.
 * What is returned gives some candidates of a member, among which the nearest are sure to be as far as a sketch can tell.
 */
function createSketchSearch(
  cores: readonly Float32Array[],
  candidates: number,
  seed: number,
): { order: Int32Array; candidatesOf(member: number): Int32Array } {
  const random = createRandom(seed);
  const sketch = sketchAll(cores, random);
  const { middle, order, poolOf } = createCells(cores.length, sketch, random);
  const nearest = createNearestList(candidates);
  const mark = new Int32Array(cores.length).fill(-1);
  const pool = new Int32Array(cores.length);
  const candidatesOf = (m: number): Int32Array => {
    nearest.clear();
    mark[m] = m;
    let size = 0;
    for (const part of poolOf(m))
      for (let k = 0; k < part.length; k++) {
        const other = part[k]!;
        if (mark[other] === m) continue;
        mark[other] = m;
        pool[size++] = other;
      }
    const found = sketch.from(m, pool, size);
    for (let k = 0; k < size; k++) nearest.offer(found[k]!, pool[k]!);
    const rough = new Set(nearest.items());
    for (const other of middle) if (other !== m) rough.add(other);
    return Int32Array.from(rough);
  };
  return { order, candidatesOf };
}

function sketchAll(cores: readonly Float32Array[], random: () => number): RowDistances {
  const origin = cores[0]!;
  const width = origin.length;
  const bucket = Uint16Array.from({ length: width * SPREAD }, () => Math.floor(random() * SKETCH));
  const sign = Float32Array.from(bucket, () => (random() < 0.5 ? -1 : 1) / Math.sqrt(SPREAD));
  const sketches = createRowDistances(cores.length, SKETCH);
  // a thousand bytes a model: four million models would be needed
  if (sketches === null) throw new RangeError(`${cores.length} models of one family cannot be searched`);
  cores.forEach((core, m) => {
    const sketch = sketches.row(m);
    for (let i = 0; i < width; i++) {
      const x = core[i]!;
      const y = origin[i]!;
      // 0 = not read in one of the two
      if (x === 0 || y === 0 || x === y) continue;
      for (let s = i * SPREAD; s < (i + 1) * SPREAD; s++) sketch[bucket[s]!]! += sign[s]! * (x - y);
    }
  });
  return sketches;
}

/** Whom to compare with whom: everybody in blocks of some thousand, else the members of four cells and what lies in the middle. */
function createCells(
  n: number,
  sketch: RowDistances,
  random: () => number,
): { middle: Int32Array; order: Int32Array; poolOf(member: number): readonly Int32Array[] } {
  const cellCount = Math.ceil(Math.sqrt(n));
  const centres = Array.from({ length: cellCount }, (_, c) => Math.floor(((c + random()) * n) / cellCount));
  const nearCells = new Int32Array(n * 4);
  const centrality = new Float64Array(n);
  const cells: number[][] = centres.map(() => []);
  const list = createNearestList(4);
  for (let m = 0; m < n; m++) {
    list.clear();
    const distance = sketch.from(m, centres);
    for (let c = 0; c < cellCount; c++) {
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
    const everybody = Int32Array.from({ length: n }, (_, m) => m);
    return { middle, order: everybody, poolOf: () => [everybody] };
  }
  const packed = cells.map((cell) => Int32Array.from(cell));
  return {
    middle,
    // Members of one cell after each other: their candidates' cores, 16 KiB each, are still in the processor's cache.
    order: Int32Array.from({ length: n }, (_, m) => m).sort(
      (a, b) => nearCells[a * 4]! - nearCells[b * 4]! || a - b,
    ),
    poolOf: (m) => [middle, ...[...nearCells.subarray(m * 4, m * 4 + 4)].map((c) => packed[c]!)],
  };
}
