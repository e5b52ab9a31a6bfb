import type { LineageModel } from '../types/lineage.ts';
import type { BlockOptions } from './blocks.ts';
import { squaredDistance } from './cosine-test.ts';
import { createNearestList } from './numeric/nearest-list.ts';
import { createNearestLists, type NearestLists, toItems } from './numeric/nearest-lists.ts';
import { createRandom } from './numeric/random.ts';
import { createRowDistances, type RowDistances } from './numeric/row-distances.ts';
import { oldestFirst } from './oldest-first.ts';

/** Up to this many members every pair is measured on the whole core; above, sketches say whom to measure. */
const EXACT_BELOW = 3000;
/** Values of the sketch: enough for cosines with sd .06, few enough for a hub of 10,000 to be searched in seconds. */
const SKETCH = 256;
/** Buckets each value of a core is added to. */
const SPREAD = 4;
/** Times as many are measured as are wanted. */
const CANDIDATES = 3;
/** What lies in the middle is everybody's candidate: hubs, whose children are otherwise far from each other. */
const MIDDLE = 12;
/** Oldest members from which the middle is looked for. */
const VIEWPOINTS = 100;
/** Rows held against all others at once: their cores, 16 KiB each, stay in the processor's cache. */
const TILE = 32;

const STANDS = 0;
const BROKEN = 1;
const NEW = 2;

/** Each member's nearest others as of some night: whoever was not there then is held against everybody. Models by their contents. */
export interface StoredNeighbours {
  /** what distances were measured between */
  frame: string;
  contents: string[];
  /** places in `contents` with their distances, nearest first; as many for each as there are, at most `capacity` */
  capacity: number;
  lists: Int32Array;
  distances: Float32Array;
  /** where sketches say whom to measure: who lay in the middle, and the nearest found of each, as many as are wanted; places in `contents` */
  measured?: { middle: Int32Array; nearest: Int32Array };
}

/** What is known of members from former nights. */
export interface NotedMembers {
  /** a hash of each member's content */
  contents: readonly string[];
  /** what was stored, as far as it is still there */
  before: unknown;
}

export interface Neighbours {
  /** the members' nearest others by their cores, nearest first; ties by place in `members` */
  nearest: Map<number, number[]>;
  stored: StoredNeighbours;
}

/**
 * Every pair is held against each other, but for pairs that were before: the lists are those of a search from nothing, night after night.
 * @param noted with the `stored` of another night
 */
export function findNearest(
  models: readonly LineageModel[],
  members: readonly number[],
  { nearest: wanted, seed }: BlockOptions,
  noted: NotedMembers | null = null,
): Neighbours {
  const cores = members.map((i) => models[i]!.fingerprint.core);
  const exact = createExactDistances(cores);
  const sketched = members.length > EXACT_BELOW;
  // the oldest stays where it is when others come
  const byAge = [...members.keys()].sort((a, b) => oldestFirst(models[members[a]!]!, models[members[b]!]!));
  const sketch = sketched ? sketchAll(cores, byAge[0]!, seed) : null;
  const capacity = sketched ? CANDIDATES * wanted : wanted;
  const frame = JSON.stringify([capacity, seed, sketched ? (noted?.contents[byAge[0]!] ?? null) : null]);
  const { lists, state, former } = startLists(members.length, capacity, frame, noted);
  compareWithAll(lists, state, sketch ? (m, list) => sketch.from(m, list) : exact);
  let measured: StoredNeighbours['measured'];
  if (sketch) {
    const middle = findMiddle(sketch, byAge);
    measured = { middle, nearest: recallMeasured(former, lists, middle, wanted) };
    measureCandidates(lists, measured, exact, wanted);
  }
  const found = measured ? toItems(measured.nearest, wanted) : lists.items();
  const nearest = new Map<number, number[]>();
  for (let i = 0; i < found.length; i++) {
    const mine: number[] = [];
    for (const other of found[i]!) mine.push(members[other]!);
    nearest.set(members[i]!, mine);
  }
  const contents = [...(noted?.contents ?? [])];
  return { nearest, stored: { frame, contents, capacity, ...lists.packed(), ...(measured && { measured }) } };
}

