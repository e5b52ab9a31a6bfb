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
} as const;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];

/** No further numbers. */
export const NOTHING: readonly number[] = [];

export const NO_NOTES: Notes = { ask: (_topic, _models, _further, work) => work() };

/** `ask` for a single number. */
export function askOne(
  notes: Notes,
  topic: Topic,
  models: readonly number[],
  work: () => number,
  further: ArrayLike<number> = NOTHING,
): number {
  return notes.ask(topic, models, further, () => [work()])[0]!;
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
  const before = isStoredNotes(stored) ? stored : null;
  const kept = before?.ends.length ?? 0;
  let capacity = 2 ** Math.ceil(Math.log2(Math.max(64, 3 * kept)));
  let slots = new Uint32Array(capacity).fill(EMPTY);
  let keys = new Uint32Array(capacity);
  let ends = new Uint32Array(capacity / 2);
  let used = new Uint8Array(capacity / 2);
  let values = new Float64Array(Math.max(256, 2 * (before?.values.length ?? 0)));
  let size = 0;
  let length = 0;

  const slotOf = (high: number, low: number): number => {
    let slot = (high ^ Math.imul(low, 0x9e3779b1)) & (capacity - 1);
    for (;;) {
      const entry = slots[slot]!;
      if (entry === EMPTY || (keys[2 * entry] === high && keys[2 * entry + 1] === low)) return slot;
      slot = (slot + 1) & (capacity - 1);
    }
  };
  const grow = (): void => {
    capacity *= 2;
    slots = new Uint32Array(capacity).fill(EMPTY);
    keys = enlarged(keys, Uint32Array, capacity);
    ends = enlarged(ends, Uint32Array, capacity / 2);
    used = enlarged(used, Uint8Array, capacity / 2);
    for (let i = 0; i < size; i++) slots[slotOf(keys[2 * i]!, keys[2 * i + 1]!)] = i;
  };
  const add = (high: number, low: number, found: ArrayLike<number>, isUsed: number): void => {
    if (length + found.length > MAX_VALUES) return;
    if (2 * (size + 1) > capacity) grow();
    while (length + found.length > values.length) values = enlarged(values, Float64Array, 2 * values.length);
    const slot = slotOf(high, low);
    // a key that is there twice was not written by us
    if (slots[slot] !== EMPTY) return;
    slots[slot] = size;
    keys[2 * size] = high;
    keys[2 * size + 1] = low;
    values.set(found, length);
    length += found.length;
    ends[size] = length;
    used[size] = isUsed;
    size++;
  };
  const firstOf = (entry: number) => (entry === 0 ? 0 : ends[entry - 1]!);
  for (let i = 0; before !== null && i < kept; i++)
    add(
      before.keys[2 * i]!,
      before.keys[2 * i + 1]!,
      before.values.subarray(i === 0 ? 0 : before.ends[i - 1]!, before.ends[i]!),
      0,
    );

  return {
    open(contents, frame) {
      const words = new Uint32Array(2 * contents.length);
      contents.forEach((content, i) => {
        [words[2 * i], words[2 * i + 1]] = hashWords(content);
      });
      const [seedHigh, seedLow] = hashWords(frame);
      const number = new Float64Array(1);
      const bits = new Uint32Array(number.buffer);
      return {
        ask(topic, models, further, work) {
          let high = mixHigh(seedHigh, topic + 256 * models.length);
          let low = mixLow(seedLow, topic + 256 * models.length);
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
          high >>>= 0;
          low >>>= 0;
          const entry = slots[slotOf(high, low)]!;
          if (entry !== EMPTY) {
            used[entry] = 1;
            return values.subarray(firstOf(entry), ends[entry]!);
          }
          const found = work();
          add(high, low, found, 1);
          return found;
        },
      };
    },
    close() {
      let entries = 0;
      let total = 0;
      for (let i = 0; i < size; i++) {
        if (used[i] === 0) continue;
        entries++;
        total += ends[i]! - firstOf(i);
      }
      const out: StoredNotes = {
        keys: new Uint32Array(2 * entries),
        ends: new Uint32Array(entries),
        values: new Float64Array(total),
      };
      let at = 0;
      let end = 0;
      for (let i = 0; i < size; i++) {
        if (used[i] === 0) continue;
        out.keys.set(keys.subarray(2 * i, 2 * i + 2), 2 * at);
        out.values.set(values.subarray(firstOf(i), ends[i]!), end);
        end += ends[i]! - firstOf(i);
        out.ends[at++] = end;
      }
      return out;
    },
  };
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

function enlarged<T extends Uint8Array | Uint32Array | Float64Array>(
  old: T,
  Type: { new (length: number): T },
  length: number,
): T {
  const next = new Type(length);
  next.set(old);
  return next;
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
