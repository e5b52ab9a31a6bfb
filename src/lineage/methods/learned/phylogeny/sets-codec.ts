import { HublineageError } from '../../../../types/errors.ts';
import { fromSetFile, fromSetRow, toSetFile, toSetRow } from '../set-file.ts';
import { NODE_MEASURES, PAIR_MEASURES } from './set-table.ts';
import type { LabelledSet } from './train.ts';

/**
 * Measured sets as bytes, small enough to ship by the hundred: integers column by column (columns of one measure compress well). Values
 * are kept to 1/500 within +-65.
 */
const STEP = 500;
const FORMAT = 'hublineage-sets-1';

export function toSetsFile(sets: readonly LabelledSet[]): Uint8Array {
  const columns: Int16Array[] = [];
  const rows = sets.map(({ family, table, parents }) => {
    const n = table.repos.length;
    if (table.candidates.length !== n * (n - 1)) throw new RangeError('only sets with all pairs are kept');
    columns.push(toColumns(table.nodes, NODE_MEASURES.length), toColumns(table.pairs, PAIR_MEASURES.length));
    return toSetRow(family, table.createdAt, parents);
  });
  return toSetFile(
    { format: FORMAT, nodeMeasures: NODE_MEASURES, pairMeasures: PAIR_MEASURES, sets: rows },
    columns,
  );
}

/** HeaderInvalid when the bytes are not such a file or were measured by another version. */
export function fromSetsFile(bytes: Uint8Array): LabelledSet[] {
  const { head, sets, take } = fromSetFile(bytes, FORMAT, invalid);
  const same = (a: unknown, b: readonly string[]) => Array.isArray(a) && a.join() === b.join();
  if (!same(head.nodeMeasures, NODE_MEASURES) || !same(head.pairMeasures, PAIR_MEASURES))
    throw invalid('it was measured by another version');
  return sets.map((set) => {
    const n = set.minutes.length;
    const nodes = fromColumns(take(n * NODE_MEASURES.length), n);
    const pairs = fromColumns(take(n * (n - 1) * PAIR_MEASURES.length), n * (n - 1));
    const { family, parents } = set;
    return { family, parents, table: { ...fromSetRow(set), nodes, pairs, ...completePairs(n) } };
  });
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

function fromColumns(columns: Int16Array, count: number): Float32Array {
  const width = count === 0 ? 0 : columns.length / count;
  const rows = new Float32Array(columns.length);
  for (let k = 0; k < width; k++) {
    let last = 0;
    for (let r = 0; r < count; r++) {
      last = ((last + columns[k * count + r]!) << 16) >> 16;
      rows[r * width + k] = last / STEP;
    }
  }
  return rows;
}

function invalid(why: string): HublineageError {
  return new HublineageError('HeaderInvalid', `the detector's training sets cannot be read: ${why}`, {
    where: 'data/detector',
    hint: 'make them again with `node bench/detector-data.ts`',
  });
}