/** What was stored, and where its models are now: -1 for those that are gone. */
interface Former {
  stored: StoredNeighbours;
  now: readonly number[];
}

type Distances = (from: number, list: Int32Array) => ArrayLike<number>;

/** Squared distances over whole cores. */
function createExactDistances(cores: readonly Float32Array[]): Distances {
  const rows = createRowDistances(cores.length, cores[0]!.length, { zerosAreUnread: true });
  if (rows === null)
    return (from, list) => Float64Array.from(list, (to) => squaredDistance(cores[from]!, cores[to]!));
  for (let i = 0; i < cores.length; i++) rows.row(i).set(cores[i]!);
  return (from, list) => rows.from(from, list);
}

/**
 * Lists as they were stored, for members that lost none of theirs (`STANDS`). Those that did lose one have to be held against everybody
 * again (`BROKEN`), as those that are new (`NEW`).
 * What was stored is of no use where members stand in another order, by which ties are decided, or were measured otherwise.
 */
function startLists(
  size: number,
  capacity: number,
  frame: string,
  noted: NotedMembers | null,
): { lists: NearestLists; state: Uint8Array; former: Former | null } {
  const lists = createNearestLists(size, capacity);
  const state = new Uint8Array(size).fill(NEW);
  const none = { lists, state, former: null };
  const before = noted && isStoredNeighbours(noted.before) ? noted.before : null;
  if (before === null || before.frame !== frame || before.capacity !== capacity) return none;
  const place = new Map(noted!.contents.map((content, i) => [content, i]));
  const now = before.contents.map((content) => place.get(content) ?? -1);
  const still = now.filter((i) => i >= 0);
  if (place.size < size || still.some((i, k) => k > 0 && i <= still[k - 1]!)) return none;
  const listed = Math.min(capacity, now.length - 1);
  for (let old = 0; old < now.length; old++) {
    const m = now[old]!;
    if (m < 0) continue;
    const first = old * capacity;
    state[m] = STANDS;
    for (let k = first; k < first + listed; k++) if (!(now[before.lists[k]!]! >= 0)) state[m] = BROKEN;
    if (state[m] === BROKEN) continue;
    for (let k = first; k < first + listed; k++) lists.offer(m, before.distances[k]!, now[before.lists[k]!]!);
  }
  return { lists, state, former: { stored: before, now } };
}

function isStoredNeighbours(value: unknown): value is StoredNeighbours {
  if (typeof value !== 'object' || value === null) return false;
  const { frame, contents, capacity, lists, distances } = value as Partial<StoredNeighbours>;
  return (
    typeof frame === 'string' &&
    Array.isArray(contents) &&
    typeof capacity === 'number' &&
    lists instanceof Int32Array &&
    distances instanceof Float32Array &&
    lists.length === capacity * contents.length &&
    distances.length === lists.length
  );
}

/** All pairs but those that a list which stands has seen. */
function compareWithAll(lists: NearestLists, state: Uint8Array, distances: Distances): void {
  const rows = [...state.keys()].filter((m) => state[m] !== STANDS);
  const some = new Int32Array(TILE);
  for (let at = 0; at < rows.length; at += TILE) {
    const tile = rows.slice(at, at + TILE);
    for (let m = 0; m < state.length; m++) {
      let count = 0;
      // of two that do not stand the pair is measured once
      for (const row of tile) if (row !== m && !(state[m] !== STANDS && m > row)) some[count++] = row;
      if (count === 0) continue;
      const found = distances(m, some.subarray(0, count));
      for (let k = 0; k < count; k++) {
        const row = some[k]!;
        lists.offer(row, found[k]!, m);
        if (state[m] !== STANDS || state[row] === NEW) lists.offer(m, found[k]!, row);
      }
    }
  }
}

/**
 * The nearest of each member whose candidates are those of a former night: `wanted` places each, -1 where they have to be measured. A night
 * brings few that are near enough to change anybody's list.
 */
