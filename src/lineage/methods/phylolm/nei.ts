import type { AlleleCounts } from './alleles.ts';

/** Similarities below it count as it, so that models without a common allele are far and not infinitely far. */
export const SIMILARITY_FLOOR = 1e-10;

/**
 * Nei's genetic similarity (1972) as PhyloLM uses it (ICLR 2025), with sums over genes before the ratio:
 * S = sum_g sum_a P_i(a|g) P_j(a|g) / sqrt(sum_g sum_a P_i(a|g)^2 x sum_g sum_a P_j(a|g)^2), over the genes both models answered.
 * Null when they answered none in common.
 */
export function neiSimilarity(a: AlleleCounts, b: AlleleCounts): number | null {
  let both = 0;
  let own = 0;
  let other = 0;
  let genes = 0;
  for (const [gene, ofA] of a) {
    const ofB = b.get(gene);
    if (!ofB) continue;
    genes++;
    const totalA = total(ofA);
    const totalB = total(ofB);
    for (const [allele, count] of ofA) both += (count / totalA) * ((ofB.get(allele) ?? 0) / totalB);
    for (const count of ofA.values()) own += (count / totalA) ** 2;
    for (const count of ofB.values()) other += (count / totalB) ** 2;
  }
  return genes === 0 ? null : Math.min(1, both / Math.sqrt(own * other));
}

export interface Matrices {
  models: string[];
  similarity: number[][];
  /** -ln of the similarity */
  distance: number[][];
  /** genes answered by both */
  commonGenes: number[][];
}

/** All pairs; two models without a common gene count as dissimilar and show 0 common genes. */
export function compareModels(models: ReadonlyMap<string, AlleleCounts>, floor = SIMILARITY_FLOOR): Matrices {
  const names = [...models.keys()];
  const genes = names.map((name) => models.get(name)!);
  const similarity = names.map((_, i) =>
    names.map((_, j) => (i === j ? 1 : (neiSimilarity(genes[i]!, genes[j]!) ?? 0))),
  );
  return {
    models: names,
    similarity,
    // + 0 turns -0 into 0
    distance: similarity.map((row) => row.map((s) => -Math.log(Math.max(floor, s)) + 0)),
    commonGenes: genes.map((a) => genes.map((b) => [...a.keys()].filter((gene) => b.has(gene)).length)),
  };
}

function total(alleles: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of alleles.values()) sum += count;
  return sum;
}
