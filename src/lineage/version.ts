/**
 * Version of what inference concludes: edges of another version are stale.
 * 3: distances are summed in another order and neighbours ranked by float32 sums, which decides some ties otherwise.
 */
export const LINEAGE_VERSION = 3;
