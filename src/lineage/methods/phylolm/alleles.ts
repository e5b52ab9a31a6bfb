import { createHash } from 'node:crypto';
import { HublineageError } from '../../../types/errors.ts';

/** One answer of one model to one gene (prompt). */
export interface Completion {
  model: string;
  prompt: string;
  completion: string;
}

/** gene -> allele -> how often it was seen; a gene is its prompt, or the hash of a long one */
export type AlleleCounts = Map<string, Map<string, number>>;

const ALLELE_CHARACTERS = 4;
/** Longer prompts are told apart by their hash: a file may hold a million paragraphs. */
const MAX_GENE_CHARACTERS = 64;
/**
 * Different answers (model, gene, allele) held in memory: at most about a gigabyte, where each is the only one of its gene. The paper's
 * 156 models x 128 genes x 32 probes cannot have more than 640,000.
 */
const MAX_ANSWERS = 3_000_000;

/** First four characters of a completion without surrounding blanks, so that tokenizers' leading spaces make no difference. */
export function toAllele(completion: string): string {
  // by code point: half of a surrogate pair is no character. 4 of them lie within the first 8 units.
  return Array.from(completion.trim().slice(0, 2 * ALLELE_CHARACTERS))
    .slice(0, ALLELE_CHARACTERS)
    .join('');
}

function toGene(prompt: string): string {
  return prompt.length <= MAX_GENE_CHARACTERS
    ? prompt
    : `sha256:${createHash('sha256').update(prompt).digest('hex')}`;
}

/** Alleles of every model, models by name. UsageInvalid for more than three million different answers. */
export async function countAlleles(
  completions: Iterable<Completion> | AsyncIterable<Completion>,
  maxAnswers = MAX_ANSWERS,
): Promise<Map<string, AlleleCounts>> {
  const models = new Map<string, AlleleCounts>();
  let answers = 0;
  for await (const { model, prompt, completion } of completions) {
    let genes = models.get(model);
    if (!genes) {
      genes = new Map();
      models.set(model, genes);
    }
    const gene = toGene(prompt);
    let alleles = genes.get(gene);
    if (!alleles) {
      alleles = new Map();
      genes.set(gene, alleles);
    }
    const allele = toAllele(completion);
    const seen = alleles.get(allele);
    if (seen === undefined && ++answers > maxAnswers)
      throw new HublineageError('UsageInvalid', `More than ${maxAnswers} different answers.`, {
        where: 'completions',
        hint: 'Compare fewer models or fewer prompts at a time; 128 prompts with 32 completions each are what the method takes.',
      });
    alleles.set(allele, (seen ?? 0) + 1);
  }
  return new Map([...models].sort(([a], [b]) => (a < b ? -1 : 1)));
}
