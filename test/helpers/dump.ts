import { openStore, type ViewName } from '../../src/store/index.ts';

const VIEWS: readonly ViewName[] = [
  'models',
  'declared_bases',
  'edges',
  'edge_evidence',
  'ancestors',
  'families',
  'verdicts',
  'failures',
];

/** Rows as JSON, sorted, by view. */
export type Dump = Record<string, string[]>;

/** Every row of every public view but `runs`, in one comparable value: two databases with equal dumps tell the same story. */
export async function dumpDatabase(file: string): Promise<Dump> {
  const store = await openStore(file, { readonly: true });
  try {
    const dump: Dump = {};
    for (const view of VIEWS)
      dump[view] = (await store.readView(view)).map((row) => JSON.stringify(row)).sort();
    return dump;
  } finally {
    await store.close();
  }
}
