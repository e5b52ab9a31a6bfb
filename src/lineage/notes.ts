import { enlarged } from './numeric/enlarged.ts';

/**
 * What is worth noting of a block: numbers that follow from the content of few models each, however many others there are. A night that
 * adds to a family computes those of the new models, and looks the others up.
 */
export interface Notes {
  /**
   * What `work` gives: noted before about the same models (by index, in this order) and the same further numbers, or worked out now.
   * It must follow from these alone, and from what the notes were opened for.
   */
  ask(
    topic: Topic,
    models: readonly number[],
    further: ArrayLike<number>,
    work: () => ArrayLike<number>,
  ): ArrayLike<number>;
  /** `ask` for a single number: asked some ten thousand times a family, so nothing is made to answer */
  askOne(topic: Topic, models: readonly number[], further: ArrayLike<number>, work: () => number): number;
}

/** What was asked: part of the key, so numbers are never used again for something else. */
export const TOPICS = {
  closeness: 1,
  branchStep: 2,
  liesBetween: 3,
  inPlace: 4,
  leftInPlace: 5,
  fitWithinRounding: 6,
  fitEachTensor: 7,
  mixture: 8,
  elements: 9,
  grid: 10,
  withinRounding: 11,
  exactMixture: 12,
} as const;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];

/** No further numbers. */
export const NOTHING: readonly number[] = [];

export const NO_NOTES: Notes = {
  ask: (_topic, _models, _further, work) => work(),
  askOne: (_topic, _models, _further, work) => work(),
};

/** `Notes.askOne` where mostly nothing else matters. */
export function askOne(
  notes: Notes,
  topic: Topic,
  models: readonly number[],
  work: () => number,
  further: ArrayLike<number> = NOTHING,
): number {
  return notes.askOne(topic, models, further, work);
}

/** Notes as they are kept: entry i has the key `keys[2i], keys[2i + 1]` and the values from `ends[i - 1]` to `ends[i]`. */
export interface StoredNotes {
  keys: Uint32Array;
  ends: Uint32Array;
  values: Float64Array;
}

export interface Notebook {
  /**
   * Notes about models of these contents. `frame`: whatever else all numbers follow from, as text.
   */
  open(contents: readonly string[], frame: string): Notes;
  /** only what was asked for since: what belongs to models that are gone goes */
  close(): StoredNotes;
}

const EMPTY = 0xffffffff;
/** Nothing is noted beyond this many values a block: 256 MB. */
const MAX_VALUES = 2 ** 25;

/** 64-bit keys in an open table with linear probing, values one after another in one array. */
export function createNotebook(stored: unknown): Notebook {
  return new OpenNotebook(isStoredNotes(stored) ? stored : null);
}

/** Classes, not closures: see decision 8 on machine code. */
class OpenNotebook implements Notebook {
  private capacity: number;
  private slots: Uint32Array;
  private keys: Uint32Array;
  private ends: Uint32Array;
  private used: Uint8Array;
  private values: Float64Array;
  private size = 0;
  private length = 0;

