import { createKernel, createMemory, STRIDE_STEP } from './wasm-row-kernels.ts';

const PAGE = 65536;
const MAX_PAGES = 65536;

/** Rows of float32 values between which many squared distances are asked for. */
export interface RowDistances {
  /** the values of a row, to be filled in; zeros at first */
  row(index: number): Float32Array;
  /**
   * Squared distances from one row to those listed in `list[0 .. count)`, summed in float32: good to some 1e-6 of themselves, enough to
   * rank neighbours by. What is returned is overwritten by the next call.
   */
  from(row: number, list: ArrayLike<number>, count?: number): Float32Array;
}

/** Null when the rows do not fit in what one WebAssembly memory can hold (4 GiB). */
export function createRowDistances(
  rows: number,
  width: number,
  { zerosAreUnread = false }: { zerosAreUnread?: boolean } = {},
): RowDistances | null {
  const stride = Math.ceil((4 * width) / STRIDE_STEP) * STRIDE_STEP;
  const listAt = rows * stride;
  const outAt = listAt + 4 * rows;
  const pages = Math.max(1, Math.ceil((outAt + 4 * rows) / PAGE));
  if (pages >= MAX_PAGES) return null;
  const memory = createMemory(pages);
  const kernel = createKernel(memory, zerosAreUnread ? 'distances-of-read' : 'distances');
  const numbers = new Int32Array(memory.buffer, listAt, rows);
  const out = new Float32Array(memory.buffer, outAt, rows);
  return new KernelDistances(memory, kernel, { width, stride, listAt, outAt, numbers, out });
}

interface Places {
  width: number;
  stride: number;
  listAt: number;
  outAt: number;
  numbers: Int32Array;
  out: Float32Array;
}

/** A class, not closures: see decision 8 on machine code. */
class KernelDistances implements RowDistances {
  private readonly memory: ReturnType<typeof createMemory>;
  private readonly kernel: ReturnType<typeof createKernel>;
  private readonly places: Places;

  constructor(
    memory: ReturnType<typeof createMemory>,
    kernel: ReturnType<typeof createKernel>,
    places: Places,
  ) {
    this.memory = memory;
    this.kernel = kernel;
    this.places = places;
  }

  row(index: number): Float32Array {
    const { stride, width } = this.places;
    return new Float32Array(this.memory.buffer, index * stride, width);
  }

  from(row: number, list: ArrayLike<number>, count = list.length): Float32Array {
    const { stride, listAt, outAt, numbers, out } = this.places;
    const rows = numbers.length;
    // a list longer than the rows would name some of them twice; an index beyond them would be read from the lists themselves
    if (count > rows) throw new RangeError(`${count} rows asked for, there are ${rows}`);
    for (let i = 0; i < count; i++) {
      const index = list[i]!;
      if (!(index >= 0 && index < rows)) throw new RangeError(`row ${index} of ${rows}`);
      numbers[i] = index;
    }
    this.kernel(row * stride, 0, stride, listAt, count, outAt);
    return out;
  }
}
