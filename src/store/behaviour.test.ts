import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BehaviourInput, BehaviourPair, Store } from './contract.ts';
import { openStore } from './open-store.ts';
import { fillSampleIndex, makeClock, makeEdge, makeHub, makePath } from './testing/sample-index.ts';

const name = (n: number) => `owner/Model-${n}`;

function makePair(first: number, second: number, change: Partial<BehaviourPair> = {}): BehaviourPair {
  return {
    first: name(first),
    second: name(second),
    similarity: 0.5,
    distance: Math.log(2),
    sharedPrompts: 128,
    firstCompletions: 4096,
    secondCompletions: 2048,
    ...change,
  };
}

function makeInput(pairs: BehaviourPair[], change: Partial<BehaviourInput> = {}): BehaviourInput {
  return {
    source: 'answers.jsonl',
    prompts: 128,
    promptsHash: 'ab'.repeat(32),
    completions: 6144,
    pairs,
    ...change,
  };
}

let store: Store;
let path: string;
beforeEach(async () => {
  path = makePath();
  store = await fillSampleIndex(path);
});
afterEach(() => store.close());

describe('saved behaviour', () => {
  it('is found from either side, with the completions of each', async () => {
    await store.saveBehaviour(makeInput([makePair(1, 8)]));
    const [row] = await store.loadBehaviour(name(8));
    expect(row).toMatchObject({
      repo: name(8),
      other: name(1),
      similarity: 0.5,
      distance: Math.log(2),
      shared_prompts: 128,
      completions: 2048,
      other_completions: 4096,
      prompts_hash: 'ab'.repeat(32),
      source: 'answers.jsonl',
    });
    expect(row!.detail).toBe(
      'Behaviour, not lineage: similarity 0.500 (Nei; 1 is alike) of the first characters of 2,048 and 4,096 completions, shared prompts: 128. From answers.jsonl, 2026-01-01.',
    );
    expect((await store.loadBehaviour(name(1))).map((found) => found.completions)).toEqual([4096]);
    expect(await store.loadBehaviour(name(2))).toEqual([]);
  });

  it('is told the most alike first, what rests on few prompts last', async () => {
    await store.saveBehaviour(
      makeInput([
        makePair(1, 2, { similarity: 0.2 }),
        makePair(1, 3, { similarity: 0.9 }),
        makePair(4, 1, { similarity: 1, sharedPrompts: 3 }),
        makePair(1, 5, { similarity: 0.9 }),
      ]),
    );
    const found = await store.loadBehaviour(name(1));
    expect(found.map((row) => row.other)).toEqual([3, 5, 2, 4].map(name));
    expect(found.at(-1)!.detail).toContain('shared prompts: 3, which is few');
    expect(await store.loadBehaviour(name(1), { limit: 1 })).toHaveLength(1);
    expect((await store.loadBehaviour(name(1), { other: name(2) })).map((row) => row.similarity)).toEqual([
      0.2,
    ]);
  });

  it('stands as evidence that weighs nothing, where the pair is an edge and nowhere else', async () => {
    await store.saveBehaviour(makeInput([makePair(1, 2), makePair(5, 2), makePair(2, 8), makePair(3, 5)]));
    const rows = await store.readView('edge_evidence', {
      where: "probe = 'behaviour'",
      order: 'child, parent',
    });
    expect(rows.map((row) => [row.child, row.parent, row.outcome, row.value, row.log_odds])).toEqual([
      [name(2), name(1), 'neutral', 0.5, 0],
      [name(5), name(2), 'neutral', 0.5, 0],
    ]);
    expect(rows[0]!.detail).toMatch(/^Behaviour, not lineage: .* 4,096 completions, shared prompts: 128/);
    // what inference found stays as it was
    expect((await store.loadEvidence(name(2))).map((row) => row.probe)).toEqual(['relative-distance']);
  });

  it('outlives an inference, and never makes an edge or a verdict', async () => {
    const verdicts = await store.readView('verdicts', { order: 'repo' });
    await store.saveBehaviour(makeInput([makePair(1, 2), makePair(1, 8)]));
    const before = await store.loadBehaviour(name(1));
    expect(await store.countView('edges')).toBe(8);
    await store.replaceDerived(
      { edges: [makeEdge(name(2), name(1))], evidence: [], families: [], virtualParents: [] },
      9,
    );
    await store.replaceDerived({ edges: [], evidence: [], families: [], virtualParents: [] }, 10);
    expect(await store.loadBehaviour(name(1))).toEqual(before);
    expect(await store.countView('edge_evidence')).toBe(0);
    await store.replaceDerived(
      { edges: [makeEdge(name(2), name(1))], evidence: [], families: [], virtualParents: [] },
      11,
    );
    expect((await store.readView('edge_evidence')).map((row) => row.probe)).toEqual(['behaviour']);
    expect(await store.readView('verdicts', { order: 'repo' })).toEqual(verdicts);
    expect(await store.integrityCheck()).toEqual([]);
  });

  it('goes with a model that is renamed', async () => {
    await store.saveBehaviour(makeInput([makePair(1, 8)]));
    const run = await store.startRun('crawl');
    await store.upsertRepos([makeHub(8, { repo: 'else/Where' })], run, { family: 'llama' });
    expect((await store.loadBehaviour(name(1))).map((row) => row.other)).toEqual(['else/Where']);
    expect((await store.loadBehaviour('else/Where')).map((row) => row.other)).toEqual([name(1)]);
  });

  it('is all or nothing, and about models of the index only', async () => {
    await expect(
      store.saveBehaviour(makeInput([makePair(1, 2), makePair(1, 3, { second: 'no/body' })])),
    ).rejects.toMatchObject({ code: 'ModelUnknown' });
    await expect(store.saveBehaviour(makeInput([makePair(1, 1)]))).rejects.toMatchObject({
      code: 'UsageInvalid',
    });
    expect(await store.countView('behaviour')).toBe(2);
    const reader = await openStore(path, { readonly: true });
    await expect(reader.saveBehaviour(makeInput([makePair(1, 2)]))).rejects.toMatchObject({
      code: 'DatabaseInvalid',
    });
    await reader.close();
  });

  it('holds the newest comparison of each pair, whatever was saved in which order, once or twice', async () => {
    const pair = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 100 }))
      .filter(([a, b]) => a !== b);
    const saves = fc.array(
      fc.uniqueArray(pair, { selector: ([a, b]) => [a, b].sort().join(), maxLength: 8 }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(saves, async (inputs) => {
        const other = await fillFresh();
        const expected = new Map<string, number>();
        for (const pairs of inputs)
          for (let twice = 0; twice < 2; twice++) {
            await other.saveBehaviour(
              makeInput(pairs.map(([a, b, s]) => makePair(a, b, { similarity: s / 100 }))),
            );
            for (const [a, b, s] of pairs) {
              expected.set(`${name(a)} ${name(b)}`, s / 100);
              expected.set(`${name(b)} ${name(a)}`, s / 100);
            }
          }
        const found = await other.readView('behaviour');
        expect(new Map(found.map((row) => [`${row.repo} ${row.other}`, row.similarity]))).toEqual(expected);
        const db = new Sqlite(other.path, { readonly: true });
        expect(
          db
            .prepare(
              'SELECT count(*) FROM t_behaviour_runs WHERE behaviour_run NOT IN (SELECT behaviour_run FROM t_behaviour)',
            )
            .pluck()
            .get(),
        ).toBe(0);
        db.close();
        await other.close();
      }),
      { numRuns: 15 },
    );
  });
});

async function fillFresh(): Promise<Store> {
  const fresh = await openStore(makePath(), { now: makeClock() });
  const run = await fresh.startRun('crawl');
  await fresh.upsertRepos(
    Array.from({ length: 8 }, (_, i) => makeHub(i + 1)),
    run,
    { family: 'llama' },
  );
  return fresh;
}