function recallMeasured(
  former: Former | null,
  lists: NearestLists,
  middle: Int32Array,
  wanted: number,
): Int32Array {
  const { lists: candidates } = lists.packed();
  const capacity = CANDIDATES * wanted;
  const nearest = new Int32Array(candidates.length / CANDIDATES).fill(-1);
  if (former === null) return nearest;
  const { now, stored } = former;
  const { measured } = stored;
  if (!(measured?.middle instanceof Int32Array && measured.nearest instanceof Int32Array)) return nearest;
  const before = measured.middle.length;
  if (before !== middle.length || !isMoved(measured.middle, 0, middle, 0, before, now)) return nearest;
  for (let old = 0; old < now.length; old++) {
    const m = now[old]!;
    if (m < 0 || !isMoved(stored.lists, old * capacity, candidates, m * capacity, capacity, now)) continue;
    const mine = nearest.subarray(m * wanted, (m + 1) * wanted);
    for (let k = 0; k < wanted; k++) mine[k] = now[measured.nearest[old * wanted + k]!] ?? -1;
    // one that is not there is no list of ours
    if (mine.includes(-1)) mine.fill(-1);
  }
  return nearest;
}

/** Are the places in one list those of the other, where their models are now? */
function isMoved(
  from: Int32Array,
  fromAt: number,
  to: Int32Array,
  toAt: number,
  count: number,
  now: readonly number[],
): boolean {
  for (let k = 0; k < count; k++) if (now[from[fromAt + k]!] !== to[toAt + k]) return false;
  return true;
}

/** The nearest by whole cores among candidates by sketch and what lies in the middle, for those that have none. */
function measureCandidates(
  lists: NearestLists,
  { middle, nearest }: NonNullable<StoredNeighbours['measured']>,
  exact: Distances,
  wanted: number,
): void {
  const { lists: candidates } = lists.packed();
  const capacity = CANDIDATES * wanted;
  const list = createNearestList(wanted);
  for (let m = 0; m * wanted < nearest.length; m++) {
    if (nearest[m * wanted]! >= 0) continue;
    const some = new Set(middle);
    for (let k = m * capacity; k < (m + 1) * capacity; k++) some.add(candidates[k]!);
    // neither oneself nor an empty place
    some.delete(m);
    some.delete(-1);
    const pool = Int32Array.from(some).sort();
    const found = exact(m, pool);
    list.clear();
    for (let k = 0; k < pool.length; k++) list.offer(found[k]!, pool[k]!);
    nearest.set(list.items(), m * wanted);
  }
}

/**
 * Sketches of what differs from one member (distances between relatives are tiny beside their common part): a sparse
 * Johnson-Lindenstrauss transform (Kane and Nelson, JACM 2014), each value added with random signs to SPREAD of the buckets, which
 * costs a hundredth of a dense projection.
 */
function sketchAll(cores: readonly Float32Array[], origin: number, seed: number): RowDistances {
  const random = createRandom(seed);
  const middle = cores[origin]!;
  const width = middle.length;
  const bucket = Uint16Array.from({ length: width * SPREAD }, () => Math.floor(random() * SKETCH));
  const sign = Float32Array.from(bucket, () => (random() < 0.5 ? -1 : 1) / Math.sqrt(SPREAD));
  const sketches = createRowDistances(cores.length, SKETCH);
  // a thousand bytes a model: four million models would be needed
  if (sketches === null) throw new RangeError(`${cores.length} models of one family cannot be searched`);
  cores.forEach((core, m) => {
    const sketch = sketches.row(m);
    for (let i = 0; i < width; i++) {
      const x = core[i]!;
      const y = middle[i]!;
      // 0 = not read in one of the two
      if (x === 0 || y === 0 || x === y) continue;
      for (let s = i * SPREAD; s < (i + 1) * SPREAD; s++) sketch[bucket[s]!]! += sign[s]! * (x - y);
    }
  });
  return sketches;
}

/** Members with the least sum of distances to the oldest ones. */
function findMiddle(sketch: RowDistances, byAge: readonly number[]): Int32Array {
  const viewpoints = byAge.slice(0, VIEWPOINTS);
  const centrality = byAge.map((_, m) => {
    const distances = sketch.from(m, viewpoints);
    let sum = 0;
    for (let k = 0; k < viewpoints.length; k++) sum += Math.sqrt(distances[k]!);
    return sum;
  });
  const order = [...centrality.keys()].sort((a, b) => centrality[a]! - centrality[b]! || a - b);
  return Int32Array.from(order.slice(0, MIDDLE));
}
