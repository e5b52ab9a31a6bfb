import type { LineageModel } from '../types/lineage.ts';
import { criticalZ, LEAST_RELATED, testCosine, zOfCosine } from './cosine-test.ts';
import { enlarged } from './numeric/enlarged.ts';
import { createRowProducts } from './numeric/row-products.ts';
import { oldestFirst } from './oldest-first.ts';

/** Positions at which leaders are looked up by value, and how many must agree before the cosine is computed: at once, and when all are read. */
const LOOKUPS = 256;
const VOTES_AT_ONCE = 8;
const VOTES = 3;
/** From one look-up to the next: odd, so that all come up, and far, so that the first few are from all over the model. */
const NEXT_LOOKUP = 101;
/** Of a value that was not read. */
const NO_KEY = -1;
/** Cosine to a leader from which a model belongs to its family and to no other. */
const SAME_FAMILY = 0.9;
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
  const leadersByValue = new ValueIndex();
  const products = createRowProducts(Math.max(...order.map((i) => core(i).length)));
  const lead = (model: number, cluster: number) => {
    clusters.get(cluster)!.leaders++;
    leadersByValue.add(leaders.length, core(model));
    leaders.push({ model, cluster });
    products.add(core(model));
  };
  // Fine-tunes keep some per cent of bfloat16 values exactly: a look-up finds nearly every family without trying them all.
  const guessLeader = (mine: Float32Array) => {
    const guess = leadersByValue.find(mine, (leader) => products.cosine(leader, mine) > SAME_FAMILY);
    return guess === null ? null : leaders[guess]!;
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
      if (!(z > threshold) || hits.has(cluster)) return;
      if (testCosine(core(model), mine).cosine >= LEAST_RELATED) hits.add(cluster);
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

/**
 * Leaders by the values, rounded to bfloat16, at some positions: an open table from value to a list of leaders. Asked a few hundred
 * times for every model there is, which with Maps was a third of the clustering.
 */
class ValueIndex {
  /** key + 1 and the first link of its list, side by side; 0 where there is nothing */
  private table = new Int32Array(2 * 4096);
  private size = 0;
  /** leader and next link, side by side; the first is none */
  private links = new Int32Array(2 * 1024);
  private linked = 1;
  private votes = new Int32Array(64);
  private readonly float = new Float32Array(1);
  private readonly word = new Uint32Array(this.float.buffer);

  add(leader: number, core: Float32Array): void {
    if (leader >= this.votes.length) this.votes = enlarged(this.votes, Int32Array, 2 * this.votes.length);
    for (let k = 0; k < LOOKUPS; k++) {
      const key = this.keyOf(core, k);
      if (key === NO_KEY) continue;
      if (4 * (this.size + 1) > this.table.length) this.grow();
      if (2 * (this.linked + 1) > this.links.length)
        this.links = enlarged(this.links, Int32Array, 2 * this.links.length);
      const at = placeOf(this.table, key);
      if (this.table[at] === 0) {
        this.table[at] = key + 1;
        this.size++;
      }
      this.links[2 * this.linked] = leader;
      this.links[2 * this.linked + 1] = this.table[at + 1]!;
      this.table[at + 1] = this.linked++;
    }
  }

  /** The first that `isIt`: who has votes enough is asked about at once, the others when all are counted, most votes first. */
  find(core: Float32Array, isIt: (leader: number) => boolean): number | null {
    const { table, links, votes } = this;
    votes.fill(0);
    const found: number[] = [];
    for (let i = 0; i < LOOKUPS; i++) {
      const key = this.keyOf(core, (i * NEXT_LOOKUP) % LOOKUPS);
      if (key === NO_KEY) continue;
      for (let link = table[placeOf(table, key) + 1]!; link !== 0; link = links[2 * link + 1]!) {
        const leader = links[2 * link]!;
        const votesNow = ++votes[leader]!;
        if (votesNow === VOTES) found.push(leader);
        if (votesNow === VOTES_AT_ONCE && isIt(leader)) return leader;
      }
    }
    const others = found.filter((leader) => votes[leader]! < VOTES_AT_ONCE);
    others.sort((a, b) => votes[b]! - votes[a]! || a - b);
    return others.find(isIt) ?? null;
  }

  /** One of LOOKUPS positions and its value. */
  private keyOf(core: Float32Array, k: number): number {
    const value = core[Math.floor((k * core.length) / LOOKUPS)]!;
    if (value === 0) return NO_KEY;
    this.float[0] = value;
    return k * 65536 + ((this.word[0]! + 0x8000) >>> 16);
  }

  private grow(): void {
    const old = this.table;
    this.table = new Int32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] === 0) continue;
      const at = placeOf(this.table, old[i]! - 1);
      this.table[at] = old[i]!;
      this.table[at + 1] = old[i + 1]!;
    }
  }
}

function placeOf(table: Int32Array, key: number): number {
  const mask = table.length / 2 - 1;
  let slot = (Math.imul(key, 0x9e3779b1) >>> 8) & mask;
  while (table[2 * slot] !== 0 && table[2 * slot] !== key + 1) slot = (slot + 1) & mask;
  return 2 * slot;
}
