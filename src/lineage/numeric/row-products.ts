import {
  createKernel,
  createMemory,
  type RowKernel,
  STRIDE_STEP,
  type WasmMemory,
} from './wasm-row-kernels.ts';

const PAGE = 65536;
/** Rows of the first part and of the largest: each part is as large as all before it, so that nothing is ever copied. */
const FIRST_ROWS = 64;
const MOST_ROWS = 16_384;

/** Rows of float32 values that are all held against one more. */
export interface RowProducts {
  add(values: Float32Array): void;
  /** `visit` is told, for every row added so far, the sums over products x y and over their squares, both in float32 */
  hold(values: Float32Array, visit: (row: number, dot: number, squares: number) => void): void;
  /** of one row, over positions where neither is 0; in float32, 0 where there is nothing to compare */
  cosine(row: number, values: Float32Array): number;
}

/** One memory: the query, the list of all rows, results, rows. */
interface Part {
  memory: WasmMemory;
  products: RowKernel;
  cosines: RowKernel;
  first: number;
  capacity: number;
  size: number;
  outAt: number;
  rowsAt: number;
}

/** Values beyond `width` are left out, missing ones count as 0. */
export function createRowProducts(width: number): RowProducts {
  const stride = Math.ceil((4 * width) / STRIDE_STEP) * STRIDE_STEP;
  const listAt = stride;
  const parts: Part[] = [];
  const grow = (): Part => {
    const first = parts.reduce((sum, part) => sum + part.size, 0);
    const capacity = Math.min(MOST_ROWS, Math.max(FIRST_ROWS, first));
    const outAt = listAt + 4 * capacity;
    const rowsAt = Math.ceil((outAt + 8 * capacity) / STRIDE_STEP) * STRIDE_STEP;
    const memory = createMemory(Math.ceil((rowsAt + capacity * stride) / PAGE));
    const list = new Int32Array(memory.buffer, listAt, capacity);
    for (let i = 0; i < capacity; i++) list[i] = i;
    const part = {
      memory,
      products: createKernel(memory, 'products'),
      cosines: createKernel(memory, 'cosines'),
      first,
      capacity,
      size: 0,
      outAt,
      rowsAt,
    };
    parts.push(part);
    return part;
  };
  const write = ({ memory }: Part, at: number, values: Float32Array) =>
    new Float32Array(memory.buffer, at, width).fill(0).set(values.subarray(0, width));
  return {
    add(values) {
      let part = parts.at(-1);
      if (part === undefined || part.size === part.capacity) part = grow();
      write(part, part.rowsAt + part.size * stride, values);
      part.size++;
    },
    hold(values, visit) {
      for (const part of parts) {
        write(part, 0, values);
        part.products(0, part.rowsAt, stride, listAt, part.size, part.outAt);
        const out = new Float32Array(part.memory.buffer, part.outAt, 2 * part.size);
        for (let i = 0; i < part.size; i++) visit(part.first + i, out[2 * i]!, out[2 * i + 1]!);
      }
    },
    cosine(row, values) {
      const part = parts.find((p) => row < p.first + p.size)!;
      write(part, 0, values);
      part.cosines(0, part.rowsAt, stride, listAt + 4 * (row - part.first), 1, part.outAt);
      const [dot, xx, yy] = new Float32Array(part.memory.buffer, part.outAt, 3);
      return xx! * yy! > 0 ? dot! / Math.sqrt(xx! * yy!) : 0;
    },
  };
}