  constructor(before: StoredNotes | null) {
    const kept = before?.ends.length ?? 0;
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(64, 3 * kept)));
    this.slots = new Uint32Array(this.capacity).fill(EMPTY);
    this.keys = new Uint32Array(this.capacity);
    this.ends = new Uint32Array(this.capacity / 2);
    this.used = new Uint8Array(this.capacity / 2);
    this.values = new Float64Array(Math.max(256, 2 * (before?.values.length ?? 0)));
    for (let i = 0; before !== null && i < kept; i++) {
      const from = i === 0 ? 0 : before.ends[i - 1]!;
      this.add(before.keys[2 * i]!, before.keys[2 * i + 1]!, before.values, from, before.ends[i]!, 0);
    }
  }

  open(contents: readonly string[], frame: string): Notes {
    return new OpenNotes(this, contents, frame);
  }

  /** The entry with this key, -1 if there is none; it is used from now on. */
  find(high: number, low: number): number {
    const entry = this.slots[this.slotOf(high, low)]!;
    if (entry === EMPTY) return -1;
    this.used[entry] = 1;
    return entry;
  }

  /** The first value of an entry. */
  valueOf(entry: number): number {
    return this.values[this.firstOf(entry)]!;
  }

  valuesOf(entry: number): Float64Array {
    return this.values.subarray(this.firstOf(entry), this.ends[entry]!);
  }

  add(high: number, low: number, found: ArrayLike<number>, from: number, end: number, isUsed: number): void {
    const count = end - from;
    if (this.length + count > MAX_VALUES) return;
    if (2 * (this.size + 1) > this.capacity) this.grow();
    while (this.length + count > this.values.length)
      this.values = enlarged(this.values, Float64Array, 2 * this.values.length);
    const slot = this.slotOf(high, low);
    // a key that is there twice was not written by us
    if (this.slots[slot] !== EMPTY) return;
    const entry = this.size++;
    this.slots[slot] = entry;
    this.keys[2 * entry] = high;
    this.keys[2 * entry + 1] = low;
    for (let i = from; i < end; i++) this.values[this.length++] = found[i]!;
    this.ends[entry] = this.length;
    this.used[entry] = isUsed;
  }

  close(): StoredNotes {
    let entries = 0;
    let total = 0;
    for (let i = 0; i < this.size; i++) {
      if (this.used[i] === 0) continue;
      entries++;
      total += this.ends[i]! - this.firstOf(i);
    }
    const keys = new Uint32Array(2 * entries);
    const ends = new Uint32Array(entries);
    const values = new Float64Array(total);
    let at = 0;
    let end = 0;
    for (let i = 0; i < this.size; i++) {
      if (this.used[i] === 0) continue;
      keys[2 * at] = this.keys[2 * i]!;
      keys[2 * at + 1] = this.keys[2 * i + 1]!;
      for (let k = this.firstOf(i); k < this.ends[i]!; k++) values[end++] = this.values[k]!;
      ends[at++] = end;
    }
    return { keys, ends, values };
  }

  private firstOf(entry: number): number {
    return entry === 0 ? 0 : this.ends[entry - 1]!;
  }

  private slotOf(high: number, low: number): number {
    const { slots, keys } = this;
    const mask = this.capacity - 1;
    let slot = (high ^ Math.imul(low, 0x9e3779b1)) & mask;
    for (;;) {
      const entry = slots[slot]!;
      if (entry === EMPTY || (keys[2 * entry] === high && keys[2 * entry + 1] === low)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private grow(): void {
    this.capacity *= 2;
    this.slots = new Uint32Array(this.capacity).fill(EMPTY);
    this.keys = enlarged(this.keys, Uint32Array, this.capacity);
    this.ends = enlarged(this.ends, Uint32Array, this.capacity / 2);
    this.used = enlarged(this.used, Uint8Array, this.capacity / 2);
    for (let i = 0; i < this.size; i++) this.slots[this.slotOf(this.keys[2 * i]!, this.keys[2 * i + 1]!)] = i;
  }
}

/** Notes about some models in a book. */
class OpenNotes implements Notes {
  private readonly book: OpenNotebook;
  /** two words of hash a model */
  private readonly words: Uint32Array;
  private readonly seedHigh: number;
  private readonly seedLow: number;
  private readonly number = new Float64Array(1);
  private readonly bits = new Uint32Array(this.number.buffer);
  private readonly one = new Float64Array(1);
  /** of what was asked last, in words: a number of 32 bits that outlives a call would be made anew for each */
  private readonly key = new Uint32Array(2);

  constructor(book: OpenNotebook, contents: readonly string[], frame: string) {
    this.book = book;
    this.words = new Uint32Array(2 * contents.length);
    for (let i = 0; i < contents.length; i++) this.words.set(hashWords(contents[i]!), 2 * i);
    [this.seedHigh, this.seedLow] = hashWords(frame);
  }

  ask(
    topic: Topic,
    models: readonly number[],
    further: ArrayLike<number>,
    work: () => ArrayLike<number>,
  ): ArrayLike<number> {
    this.hash(topic, models, further);
    // work may ask, too
    const high = this.key[0]!;
    const low = this.key[1]!;
    const entry = this.book.find(high, low);
    if (entry >= 0) return this.book.valuesOf(entry);
    const found = work();
    this.book.add(high, low, found, 0, found.length, 1);
    return found;
  }

  askOne(topic: Topic, models: readonly number[], further: ArrayLike<number>, work: () => number): number {
    this.hash(topic, models, further);
    const high = this.key[0]!;
    const low = this.key[1]!;
    const entry = this.book.find(high, low);
    if (entry >= 0) return this.book.valueOf(entry);
    const found = work();
    this.one[0] = found;
    this.book.add(high, low, this.one, 0, 1, 1);
    return found;
  }

  private hash(topic: Topic, models: readonly number[], further: ArrayLike<number>): void {
    const { words, number, bits } = this;
    let high = mixHigh(this.seedHigh, topic + 256 * models.length);
    let low = mixLow(this.seedLow, topic + 256 * models.length);
    for (let i = 0; i < models.length; i++) {
      const at = 2 * models[i]!;
      high = mixHigh(mixHigh(high, words[at]!), words[at + 1]!);
      low = mixLow(mixLow(low, words[at + 1]!), words[at]!);
    }
    for (let i = 0; i < further.length; i++) {
      number[0] = further[i]!;
      high = mixHigh(mixHigh(high, bits[0]!), bits[1]!);
      low = mixLow(mixLow(low, bits[1]!), bits[0]!);
    }
    this.key[0] = high;
    this.key[1] = low;
  }
}

/** What came back from where notes are kept; anything else is as good as nothing. */
function isStoredNotes(value: unknown): value is StoredNotes {
  if (typeof value !== 'object' || value === null) return false;
  const { keys, ends, values } = value as Partial<StoredNotes>;
  if (!(keys instanceof Uint32Array && ends instanceof Uint32Array && values instanceof Float64Array))
    return false;
  if (keys.length !== 2 * ends.length || (ends.at(-1) ?? 0) !== values.length) return false;
  for (let i = 1; i < ends.length; i++) if (ends[i]! < ends[i - 1]!) return false;
  return true;
}

/** Two lanes of 32 bits with the constants of MurmurHash3 (x86, 128 bits), each finished at every word. */
function mixHigh(hash: number, word: number): number {
  const h = Math.imul(hash ^ Math.imul(word, 0x239b961b), 0x85ebca6b);
  return Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ (h >>> 13);
}

function mixLow(hash: number, word: number): number {
  const h = Math.imul((hash + Math.imul(word ^ 0x561ccd1b, 0x38b34ae5)) | 0, 0x9e3779b1);
  return Math.imul(h ^ (h >>> 13), 0xa1e38b93) ^ (h >>> 16);
}

function hashWords(text: string): [number, number] {
  let high = 0x1b873593;
  let low = 0x52dce729;
  for (let i = 0; i < text.length; i++) {
    high = mixHigh(high, text.charCodeAt(i));
    low = mixLow(low, text.charCodeAt(i));
  }
  return [high >>> 0, low >>> 0];
}
