import type { TensorSample } from '../../../types/fingerprint.ts';
import { createNormal, createRandom, hashText } from '../../numeric/random.ts';
import type { PositionsOf } from '../../options.ts';
import type { Features } from './metrics.ts';

/** Drawn inputs a model is probed with. */
export const PROBES = 32;
/** Values of a run where the positions are not told. */
const RUN = 64;
/** runs a tensor at most: whole small matrices would outvote the rest */
const MAX_RUNS = 16;
const TOKENS = /(?:^|\.)(?:embed_tokens|lm_head)\.weight$/;

/** The matrices of a model that its group has in common. */
export interface CommonTensors {
  names: readonly string[];
  /** rows of neighbouring values of each: [from, to) within its samples */
  runs: ReadonlyMap<string, readonly (readonly [from: number, to: number])[]>;
}

/** Matrices every model has in the same shape, vocabularies left out, cut into runs that lie in one row. */
export function findCommonTensors(
  models: readonly (readonly TensorSample[])[],
  positions: PositionsOf | undefined,
): CommonTensors {
  const keyOf = (t: TensorSample) => `${t.name}|${t.values.length}`;
  let common: Set<string> | null = null;
  for (const tensors of models) {
    const keys = new Set(tensors.filter((t) => t.shape.length > 1 && !TOKENS.test(t.name)).map(keyOf));
    common = common === null ? keys : common.intersection(keys);
  }
  const first = (models[0] ?? []).filter((t) => common?.has(keyOf(t)));
  return {
    names: first.map(({ name }) => name),
    runs: new Map(first.map((t) => [t.name, findRuns(t, positions).slice(0, MAX_RUNS)])),
  };
}

/**
 * What sampled rows give on drawn inputs: for each run of neighbouring weights w in a row, <w, x> for each of 32 seeded x. A linear
 * layer's output is linear in its weights, so the first-order step from parent to child is the difference of the features, exactly.
 */
export function probeSamples(
  tensors: readonly TensorSample[],
  common: CommonTensors,
  seed: number,
): Features {
  const byName = new Map(tensors.map((t) => [t.name, t]));
  const width = common.names.reduce((sum, name) => sum + common.runs.get(name)!.length, 0);
  const values = new Float64Array(PROBES * width);
  let column = 0;
  for (const name of common.names) {
    const w = byName.get(name)!.values;
    const normal = createNormal(createRandom((hashText(name) ^ seed) >>> 0));
    for (const [from, to] of common.runs.get(name)!) {
      // an output is one sum over a run: scaled so that long runs do not weigh more
      const scale = 1 / Math.sqrt(to - from);
      for (let probe = 0; probe < PROBES; probe++) {
        let sum = 0;
        for (let i = from; i < to; i++) {
          const x = normal();
          if (Number.isFinite(w[i]!)) sum += w[i]! * x;
        }
        values[probe * width + column] = sum * scale;
      }
      column++;
    }
  }
  return { rows: PROBES, width, values };
}

function findRuns(tensor: TensorSample, positions: PositionsOf | undefined): [number, number][] {
  const count = tensor.values.length;
  const where = positions?.(tensor.role, tensor.shape) ?? null;
  const runs: [number, number][] = [];
  let from = 0;
  for (let i = 1; i <= count; i++) {
    const breaks =
      i === count ||
      (where && where.rows.length === count
        ? where.rows[i] !== where.rows[i - 1] || where.cols[i] !== where.cols[i - 1]! + 1
        : i - from === RUN);
    if (!breaks) continue;
    runs.push([from, i]);
    from = i;
  }
  return runs;
}
