import { createHash } from 'node:crypto';
import {
  type AlleleCounts,
  type Completion,
  compareModels,
  countAlleles,
  joinNeighbours,
  toNewick,
} from '../lineage/index.ts';
import { HublineageError } from '../types/errors.ts';
import { drawTree } from './draw-tree.ts';

/** What is known of models by how they answer. Shown beside what weights tell; it never outweighs them and names no parents. */
export interface BehaviourDocument {
  method: 'phylolm';
  models: string[];
  /** completions of all models */
  completions: number;
  /** distinct prompts, and the SHA-256 of them all */
  prompts: number;
  promptsHash: string;
  /** Nei's similarity, 0 to 1 */
  similarity: number[][];
  /** -ln of it */
  distance: number[][];
  /** prompts both models answered */
  commonGenes: number[][];
  /** completions of the row's model to these */
  commonCompletions: number[][];
  /** models that answered most prompts with nothing: two of them look alike whatever they are */
  silent: string[];
  /** unrooted neighbour-joining tree */
  newick: string;
  svg: string;
  notes: string[];
}

/** Fewer genes tell families apart only roughly: the paper uses 128. */
const ENOUGH_GENES = 32;
const SHOWN_NAMES = 5;

/** Compares models by their completions. UsageInvalid for fewer than two models. */
export async function compareByBehaviour(
  completions: Iterable<Completion> | AsyncIterable<Completion>,
): Promise<BehaviourDocument> {
  const counts = await countAlleles(completions);
  if (counts.size < 2)
    throw new HublineageError(
      'UsageInvalid',
      `Completions of ${counts.size === 1 ? '1 model' : `${counts.size} models`}: there is nothing to compare.`,
      {
        hint: 'Give the completions of two models or more, or name them with --models a,b.',
      },
    );
  const matrices = compareModels(counts);
  const { models, distance, commonGenes } = matrices;
  const tree = joinNeighbours(models, distance);
  const genes = new Set([...counts.values()].flatMap((ofModel) => [...ofModel.keys()]));
  const silent = models.filter((model) => isSilent(counts.get(model)!));
  return {
    method: 'phylolm',
    completions: [...counts.values()].reduce((sum, ofModel) => sum + countCompletions(ofModel), 0),
    prompts: genes.size,
    promptsHash: createHash('sha256')
      .update(JSON.stringify([...genes].sort()))
      .digest('hex'),
    ...matrices,
    silent,
    newick: toNewick(tree),
    svg: drawTree(tree),
    notes: describeLimits(commonGenes, silent),
  };
}

function describeLimits(commonGenes: readonly (readonly number[])[], silent: readonly string[]): string[] {
  const notes = ['The tree is unrooted: it says who answers like whom, not who was made from whom.'];
  let fewest = Number.POSITIVE_INFINITY;
  for (const [i, row] of commonGenes.entries())
    for (let j = 0; j < i; j++) fewest = Math.min(fewest, row[j]!);
  if (fewest === 0)
    notes.push(
      'Some models have no prompt in common: their distance is the largest there is, and says nothing.',
    );
  else if (fewest < ENOUGH_GENES)
    notes.push(
      `Some models share only ${fewest} ${fewest === 1 ? 'prompt' : 'prompts'}; distances from fewer than ${ENOUGH_GENES} are rough.`,
    );
  if (silent.length > 0) {
    const more = silent.length > SHOWN_NAMES ? ` and ${silent.length - SHOWN_NAMES} more` : '';
    notes.push(
      `More than half of the completions are empty for ${silent.slice(0, SHOWN_NAMES).join(', ')}${more}: models that say nothing look alike.`,
    );
  }
  return notes;
}

function countCompletions(counts: AlleleCounts): number {
  let sum = 0;
  for (const alleles of counts.values()) for (const count of alleles.values()) sum += count;
  return sum;
}

function isSilent(counts: AlleleCounts): boolean {
  let empty = 0;
  for (const alleles of counts.values()) empty += alleles.get('') ?? 0;
  return empty > countCompletions(counts) / 2;
}
