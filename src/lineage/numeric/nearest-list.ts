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
    items(): number[] {
      return [...indices.subarray(0, size)];
    },
  };
}
