import { samplePositions } from '../fingerprint/index.ts';
import type { PositionsOf } from '../lineage/index.ts';
import type { Config } from '../types/config.ts';

/** Where in the canonical matrix each sampled value lies, for steps that must move samples back to where they came from. */
export function createPositionsOf(
  sampling: Pick<Config['sampling'], 'valuesPerTensor' | 'seed'>,
): PositionsOf {
  return (role, shape) => {
    if (shape.length < 2) return null;
    const [rows = 1, ...rest] = shape;
    const segments = samplePositions(
      { role, shape, rows, cols: rest.reduce((product, size) => product * size, 1) },
      sampling,
    );
    const length = segments.reduce((sum, segment) => sum + segment.count, 0);
    const places = { rows: new Int32Array(length), cols: new Int32Array(length) };
    let at = 0;
    for (const { row, col, count } of segments) {
      for (let offset = 0; offset < count; offset++, at++) {
        places.rows[at] = row;
        places.cols[at] = col + offset;
      }
    }
    return places;
  };
}
