/** The `capacity` smallest of what is offered to each of many lists, smallest first; ties by index, whatever the order of offers. */
export interface NearestLists {
  offer(list: number, value: number, index: number): void;
  items(): number[][];
  /** all lists one after another, `capacity` places each; -1 and infinity where there is nothing */
  packed(): { lists: Int32Array; distances: Float32Array };
}

/** Values are kept in float32. What a list holds already must not be offered to it again. */
export function createNearestLists(size: number, capacity: number): NearestLists {
  return new SortedLists(size, capacity);
}

/** A class, not closures: see decision 8 on machine code. */
class SortedLists implements NearestLists {
  private readonly capacity: number;
  private readonly lists: Int32Array;
  private readonly distances: Float32Array;

  constructor(size: number, capacity: number) {
    this.capacity = capacity;
    this.lists = new Int32Array(size * capacity).fill(-1);
    this.distances = new Float32Array(size * capacity).fill(Number.POSITIVE_INFINITY);
  }

  offer(list: number, value: number, index: number): void {
    const { lists, distances } = this;
    const first = list * this.capacity;
    let at = first + this.capacity - 1;
    const last = distances[at]!;
    if (!(value < last || (value === last && (lists[at] === -1 || index < lists[at]!)))) return;
    for (; at > first; at--) {
      const before = distances[at - 1]!;
      if (before < value || (before === value && lists[at - 1] !== -1 && lists[at - 1]! < index)) break;
      distances[at] = before;
      lists[at] = lists[at - 1]!;
    }
    distances[at] = value;
    lists[at] = index;
  }

  items(): number[][] {
    return toItems(this.lists, this.capacity);
  }

  packed(): { lists: Int32Array; distances: Float32Array } {
    return { lists: this.lists, distances: this.distances };
  }
}

/** Lists that lie one after another, `capacity` places each, without the empty places. */
export function toItems(lists: Int32Array, capacity: number): number[][] {
  const all: number[][] = [];
  for (let from = 0; from < lists.length; from += capacity) {
    const items: number[] = [];
    for (let i = from; i < from + capacity; i++) if (lists[i]! >= 0) items.push(lists[i]!);
    all.push(items);
  }
  return all;
}
