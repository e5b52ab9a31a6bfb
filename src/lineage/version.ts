/**
 * Version of what inference concludes: edges of another version are stale.
 * 3: distances are summed in another order and neighbours ranked by float32 sums, which decides some ties otherwise.
 * 4: merges are held against their stored values, one by one.
 * 5: a quantised model's source gives its blocks' scales, or is not in the index.
 * 6: triangles are seen through the child's format; probabilities by a fit to zoos kept for it.
 * 7: values kept as they were count; trees are compared where they differ, and with the dates of a late root forgiven.
 * 8: tensors' powers are rounded, sums over tensors go by name; neighbours in families of hundreds are exact.
 */
export const LINEAGE_VERSION = 9;
