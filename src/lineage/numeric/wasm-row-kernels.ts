/**
 * WebAssembly modules with one function each, assembled here byte by byte: one row of float32 values is held against many, with the
 * 128-bit SIMD that every engine since 2021 has. Squared distances over rows of 256 values take a fifteenth of the time of the same loop
 * in JavaScript, which has no SIMD and sums in float64.
 * Opcodes: https://webassembly.github.io/spec/core/appendix/index-instructions.html
 */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** What is used of the standard's JavaScript interface, which the language's own types leave to browsers. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: { host: { memory: WasmMemory } },
  ) => { exports: { run: RowKernel } };
};

/** Memory of a fixed number of pages of 64 KiB, all zeros. */
export function createMemory(pages: number): WasmMemory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** Bytes that one turn of the inner loop takes from each row: four vectors of four values. Rows are padded to multiples of it. */
export const STRIDE_STEP = 64;

/** run(query, rows, stride, list, count, out): addresses and lengths in bytes, `list` int32 row numbers, `out` float32. */
export type RowKernel = (
  query: number,
  rows: number,
  stride: number,
  list: number,
  count: number,
  out: number,
) => void;

/**
 * What is summed over the values x of the query and y of a row:
 * - `distances`: (x - y)^2
 * - `distances-of-read`: the same without positions at which either is 0
 * - `products`: two numbers a row, x y and (x y)^2
 * - `cosines`: three numbers a row, x y, x^2 and y^2, without positions at which either is 0
 */
export type RowKernelKind = 'distances' | 'distances-of-read' | 'products' | 'cosines';

const I32 = 0x7f;
const V128 = 0x7b;
const EMPTY = 0x40;
const SIMD = 0xfd;
const ADD_FLOATS = 0x92;
const PARAMS = 6;
const [QUERY, ROWS, STRIDE, LIST, COUNT, OUT, P, Q, END] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const SUMS = [9, 10, 11, 12];
const [X, Y] = [13, 14];

const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
/** constants below 64 only: one byte of signed LEB128 */
const constant = (value: number) => [0x41, value];
const add = [0x6a];
const advance = (local: number, bytes: readonly number[]) => [...get(local), ...bytes, ...add, ...set(local)];
const loadVector = (offset: number) => [SIMD, 0x00, 0, ...unsigned(offset)];
const zeroVector = [SIMD, 0x0c, ...new Array<number>(16).fill(0)];
const [addVectors, subtractVectors, multiplyVectors] = [
  [SIMD, 0xe4, 0x01],
  [SIMD, 0xe5, 0x01],
  [SIMD, 0xe6, 0x01],
];
const differs = [SIMD, 0x42];
const and = [SIMD, 0x4e];
const lane = (k: number) => [SIMD, 0x1f, k];

const wherePresent = (value: number) => [...get(value), ...zeroVector, ...differs, ...and];

const addTo = (sum: number) => [...get(sum), ...addVectors, ...set(sum)];
const addSquareTo = (sum: number, value: number) => [
  ...[...tee(value), ...get(value), ...multiplyVectors],
  ...addTo(sum),
];

/** Four vectors of values into their sums: where there are several results, each has its own. */
function sumUp(kind: RowKernelKind, k: number): number[] {
  const loadBoth = [
    ...[...get(Q), ...loadVector(16 * k), ...tee(X)],
    ...[...get(P), ...loadVector(16 * k), ...tee(Y)],
  ];
  switch (kind) {
    case 'products':
      return [
        ...[...loadBoth, ...multiplyVectors, ...tee(X), ...addTo(SUMS[k % 2]!)],
        ...[...get(X), ...addSquareTo(SUMS[2 + (k % 2)]!, X)],
      ];
    case 'cosines':
      return [
        ...[...loadBoth, ...multiplyVectors, ...addTo(SUMS[0]!)],
        ...[...get(X), ...wherePresent(Y), ...addSquareTo(SUMS[1]!, X)],
        ...[...get(Y), ...wherePresent(X), ...addSquareTo(SUMS[2]!, Y)],
      ];
    default: {
      const masked = kind === 'distances-of-read' ? [...wherePresent(X), ...wherePresent(Y)] : [];
      return [...loadBoth, ...subtractVectors, ...masked, ...addSquareTo(SUMS[k]!, X)];
    }
  }
}

/** The sums that each result of a row is the total of. */
function resultsOf(kind: RowKernelKind): readonly (readonly number[])[] {
  if (kind === 'products') return [SUMS.slice(0, 2), SUMS.slice(2)];
  if (kind === 'cosines') return SUMS.slice(0, 3).map((sum) => [sum]);
  return [SUMS];
}

/** out[at] = all lanes of some sums */
function storeTotal(at: number, sums: readonly number[]): number[] {
  const [first, ...others] = sums;
  return [
    ...get(OUT),
    ...get(first!),
    ...others.flatMap((sum) => [...get(sum), ...addVectors]),
    ...[...tee(X), ...lane(0), ...[1, 2, 3].flatMap((k) => [...get(X), ...lane(k), ADD_FLOATS])],
    ...[0x38, 2, ...unsigned(4 * at)],
  ];
}

function assembleBody(kind: RowKernelKind): number[] {
  const stepBytes = [...constant(STRIDE_STEP / 2), ...constant(STRIDE_STEP / 2), ...add];
  const results = resultsOf(kind);
  return [
    // nothing to do for an empty list
    ...[...get(COUNT), 0x45, 0x04, EMPTY, 0x0f, 0x0b],
    ...[0x03, EMPTY],
    ...[...get(ROWS), ...get(LIST), 0x28, 2, 0, ...get(STRIDE), 0x6c, ...add, ...set(P)],
    ...[...get(QUERY), ...tee(Q), ...get(STRIDE), ...add, ...set(END)],
    ...SUMS.flatMap((sum) => [...zeroVector, ...set(sum)]),
    ...[0x03, EMPTY],
    ...SUMS.flatMap((_, k) => sumUp(kind, k)),
    ...advance(P, stepBytes),
    ...advance(Q, stepBytes),
    ...[...get(Q), ...get(END), 0x49, 0x0d, 0, 0x0b],
    ...results.flatMap((sums, at) => storeTotal(at, sums)),
    ...advance(LIST, constant(4)),
    ...advance(OUT, constant(4 * results.length)),
    ...[...get(COUNT), ...constant(1), 0x6b, ...tee(COUNT), 0x0d, 0, 0x0b],
    0x0b,
  ];
}

function assembleModule(kind: RowKernelKind): Uint8Array {
  const section = (id: number, bytes: readonly number[]) => [id, ...unsigned(bytes.length), ...bytes];
  const text = (name: string) => [name.length, ...Buffer.from(name)];
  const locals = [2, 3, I32, 6, V128];
  const body = [...locals, ...assembleBody(kind)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, PARAMS, ...new Array<number>(PARAMS).fill(I32), 0]),
    ...section(2, [1, ...text('host'), ...text('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('run'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

const modules = new Map<RowKernelKind, object>();

/** The kernel over one memory. */
export function createKernel(memory: WasmMemory, kind: RowKernelKind): RowKernel {
  let module = modules.get(kind);
  if (!module) {
    module = new WebAssembly.Module(assembleModule(kind));
    modules.set(kind, module);
  }
  return new WebAssembly.Instance(module, { host: { memory } }).exports.run;
}
