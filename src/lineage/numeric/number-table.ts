/** Numbers by whole numbers: a hash table for millions of pairs and triples, where a Map's boxed keys cost more than what they save. */
export interface NumberTable {
  /** NaN when nothing was set */
  get(key: number): number;
  set(key: number, value: number): void;
  readonly size: number;
}

const EMPTY = -1;

/**
 * Keys are whole numbers from 0 to 2^53; open addressing with linear probing, at most half full. A key lies beside its value: what is
 * looked up is rarely in the processor's cache, and then costs one line of it.
 */
export function createNumberTable(capacity = 1024): NumberTable {
  return new OpenTable(capacity);
}

/** A class, not closures: see decision 8 on machine code. */
class OpenTable implements NumberTable {
  size = 0;
  private mask: number;
  /** key, value, key, value ... */
  private entries: Float64Array;

  constructor(capacity: number) {
    this.mask = 2 ** Math.ceil(Math.log2(Math.max(16, capacity))) - 1;
    this.entries = createEntries(this.mask + 1);
  }

  get(key: number): number {
    const at = placeIn(this.entries, this.mask, key);
    return this.entries[at] === key ? this.entries[at + 1]! : Number.NaN;
  }

  set(key: number, value: number): void {
    let at = placeIn(this.entries, this.mask, key);
    if (this.entries[at] !== key) {
      if (2 * (this.size + 1) > this.mask) {
        this.grow();
        at = placeIn(this.entries, this.mask, key);
      }
      this.entries[at] = key;
      this.size++;
    }
    this.entries[at + 1] = value;
  }

  private grow(): void {
    const old = this.entries;
    this.mask = 2 * this.mask + 1;
    this.entries = createEntries(this.mask + 1);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] === EMPTY) continue;
      const at = placeIn(this.entries, this.mask, old[i]!);
      this.entries[at] = old[i]!;
      this.entries[at + 1] = old[i + 1]!;
    }
  }
}

/** Where a key lies, or would. */
function placeIn(entries: Float64Array, mask: number, key: number): number {
  let slot = mix(key) & mask;
  while (entries[2 * slot] !== EMPTY && entries[2 * slot] !== key) slot = (slot + 1) & mask;
  return 2 * slot;
}

function createEntries(slots: number): Float64Array {
  return new Float64Array(2 * slots).fill(EMPTY);
}

/** Both halves of the key, so that keys made as `row * width + column` spread. */
function mix(key: number): number {
  const high = Math.floor(key / 4294967296);
  let h = Math.imul((key >>> 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return (h ^ (h >>> 13)) >>> 0;
}
