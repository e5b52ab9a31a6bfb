import { fromHeadedBytes, toHeadedBytes } from './headed-bytes.ts';

/** What a file of training sets tells of each: times to the minute from the first, parents by index. Names of models are not kept. */
export interface SetRow {
  family: string;
  minutes: number[];
  parents: number[][];
}

const MINUTE = 60_000;
const MAX_SETS = 10_000;
const MAX_MODELS = 2000;

export function toSetRow(
  family: string,
  createdAt: Float64Array,
  parents: readonly (readonly number[])[],
): SetRow {
  const first = createdAt.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return {
    family,
    minutes: Array.from(createdAt, (t) => Math.round((t - first) / MINUTE)),
    parents: parents.map((row) => [...row]),
  };
}

export function fromSetRow({ minutes }: SetRow): { repos: string[]; createdAt: Float64Array } {
  return {
    repos: minutes.map((_, i) => `model-${i}`),
    createdAt: Float64Array.from(minutes, (m) => m * MINUTE),
  };
}

/** A line of JSON with format and sets, then 16-bit integers, little endian. */
export function toSetFile(
  head: { format: string; sets: readonly SetRow[] } & Record<string, unknown>,
  blocks: readonly Int16Array[],
): Uint8Array {
  const bytes = new Uint8Array(2 * blocks.reduce((sum, block) => sum + block.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const block of blocks)
    for (const value of block) {
      view.setInt16(at, value, true);
      at += 2;
    }
  return toHeadedBytes(head, bytes);
}

/** The head, its sets checked, and a reader of the integers behind it. `refuse` makes the error for whatever is not such a file. */
export function fromSetFile<Row extends SetRow>(
  bytes: Uint8Array,
  format: string,
  refuse: (why: string) => Error,
): { head: Record<string, unknown>; sets: Row[]; take: (count: number) => Int16Array } {
  const { head, body } = fromHeadedBytes(bytes, refuse);
  if (head.format !== format) throw refuse(`it is not ${format}`);
  const sets = head.sets;
  if (!Array.isArray(sets) || sets.length > MAX_SETS) throw refuse('it lists no sets');
  for (const set of sets) checkRow(set, refuse);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  const take = (count: number) => {
    if (at + 2 * count > body.length) throw refuse('it ends early');
    const values = new Int16Array(count);
    for (let i = 0; i < count; i++, at += 2) values[i] = view.getInt16(at, true);
    return values;
  };
  return { head, sets: sets as Row[], take };
}

function checkRow(set: Partial<SetRow> | null, refuse: (why: string) => Error): void {
  const n = Array.isArray(set?.minutes) ? set.minutes.length : 0;
  const isPlace = (i: unknown) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < n;
  if (n < 1 || n > MAX_MODELS || !set?.minutes?.every(Number.isFinite) || typeof set.family !== 'string')
    throw refuse('a set has no models');
  if (
    !Array.isArray(set.parents) ||
    set.parents.length !== n ||
    !set.parents.every((row) => Array.isArray(row) && row.every(isPlace))
  )
    throw refuse('a set names parents it does not have');
}
