/** The `capacity` smallest of what is offered, smallest first; ties by index. */
export interface NearestList {
  clear(): void;
  offer(value: number, index: number): void;
  items(): number[];
}

/** Insertion is cheap because most offers are refused. */
export function createNearestList(capacity: number): NearestList {
  return new SortedList(capacity);
}

/** A class, not closures: see decision 8 on machine code. */
class SortedList implements NearestList {
  private readonly values: Float64Array;
  private readonly indices: Int32Array;
  private size = 0;

  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
    this.indices = new Int32Array(capacity);
  }

  clear(): void {
    this.size = 0;
  }

  offer(value: number, index: number): void {
    const { values, indices } = this;
    const capacity = values.length;
    if (this.size === capacity && !(value < values[this.size - 1]!)) return;
    let at = this.size < capacity ? this.size++ : this.size - 1;
    while (at > 0 && (values[at - 1]! > value || (values[at - 1] === value && indices[at - 1]! > index))) {
      values[at] = values[at - 1]!;
      indices[at] = indices[at - 1]!;
      at--;
    }
    values[at] = value;
    indices[at] = index;
  }

  items(): number[] {
    return [...this.indices.subarray(0, this.size)];
  }
}
