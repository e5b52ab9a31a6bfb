/** The `capacity` smallest of what is offered to each of many lists, smallest first; ties by index, whatever the order of offers. */
export interface NearestLists {
  offer(list: number, value: number, index: number): void;
  items(): number[][];
  /** all lists one after another, `capacity` places each; -1 and infinity where there is nothing */
  packed(): { lists: Int32Array; distances: Float32Array };
}

/** Values are kept in float32. What a list holds already must not be offered to it again. */
export function createNearestLists(size: number, capacity: number): NearestLists {
  const lists = new Int32Array(size * capacity).fill(-1);
  const distances = new Float32Array(size * capacity).fill(Number.POSITIVE_INFINITY);
  return {
    offer(list, value, index) {
      const first = list * capacity;
      let at = first + capacity - 1;
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
    },
    items: () =>
      Array.from({ length: size }, (_, i) =>
        [...lists.subarray(i * capacity, (i + 1) * capacity)].filter((index) => index >= 0),
      ),
    packed: () => ({ lists, distances }),
  };
}
