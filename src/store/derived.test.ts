import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Edge } from '../types/lineage.ts';
import { BULK_ROWS } from './bulk.ts';
import { MAX_ANCESTOR_DEPTH } from './closure.ts';
import type { Store } from './contract.ts';
import { openStore } from './open-store.ts';
import {
  fillSampleIndex,
  makeClock,
  makeEdge,
  makeEvidence,
  makePath,
  makeVerdict,
} from './testing/sample-index.ts';
import { VIEW_NAMES } from './view-definitions.ts';

let store: Store;
beforeEach(async () => {
  store = await openStore(makePath(), { now: makeClock() });
});
afterEach(() => store.close());

const derive = (edges: Edge[], run = 1) =>
  store.replaceDerived({ edges, evidence: [], families: [], virtualParents: [] }, run);

/** Ancestors by the plain definition: follow rank-1 parents, shortest way, nothing above itself. */
function naiveAncestors(edges: readonly Edge[]): string[] {
  const rows: string[] = [];
  for (const start of new Set(edges.map((edge) => edge.child))) {
    const depths = new Map<string, number>([[start, 0]]);
    for (let depth = 1; depth <= MAX_ANCESTOR_DEPTH; depth++)
      for (const edge of edges)
        if (edge.rank === 1 && depths.get(edge.child) === depth - 1 && !depths.has(edge.parent))
          depths.set(edge.parent, depth);
    for (const [ancestor, depth] of depths) if (depth > 0) rows.push(`${start} ${ancestor} ${depth}`);
  }
  return rows.sort();
}

const names = ['a/1', 'a/2', 'a/3', 'a/4', 'virtual/v'];
const anyEdges = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names), fc.integer({ min: 1, max: 2 })),
  { selector: (edge) => edge.join(), maxLength: 12 },
);

