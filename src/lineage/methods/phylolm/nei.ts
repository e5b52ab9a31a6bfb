import type { AlleleCounts } from './alleles.ts';

/** Similarities below it count as it, so that models without a common allele are far and not infinitely far. */
export const SIMILARITY_FLOOR = 1e-10;

/** A model ready to be compared: genes and answers (an allele of a gene) by number, the same in all profiles made together. */
interface Profile {
  /** number of each gene, the sum of its squared frequencies, and its completions, in one order */
  genes: Int32Array;
  squares: Float64Array;
  completions: Float64Array;
  /** number of each answer, and its frequency within its gene */
  answers: Int32Array;
  frequencies: Float64Array;
}

interface Profiles {
  profiles: Profile[];
  geneCount: number;
  answerCount: number;
}

/** Numbers instead of texts: a thousand models are half a million pairs, and each looks at every answer to every gene. */
function toProfiles(models: readonly AlleleCounts[]): Profiles {
  const geneNumbers = new Map<string, { number: number; answers: Map<string, number> }>();
  let answerCount = 0;
  const profiles = models.map((counts) => {
    const rows = [...counts].map(([name, alleles]) => {
      let gene = geneNumbers.get(name);
      if (gene === undefined) {
        gene = { number: geneNumbers.size, answers: new Map() };
        geneNumbers.set(name, gene);
      }
      const { number, answers } = gene;
      let total = 0;
      for (const count of alleles.values()) total += count;
      const found = [...alleles].map(([allele, count]) => {
        let answer = answers.get(allele);
        if (answer === undefined) {
          answer = answerCount++;
          answers.set(allele, answer);
        }
        return { answer, frequency: count / total };
      });
      return { number, total, found };
    });
    const found = rows.flatMap((row) => row.found);
    return {
      genes: Int32Array.from(rows, (row) => row.number),
      squares: Float64Array.from(rows, (row) => row.found.reduce((sum, x) => sum + x.frequency ** 2, 0)),
      completions: Float64Array.from(rows, (row) => row.total),
      answers: Int32Array.from(found, (x) => x.answer),
      frequencies: Float64Array.from(found, (x) => x.frequency),
    };
  });
  return { profiles, geneCount: geneNumbers.size, answerCount };
}

interface Comparison {
  /** null without a common gene */
  similarity: number | null;
  genes: number;
  /** completions of the model compared with, and of the other, to the common genes */
  completions: [number, number];
}

/** Spreads one model over tables indexed by number, against which others are then looked up. */
function compareWith(model: Profile, { geneCount, answerCount }: Profiles): (other: Profile) => Comparison {
  const frequencies = new Float64Array(answerCount);
  model.answers.forEach((answer, k) => {
    frequencies[answer] = model.frequencies[k]!;
  });
  const place = new Int32Array(geneCount).fill(-1);
  model.genes.forEach((gene, k) => {
    place[gene] = k;
  });
  return (other) => {
    let [own, others, genes] = [0, 0, 0];
    const completions: [number, number] = [0, 0];
    for (let k = 0; k < other.genes.length; k++) {
      const at = place[other.genes[k]!]!;
      if (at < 0) continue;
      genes++;
      own += model.squares[at]!;
      others += other.squares[k]!;
      completions[0] += model.completions[at]!;
      completions[1] += other.completions[k]!;
    }
    // answers to genes the model was not asked have no frequency, so the sum runs over common genes alone
    let both = 0;
    for (let k = 0; k < other.answers.length; k++)
      both += other.frequencies[k]! * frequencies[other.answers[k]!]!;
    // sums before the ratio: genes whose answers are nearly always the same weigh more than scattered ones
    const similarity = genes === 0 ? null : Math.min(1, both / Math.sqrt(own * others));
    return { similarity, genes, completions };
  };
}

/**
 * Nei's genetic similarity (1972) as PhyloLM uses it (ICLR 2025), with sums over genes before the ratio:
 * S = sum_g sum_a P_i(a|g) P_j(a|g) / sqrt(sum_g sum_a P_i(a|g)^2 x sum_g sum_a P_j(a|g)^2), over the genes both models answered.
 * Null when they answered none in common.
 */
export function neiSimilarity(a: AlleleCounts, b: AlleleCounts): number | null {
  const made = toProfiles([a, b]);
  return compareWith(made.profiles[0]!, made)(made.profiles[1]!).similarity;
}

export interface Matrices {
  models: string[];
  similarity: number[][];
  /** -ln of the similarity */
  distance: number[][];
  /** genes answered by both */
  commonGenes: number[][];
  /** completions of the row's model to the genes it has in common with the column's */
  commonCompletions: number[][];
}

/** All pairs; two models without a common gene count as dissimilar and show 0 common genes. */
export function compareModels(models: ReadonlyMap<string, AlleleCounts>, floor = SIMILARITY_FLOOR): Matrices {
  const names = [...models.keys()];
  const made = toProfiles([...models.values()]);
  const square = (): number[][] => names.map(() => new Array<number>(names.length).fill(0));
  const [similarity, distance, commonGenes, commonCompletions] = [square(), square(), square(), square()];
  for (const [i, profile] of made.profiles.entries()) {
    const compare = compareWith(profile, made);
    for (let j = 0; j <= i; j++) {
      const found = compare(made.profiles[j]!);
      const s = i === j ? 1 : (found.similarity ?? 0);
      // + 0 turns -0 into 0
      const d = -Math.log(Math.max(floor, s)) + 0;
      similarity[i]![j] = similarity[j]![i] = s;
      distance[i]![j] = distance[j]![i] = d;
      commonGenes[i]![j] = commonGenes[j]![i] = found.genes;
      commonCompletions[i]![j] = found.completions[0];
      commonCompletions[j]![i] = found.completions[1];
    }
  }
  return { models: names, similarity, distance, commonGenes, commonCompletions };
}
