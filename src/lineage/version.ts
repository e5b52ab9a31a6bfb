/** Version of what inference concludes: edges of another version are stale. */
export const LINEAGE_VERSION = 2;
