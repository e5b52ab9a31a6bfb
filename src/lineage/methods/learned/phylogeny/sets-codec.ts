import { HublineageError } from '../../../../types/errors.ts';
import { NODE_MEASURES, PAIR_MEASURES } from './set-table.ts';
import type { LabelledSet } from './train.ts';

/**
 * Measured sets as bytes, small enough to ship by the hundred: a line of JSON, then 16-bit integers column by column (columns of one
 * measure compress well). Values are kept to 1/500 within +-65, times to the minute; names are not kept.
 */
const STEP = 500;
const MINUTE = 60_000;
const FORMAT = 'hublineage-sets-1';
const MAX_SETS = 10_000;
const MAX_MODELS = 2000;

interface Header {
  format: string;
  nodeMeasures: string[];
  pairMeasures: string[];
  sets: { family: string; minutes: number[]; parents: number[][] }[];
}

export function toSetsFile(sets: readonly LabelledSet[]): Uint8Array {
  const columns: Int16Array[] = [];
  const header: Header = {
    format: FORMAT,
    nodeMeasures: [...NODE_MEASURES],
    pairMeasures: [...PAIR_MEASURES],
    sets: sets.map(({ family, table, parents }) => {
      const first = table.createdAt.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      columns.push(
        toColumns(table.nodes, NODE_MEASURES.length),
        toColumns(table.pairs, PAIR_MEASURES.length),
      );
      const n = table.repos.length;
      const complete = table.candidates.length === n * (n - 1);
      if (!complete) throw new RangeError('only sets with all pairs are kept');
      return {
        family,
        minutes: Array.from(table.createdAt, (t) => Math.round((t - first) / MINUTE)),
        parents: parents.map((row) => [...row]),
      };
    }),
  };
  const head = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const values = columns.reduce((sum, c) => sum + c.length, 0);
  const bytes = new Uint8Array(head.length + 2 * values);
  bytes.set(head);
  const view = new DataView(bytes.buffer);
  let at = head.length;
  for (const column of columns)
    for (const value of column) {
      view.setInt16(at, value, true);
      at += 2;
    }
  return bytes;
}

/** HeaderInvalid when the bytes are not such a file or were measured by another version. */
export function fromSetsFile(bytes: Uint8Array): LabelledSet[] {
  const end = bytes.indexOf(0x0a);
  const header = parseHeader(bytes.subarray(0, Math.max(0, end)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = end + 1;
  const take = (rows: number, width: number): Float32Array => {
    if (at + 2 * rows * width > bytes.length) throw invalid('it ends early');
    const values = new Float32Array(rows * width);
    for (let k = 0; k < width; k++) {
      let last = 0;
      for (let r = 0; r < rows; r++) {
        last = ((last + view.getInt16(at, true)) << 16) >> 16;
        values[r * width + k] = last / STEP;
        at += 2;
      }
    }
    return values;
  };
  return header.sets.map((set) => {
    const n = set.minutes.length;
    const nodes = take(n, NODE_MEASURES.length);
    const pairs = take(n * (n - 1), PAIR_MEASURES.length);
    return {
      family: set.family,
      table: {
        repos: set.minutes.map((_, i) => `model-${i}`),
        createdAt: Float64Array.from(set.minutes, (m) => m * MINUTE),
        nodes,
        pairs,
        ...completePairs(n),
      },
      parents: set.parents,
    };
  });
}

function parseHeader(bytes: Uint8Array): Header {
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes)) as Header;
  } catch {
    throw invalid('its first line is not JSON');
  }
  if (header?.format !== FORMAT) throw invalid(`it is not ${FORMAT}`);
  const same = (a: unknown, b: readonly string[]) => Array.isArray(a) && a.join() === b.join();
  if (!same(header.nodeMeasures, NODE_MEASURES) || !same(header.pairMeasures, PAIR_MEASURES))
    throw invalid('it was measured by another version');
  if (!Array.isArray(header.sets) || header.sets.length > MAX_SETS) throw invalid('it lists no sets');
  for (const set of header.sets) {
    const n = Array.isArray(set?.minutes) ? set.minutes.length : 0;
    const isPlace = (i: unknown) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < n;
    if (n < 1 || n > MAX_MODELS || !set.minutes.every(Number.isFinite) || typeof set.family !== 'string')
      throw invalid('a set has no models');
    if (
      !Array.isArray(set.parents) ||
      set.parents.length !== n ||
      !set.parents.every((row) => Array.isArray(row) && row.every(isPlace))
    )
      throw invalid('a set names parents it does not have');
  }
  return header;
}

/** Every model a candidate of every other. */
export function completePairs(n: number): { offsets: Int32Array; candidates: Int32Array } {
  const offsets = Int32Array.from({ length: n + 1 }, (_, i) => i * Math.max(0, n - 1));
  const candidates = new Int32Array(n * Math.max(0, n - 1));
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (j !== i) candidates[at++] = j;
  return { offsets, candidates };
}

/** Column by column, each value as the difference to the one before. */
function toColumns(rows: Float32Array, width: number): Int16Array {
  const count = rows.length / width;
  const out = new Int16Array(rows.length);
  for (let k = 0; k < width; k++) {
    let last = 0;
    for (let r = 0; r < count; r++) {
      const value = Math.round(Math.max(-65, Math.min(65, rows[r * width + k]!)) * STEP);
      out[k * count + r] = ((value - last) << 16) >> 16;
      last = value;
    }
  }
  return out;
}

function invalid(why: string): HublineageError {
  return new HublineageError('HeaderInvalid', `the detector's training sets cannot be read: ${why}`, {
    where: 'data/detector',
    hint: 'make them again with `node bench/detector-data.ts`',
  });
}
