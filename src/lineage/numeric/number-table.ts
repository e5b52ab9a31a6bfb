/** Numbers by whole numbers: a hash table for millions of pairs and triples, where a Map's boxed keys cost more than what they save. */
export interface NumberTable {
  /** NaN when nothing was set */
  get(key: number): number;
  set(key: number, value: number): void;
  readonly size: number;
}

const EMPTY = -1;

/** Keys are whole numbers from 0 to 2^53; open addressing with linear probing, at most half full. */
export function createNumberTable(capacity = 1024): NumberTable {
  let mask = 2 ** Math.ceil(Math.log2(Math.max(16, capacity))) - 1;
  let keys = new Float64Array(mask + 1).fill(EMPTY);
  let values = new Float64Array(mask + 1);
  let size = 0;
  const slotOf = (key: number): number => {
    let slot = mix(key) & mask;
    while (keys[slot] !== EMPTY && keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  };
  const grow = (): void => {
    const [oldKeys, oldValues] = [keys, values];
    mask = 2 * mask + 1;
    keys = new Float64Array(mask + 1).fill(EMPTY);
    values = new Float64Array(mask + 1);
    for (let i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] === EMPTY) continue;
      const slot = slotOf(oldKeys[i]!);
      keys[slot] = oldKeys[i]!;
      values[slot] = oldValues[i]!;
    }
  };
  return {
    get size() {
      return size;
    },
    get(key) {
      const slot = slotOf(key);
      return keys[slot] === key ? values[slot]! : Number.NaN;
    },
    set(key, value) {
      let slot = slotOf(key);
      if (keys[slot] !== key) {
        if (2 * (size + 1) > mask) {
          grow();
          slot = slotOf(key);
        }
        keys[slot] = key;
        size++;
      }
      values[slot] = value;
    },
  };
}

/** Both halves of the key, so that keys made as `row * width + column` spread. */
function mix(key: number): number {
  const high = Math.floor(key / 4294967296);
  let h = Math.imul((key >>> 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return (h ^ (h >>> 13)) >>> 0;
}
