/** Stated probabilities against what came true. */
export interface Reliability {
  edges: number;
  /** expected calibration error over ten bins of equal width */
  calibrationError: number;
  /** share of edges surer than .95 that are wrong */
  wrongThoughSure: number;
  rows: { from: number; to: number; edges: number; claimed: number; right: number }[];
}

const BINS = 10;

/** Ten bins of equal width; those without edges are left out. */
export function measureReliability(edges: readonly { probability: number; right: boolean }[]): Reliability {
  const bins = [
    ...Map.groupBy(edges, ({ probability }) => Math.min(BINS - 1, Math.floor(probability * BINS))),
  ];
  const rows = bins
    .sort(([a], [b]) => a - b)
    .map(([bin, of]) => ({
      from: bin / BINS,
      to: (bin + 1) / BINS,
      edges: of.length,
      claimed: of.reduce((sum, { probability }) => sum + probability, 0) / of.length,
      right: of.filter(({ right }) => right).length / of.length,
    }));
  const sure = edges.filter(({ probability }) => probability > 0.95);
  return {
    edges: edges.length,
    calibrationError: rows.reduce(
      (sum, row) => sum + (row.edges * Math.abs(row.claimed - row.right)) / Math.max(1, edges.length),
      0,
    ),
    wrongThoughSure: sure.filter(({ right }) => !right).length / Math.max(1, sure.length),
    rows,
  };
}
