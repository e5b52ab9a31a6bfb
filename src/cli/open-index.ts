import { existsSync } from 'node:fs';
import { openStore, type Store } from '../store/index.ts';
import { HublineageError } from '../types/errors.ts';
import { unknownModel } from './unknown-model.ts';

/** Opens the index read-only for one piece of work. */
export async function withIndex<T>(databaseFile: string, work: (store: Store) => Promise<T>): Promise<T> {
  if (!existsSync(databaseFile))
    throw new HublineageError('ModelUnknown', 'There is no index yet.', {
      where: databaseFile,
      hint: 'Run `hublineage refresh` first, or name another database with --db FILE.',
    });
  const store = await openStore(databaseFile, { readonly: true });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The name a model carries today; a bare name is enough where only one owner has it. @throws HublineageError ModelUnknown with the nearest names */
export async function findModel(store: Store, name: string): Promise<string> {
  const found = await store.findRepo(name);
  if (found !== null) return found.repo;
  const namesakes = name.includes('/') ? [] : await findNamesakes(store, name);
  if (namesakes.length === 1 && namesakes[0] !== undefined) return namesakes[0];
  throw unknownModel(name, namesakes.length > 0 ? namesakes : await store.suggestRepos(name, 5));
}

async function findNamesakes(store: Store, name: string): Promise<string[]> {
  const rows = await store.readView('models', {
    where: "lower(substr(repo, instr(repo, '/') + 1)) = ?",
    params: [name.toLowerCase()],
    order: 'downloads DESC',
    limit: 5,
  });
  return rows.map((row) => row.repo);
}
