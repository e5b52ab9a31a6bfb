/** One answer of one model to one gene (prompt). */
export interface Completion {
  model: string;
  prompt: string;
  completion: string;
}

/** gene -> allele -> how often it was seen */
export type AlleleCounts = Map<string, Map<string, number>>;

const ALLELE_CHARACTERS = 4;

/** First four characters of a completion without surrounding blanks, so that tokenizers' leading spaces make no difference. */
export function toAllele(completion: string): string {
  // by code point: half of a surrogate pair is no character. 4 of them lie within the first 8 units.
  return Array.from(completion.trim().slice(0, 2 * ALLELE_CHARACTERS))
    .slice(0, ALLELE_CHARACTERS)
    .join('');
}

/** Alleles of every model, models by name. */
export async function countAlleles(
  completions: Iterable<Completion> | AsyncIterable<Completion>,
): Promise<Map<string, AlleleCounts>> {
  const models = new Map<string, AlleleCounts>();
  for await (const { model, prompt, completion } of completions) {
    let genes = models.get(model);
    if (!genes) {
      genes = new Map();
      models.set(model, genes);
    }
    let alleles = genes.get(prompt);
    if (!alleles) {
      alleles = new Map();
      genes.set(prompt, alleles);
    }
    const allele = toAllele(completion);
    alleles.set(allele, (alleles.get(allele) ?? 0) + 1);
  }
  return new Map([...models].sort(([a], [b]) => (a < b ? -1 : 1)));
}
