import { type SamplingScheme, samplePositions } from '../../src/fingerprint/index.ts';
import type { PositionsOf } from '../../src/lineage/index.ts';

/** The scheme's positions in the form lineage asks for. */
export function positionsOf(scheme: SamplingScheme): PositionsOf {
  return (role, shape) => {
    if (shape.length < 2) return null;
    const cols = shape.slice(1).reduce((a, b) => a * b, 1);
    const segments = samplePositions({ role, shape, rows: shape[0]!, cols }, scheme);
    const count = segments.reduce((sum, s) => sum + s.count, 0);
    const positions = { rows: new Int32Array(count), cols: new Int32Array(count) };
    let at = 0;
    for (const segment of segments)
      for (let i = 0; i < segment.count; i++) {
        positions.rows[at] = segment.row;
        positions.cols[at++] = segment.col + i;
      }
    return positions;
  };
}
