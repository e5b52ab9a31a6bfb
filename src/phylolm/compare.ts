import { type Completion, compareModels, countAlleles, joinNeighbours, toNewick } from '../lineage/index.ts';
import { HublineageError } from '../types/errors.ts';
import { drawTree } from './draw-tree.ts';

/** What is known of models by how they answer. Shown beside what weights tell; it never outweighs them and names no parents. */
export interface BehaviourDocument {
  method: 'phylolm';
  models: string[];
  /** Nei's similarity, 0 to 1 */
  similarity: number[][];
  /** -ln of it */
  distance: number[][];
  /** prompts both models answered */
  commonGenes: number[][];
  /** unrooted neighbour-joining tree */
  newick: string;
  svg: string;
  notes: string[];
}

/** Fewer genes tell families apart only roughly: the paper uses 128. */
const ENOUGH_GENES = 32;

/** Compares models by their completions. UsageInvalid for fewer than two models. */
export async function compareByBehaviour(
  completions: Iterable<Completion> | AsyncIterable<Completion>,
): Promise<BehaviourDocument> {
  const matrices = compareModels(await countAlleles(completions));
  const { models, distance, commonGenes } = matrices;
  if (models.length < 2)
    throw new HublineageError(
      'UsageInvalid',
      `Completions of ${models.length} models: there is nothing to compare.`,
      {
        hint: 'Give the completions of two models or more, or name them with --models a,b.',
      },
    );
  const tree = joinNeighbours(models, distance);
  const pairs = models.flatMap((_, i) => models.slice(0, i).map((__, j) => commonGenes[i]![j]!));
  const fewest = Math.min(...pairs);
  const notes = ['The tree is unrooted: it says who answers like whom, not who was made from whom.'];
  if (fewest === 0)
    notes.push(
      'Some models have no prompt in common: their distance is the largest there is, and says nothing.',
    );
  else if (fewest < ENOUGH_GENES)
    notes.push(
      `Some models share only ${fewest} prompts; distances from fewer than ${ENOUGH_GENES} are rough.`,
    );
  return { method: 'phylolm', ...matrices, newick: toNewick(tree), svg: drawTree(tree), notes };
}
