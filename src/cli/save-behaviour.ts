import { existsSync } from 'node:fs';
import type { BehaviourDocument } from '../phylolm/index.ts';
import { type BehaviourPair, openStore } from '../store/index.ts';
import { HublineageError } from '../types/errors.ts';
import { formatNumber, toPrintable } from './format.ts';

/** What `phylolm --save` kept, and what it could not. */
export interface SavedBehaviour {
  database: string;
  /** repos that stand in a kept pair */
  models: string[];
  pairs: number;
  /** names that lead to no repo of the index */
  unknown: string[];
  /** names of a repo that another name stands for already */
  repeated: { name: string; repo: string }[];
  /** models left out because most of their completions are empty */
  silent: string[];
  /** pairs left out because they share no prompt */
  pairsWithoutPrompts: number;
}

/** @throws HublineageError ModelUnknown where there is no index */
export function requireIndex(database: string): void {
  if (!existsSync(database))
    throw new HublineageError('ModelUnknown', 'There is no index to save to yet.', {
      where: database,
      hint: 'Run `hublineage refresh` first, name another database with --db FILE, or leave --save out.',
    });
}

/** Writes the pairs whose models are in the index, each under the name its repo has today. */
export async function saveBehaviour(
  database: string,
  document: BehaviourDocument,
  source: string,
): Promise<SavedBehaviour> {
  const { matchModels } = await import('../refresh/index.ts');
  const store = await openStore(database);
  try {
    const { repos, unknown, repeated } = await matchModels(store, document.models);
    const silent = document.silent.filter((name) => repos.has(name));
    const places = document.models.flatMap((name, i) => {
      const repo = repos.get(name);
      return repo === undefined || silent.includes(name) ? [] : [{ i, repo }];
    });
    const pairs: BehaviourPair[] = [];
    let pairsWithoutPrompts = 0;
    for (const [place, { i, repo: first }] of places.entries())
      for (const { i: j, repo: second } of places.slice(0, place)) {
        const sharedPrompts = document.commonGenes[i]![j]!;
        if (sharedPrompts === 0) pairsWithoutPrompts++;
        else
          pairs.push({
            first,
            second,
            similarity: document.similarity[i]![j]!,
            distance: document.distance[i]![j]!,
            sharedPrompts,
            firstCompletions: document.commonCompletions[i]![j]!,
            secondCompletions: document.commonCompletions[j]![i]!,
          });
      }
    const { prompts, promptsHash, completions } = document;
    if (pairs.length > 0) await store.saveBehaviour({ source, prompts, promptsHash, completions, pairs });
    const models = [...new Set(pairs.flatMap(({ first, second }) => [first, second]))].sort();
    return { database, models, pairs: pairs.length, unknown, repeated, silent, pairsWithoutPrompts };
  } finally {
    await store.close();
  }
}

/** What was kept and what was not, every name of it. */
export function describeSaved(saved: SavedBehaviour): string {
  const { pairs, models, database, unknown, repeated, silent, pairsWithoutPrompts } = saved;
  const lines = [
    `Saved to ${database}: ${formatNumber(pairs, 'pair')} of ${formatNumber(models.length, 'model')}, shown beside the weights and never counted.`,
    unknown.length === 0 ? '' : `Not in the index, so not saved: ${unknown.join(', ')}`,
    repeated.length === 0
      ? ''
      : `Another name of a model that is saved already, so not saved: ${repeated.map(({ name, repo }) => `${name} (${repo})`).join(', ')}`,
    silent.length === 0 ? '' : `Most completions empty, so not saved: ${silent.join(', ')}`,
    pairsWithoutPrompts === 0
      ? ''
      : `${formatNumber(pairsWithoutPrompts, 'pair')} without a prompt in common, so not saved.`,
  ];
  return `${lines
    .filter((line) => line !== '')
    .map(toPrintable)
    .join('\n')}\n`;
}

/** Somebody who asked to save and saved nothing is told so by the exit code; the comparison itself has been printed. */
export function refuseNothingSaved({ pairs, unknown, database }: SavedBehaviour): void {
  if (pairs > 0) return;
  if (unknown.length > 0)
    throw new HublineageError(
      'ModelUnknown',
      'Nothing was saved: fewer than two of the models are in the index.',
      {
        where: database,
        hint: 'Models are matched by the names in the completions: owner/name, or the address of the repo.',
      },
    );
  throw new HublineageError(
    'UsageInvalid',
    'Nothing was saved: no two models gave answers to a common prompt.',
    {
      where: database,
      hint: 'Put the same prompts to all models; the method takes 128 of them.',
    },
  );
}