describe('replaceDerived', () => {
  it('gives the ancestors of any graph, cycles and merges too', async () => {
    await fc.assert(
      fc.asyncProperty(anyEdges, async (tuples) => {
        const edges = tuples.map(([child, parent, rank]) => makeEdge(child, parent, { rank }));
        await derive(edges);
        const rows = await store.readView('ancestors');
        expect(rows.map((row) => `${row.repo} ${row.ancestor} ${row.depth}`).sort()).toEqual(
          naiveAncestors(edges),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the same rows when it is done twice', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(anyEdges, anyEdges, async (first, second) => {
        const toEdges = (tuples: typeof first) =>
          tuples.map(([child, parent, rank]) => makeEdge(child, parent, { rank }));
        const dump = async () => {
          const views = ['edges', 'ancestors', 'counts'] as const;
          const rows = await Promise.all(views.map((view) => store.readView(view)));
          const history = await store.readView('edge_history', { order: 'child, parent, first_run' });
          return { rows, history: history.map((row) => ({ ...row, first_seen: null, last_seen: null })) };
        };
        run += 2;
        await derive(toEdges(first), run);
        await derive(toEdges(second), run + 1);
        const once = await dump();
        await derive(toEdges(second), run + 1);
        expect(await dump()).toEqual(once);
      }),
      { numRuns: 25 },
    );
  });

  it('leaves the same indexes and rows when there are so many that it builds indexes anew', async () => {
    const db = new Sqlite(store.path, { readonly: true });
    const indexes = () =>
      db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").all();
    const before = indexes();
    const edges = Array.from({ length: BULK_ROWS }, (_, i) => makeEdge(`c/${i + 1}`, `c/${i >> 1}`));
    await derive(edges);
    await store.replaceVerdicts(
      edges.map((edge) => makeVerdict(edge.child)),
      1,
    );
    expect(indexes()).toEqual(before);
    expect(await store.countView('edges')).toBe(BULK_ROWS);
    expect(await store.readView('ancestors', { where: 'repo = ?', params: ['c/5'], order: 'depth' })).toEqual(
      [
        { repo: 'c/5', ancestor: 'c/2', depth: 1 },
        { repo: 'c/5', ancestor: 'c/0', depth: 2 },
      ],
    );
    expect(await store.integrityCheck()).toEqual([]);
    await derive([makeEdge('a/1', 'a/2')]);
    expect(await store.countView('edges')).toBe(1);
    db.close();
  });

  it('ends a chain at the depth cap', async () => {
    await derive(Array.from({ length: 200 }, (_, i) => makeEdge(`c/${i + 1}`, `c/${i}`)));
    const rows = await store.readView('ancestors', {
      where: 'repo = ?',
      params: ['c/200'],
      order: 'depth DESC',
    });
    expect(rows).toHaveLength(MAX_ANCESTOR_DEPTH);
    expect(rows[0]).toEqual({
      repo: 'c/200',
      ancestor: `c/${200 - MAX_ANCESTOR_DEPTH}`,
      depth: MAX_ANCESTOR_DEPTH,
    });
  });

  it('keeps what it had when something goes wrong half way', async () => {
    await derive([makeEdge('a/1', 'a/2')]);
    const broken = makeEdge('a/3', 'a/4', { parentKind: 'nonsense' as 'repo' });
    await expect(derive([makeEdge('a/5', 'a/6'), broken])).rejects.toThrow();
    expect((await store.loadEdges()).map((edge) => edge.child)).toEqual(['a/1']);
  });

  it('gives back edges, evidence, families and virtual parents as they went in', async () => {
    const rows = {
      edges: [
        makeEdge('a/1', 'virtual/v', { weight: null }),
        makeEdge('a/2', 'a/1', { relation: 'merge', weight: 0.25, rank: 1 }),
      ],
      evidence: [makeEvidence('a/2', 'a/1', 'first'), makeEvidence('a/2', 'a/1', 'second')],
      families: [
        { repo: 'a/1', root: 'virtual/v', depth: 1 },
        { repo: 'virtual/v', root: 'virtual/v', depth: 0 },
      ],
      virtualParents: [
        { id: 'virtual/v', declaredLabel: 'lost/base', children: ['a/1'] },
        {
          id: 'virtual/w',
          declaredLabel: null,
          children: ['a/2', 'a/3', 'a/4'],
          core: { key: 'k', values: Float32Array.of(0.5, -1, 0.25), relativeError: 0.02, from: 3 },
        },
      ],
    };
    await store.replaceDerived(rows, 1);
    expect(await store.loadEdges()).toEqual(rows.edges);
    expect(await store.loadEvidence('a/2')).toEqual(rows.evidence);
    expect(await store.loadEvidence('a/2', 'a/9')).toEqual([]);
    expect(await store.loadFamilies()).toEqual(rows.families);
    expect(await store.loadVirtualParents()).toEqual(rows.virtualParents);
  });
});

describe('history', () => {
  it('tells which edges came and went', async () => {
    await derive([makeEdge('a/1', 'a/2'), makeEdge('a/3', 'a/2')], 1);
    await derive([makeEdge('a/1', 'a/4'), makeEdge('a/3', 'a/2')], 2);
    expect(
      (await store.listEdgeChanges(1)).map(({ change, child, parent }) => [change, child, parent]),
    ).toEqual([
      ['removed', 'a/1', 'a/2'],
      ['added', 'a/1', 'a/4'],
    ]);
    expect(await store.listEdgeChanges(2)).toEqual([]);
  });

  it('tells which verdicts flipped, and nothing when none did', async () => {
    await store.replaceVerdicts([makeVerdict('a/1'), makeVerdict('a/2')], 1);
    await store.replaceVerdicts([makeVerdict('a/1', { reason: 'in other words' }), makeVerdict('a/2')], 2);
    expect(await store.listVerdictChanges(1)).toEqual([]);
    const flipped = [makeVerdict('a/1', { verdict: 'contradicted', declared: ['x/y'] }), makeVerdict('a/2')];
    await store.replaceVerdicts(flipped, 3);
    await store.replaceVerdicts(flipped, 3);
    expect(await store.listVerdictChanges(1)).toMatchObject([
      { repo: 'a/1', runId: 3, from: 'confirmed', to: 'contradicted' },
    ]);
    expect(await store.listVerdictHistory('a/1')).toHaveLength(2);
    expect(await store.loadVerdicts()).toEqual(flipped);
  });
});

describe('the public views', () => {
  it('all hold something in the sample index, and nothing dangles', async () => {
    const sample = await fillSampleIndex(makePath());
    for (const view of VIEW_NAMES) expect(await sample.countView(view), view).toBeGreaterThan(0);
    expect(await sample.integrityCheck()).toEqual([]);
    expect(await sample.readView('roots', { order: 'models DESC' })).toEqual([
      { root: 'owner/Model-1', family: 'llama', models: 6, max_depth: 2 },
      { root: 'virtual/llama-abc', family: 'llama', models: 2, max_depth: 1 },
    ]);
    expect(await sample.readView('declared_bases', { order: 'repo, declared' })).toEqual([
      {
        repo: 'owner/Model-2',
        declared: 'owner/Model-1',
        resolved_repo: 'owner/Model-1',
        relation: 'finetune',
        source: 'card',
      },
      {
        repo: 'owner/Model-5',
        declared: 'owner/Model-7',
        resolved_repo: 'owner/Model-7',
        relation: 'finetune',
        source: 'card',
      },
      {
        repo: 'owner/Model-7',
        declared: './checkpoint-500',
        resolved_repo: null,
        relation: 'finetune',
        source: 'card',
      },
      {
        repo: 'owner/Model-7',
        declared: 'lost/base',
        resolved_repo: null,
        relation: 'finetune',
        source: 'card',
      },
    ]);
    await sample.close();
  });
});
