import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import { makeClock, makeEdge, makeHub, makePath, makeVerdict } from '../../store/testing/sample-index.ts';
import { RELATIONS } from '../../types/lineage.ts';
import { VERDICTS } from '../../types/verdict.ts';
import { createSnapshots, type Snapshot } from '../snapshot.ts';
import { SAMPLE_OPTIONS } from '../testing/sample-explorer.ts';
import { countChildren, listChildren, readNotableChildren } from './children.ts';
import { type Cursor, type FlaggedFilter, readFlagged, SORTS } from './flagged.ts';

const COUNT = 150;
const ROOT = 'owner-0/model-0';
const name = (i: number) => `owner-${i % 7}/model-${i}`;
let store: Store;
let snapshot: Snapshot;

/** Many models with equal downloads and equal dates: where paging goes wrong if it does. */
beforeAll(async () => {
  const path = makePath();
  const writer = await openStore(path, { now: makeClock() });
  const run = await writer.startRun('refresh');
  await writer.upsertRepos(
    Array.from({ length: COUNT }, (_, i) =>
      makeHub(i + 1, {
        repo: name(i),
        downloads: (i * 31) % 9,
        createdAt: new Date(Date.UTC(2024, 0, 1 + ((i * 17) % 6))).toISOString(),
      }),
    ),
    run,
    { family: 'llama' },
  );
  const children = Array.from({ length: COUNT - 1 }, (_, i) => i + 1);
  await writer.replaceDerived(
    {
      edges: [
        ...children.map((i) => makeEdge(name(i), ROOT, { relation: RELATIONS[i % 3]! })),
        makeEdge('virtual/llama-1', ROOT, { relation: 'merge', parentKind: 'repo' }),
      ],
      evidence: [],
      families: [],
      virtualParents: [],
    },
    run,
  );
  await writer.replaceVerdicts(
    children.map((i) =>
      makeVerdict(name(i), { verdict: VERDICTS[i % 4]!, relationInferred: RELATIONS[i % 3]! }),
    ),
    run,
  );
  await writer.finishRun(run, 'done', { verdicts: COUNT });
  await writer.close();
  store = await openStore(path, { readonly: true });
  snapshot = await createSnapshots({ ...SAMPLE_OPTIONS, store }, () => new Date(0))();
});
afterAll(() => store.close());

async function readAll(filter: FlaggedFilter, rows: number, limits?: Parameters<typeof readFlagged>[4]) {
  const all: string[] = [];
  let after: Cursor | null = null;
  for (let page = 0; page < 2_000; page++) {
    const found: Awaited<ReturnType<typeof readFlagged>> = await readFlagged(
      store,
      snapshot,
      { ...filter, after },
      rows,
      limits,
    );
    expect(found.rows.length).toBeLessThanOrEqual(rows);
    all.push(...found.rows.map((row) => row.repo));
    after = found.next;
    if (after === null) return all;
  }
  throw new Error('the list has no end');
}

describe('readFlagged', () => {
  it('gives the same models in the same order whichever index leads and however small the pages', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          verdicts: fc.subarray([...VERDICTS.slice(0, 5)], { minLength: 1 }),
          sort: fc.constantFrom(...SORTS),
          owner: fc.constantFrom(null, null, 'owner-3'),
          relation: fc.constantFrom(null, null, RELATIONS[1]),
          minDownloads: fc.constantFrom(null, null, 4),
          family: fc.constantFrom(null, 'llama' as const),
        }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 40 }),
        async (filter, rows, maxWalked) => {
          const whole = await readAll(filter, 1_000);
          expect(new Set(whole).size).toBe(whole.length);
          expect(await readAll(filter, rows)).toEqual(whole);
          expect(await readAll(filter, rows, { maxSorted: -1, maxWalked })).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    ));

  it('keeps to the filters', async () => {
    const { rows } = await readFlagged(
      store,
      snapshot,
      { verdicts: ['ancestor'], sort: 'downloads', relation: 'merge', minDownloads: 3 },
      500,
      { maxSorted: -1, maxWalked: 10_000 },
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect([row.verdict, row.relationInferred]).toEqual(['ancestor', 'merge']);
      expect(row.downloads).toBeGreaterThanOrEqual(3);
    }
    expect(rows.map((row) => row.downloads)).toEqual(rows.map((row) => row.downloads).sort((a, b) => b - a));
  });
});

describe('children', () => {
  it('the well-known ones are the same whether sorted or found on a walk; absent ones come first', async () => {
    for (const { relation, count } of await countChildren(store, ROOT)) {
      const sorted = await readNotableChildren(store, ROOT, relation, count, 9);
      expect(await readNotableChildren(store, ROOT, relation, count, 9, 0)).toEqual(sorted);
      expect(sorted).toHaveLength(9);
      expect(sorted[0]!.startsWith('virtual/')).toBe(relation === 'merge');
    }
  });

  it('are all on their pages once', async () => {
    const seen: string[] = [];
    let after: { relation: string; child: string } | null = null;
    for (;;) {
      const page: Awaited<ReturnType<typeof listChildren>> = await listChildren(store, ROOT, null, after, 11);
      seen.push(...page.map((edge) => edge.child));
      const last = page.at(-1);
      if (last === undefined) break;
      after = { relation: last.relation, child: last.child };
    }
    expect(seen).toHaveLength(COUNT);
    expect(new Set(seen).size).toBe(COUNT);
  });
});
