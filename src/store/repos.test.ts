import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from './contract.ts';
import { openStore } from './open-store.ts';
import { toQueue } from './pending.ts';
import {
  makeClock,
  makeEdge,
  makeHub,
  makePath,
  makeSummary,
  makeVerdict,
  toHubId,
  toSha,
} from './testing/sample-index.ts';

let store: Store;
beforeEach(async () => {
  store = await openStore(makePath(), { now: makeClock() });
});
afterEach(() => store.close());

const finish = (n: number, sha: string | null = toSha(n)) =>
  store.saveFingerprint({
    hubId: toHubId(n),
    sha,
    version: 1,
    weightsKey: `k${n}`,
    blob: new Uint8Array([n]),
    summary: makeSummary(),
  });

const names = async (items: AsyncIterable<{ repo: string }>) => {
  const list: string[] = [];
  for await (const item of items) list.push(item.repo);
  return list;
};

describe('upsertRepos', () => {
  it('counts new, changed and renamed repos, and keeps the listing row as it came', async () => {
    const hub = makeHub(1, { tags: ['license:mit'], cardData: { base_model: 'a/b' } });
    expect(await store.upsertRepos([hub, makeHub(2)], 1)).toEqual({
      seen: 2,
      first: 2,
      new: 2,
      changed: 0,
      renamed: 0,
    });
    expect(await store.upsertRepos([hub, makeHub(2)], 2)).toEqual({
      seen: 2,
      first: 2,
      new: 0,
      changed: 0,
      renamed: 0,
    });
    const moved = { ...makeHub(2), sha: toSha(99), repo: 'other/New-Name', downloads: 7 };
    expect(await store.upsertRepos([moved], 3)).toEqual({
      seen: 1,
      first: 1,
      new: 0,
      changed: 1,
      renamed: 1,
    });
    expect((await store.getRepo('owner/model-1'))?.hub).toEqual(hub);
    expect((await store.getRepo(toHubId(2)))?.hub).toEqual(moved);
    expect((await store.readView('models', { where: 'repo = ?', params: [hub.repo] }))[0]?.license).toBe(
      'mit',
    );
  });

  it('finds repos without regard to case and by former names', async () => {
    await store.upsertRepos([makeHub(1)], 1);
    await store.upsertRepos([{ ...makeHub(1), repo: 'new/name' }], 2);
    expect(await store.findRepo('NEW/Name')).toEqual({ hubId: toHubId(1), repo: 'new/name', renamed: false });
    expect(await store.findRepo('owner/model-1')).toEqual({
      hubId: toHubId(1),
      repo: 'new/name',
      renamed: true,
    });
    expect(await store.findRepo('owner/model')).toBeNull();
  });

  it('survives two repos swapping names, with edges and verdicts following the repos', async () => {
    await store.upsertRepos([makeHub(1), makeHub(2), makeHub(3)], 1);
    const [a, b] = [makeHub(1).repo, makeHub(2).repo];
    await store.replaceDerived(
      {
        edges: [makeEdge(a, 'owner/Model-3')],
        evidence: [],
        families: [
          { repo: 'owner/Model-3', root: 'owner/Model-3', depth: 0 },
          { repo: a, root: 'owner/Model-3', depth: 1 },
          { repo: b, root: b, depth: 0 },
        ],
        virtualParents: [],
      },
      1,
    );
    await store.replaceVerdicts(
      [makeVerdict(a, { verdict: 'undeclared' }), makeVerdict(b, { verdict: 'original' })],
      1,
    );
    await store.upsertRepos(
      [
        { ...makeHub(1), repo: b },
        { ...makeHub(2), repo: a },
      ],
      2,
    );
    expect(await store.findRepo(a)).toMatchObject({ hubId: toHubId(2) });
    expect(await store.findRepo(b)).toMatchObject({ hubId: toHubId(1) });
    expect((await store.loadEdges()).map((edge) => edge.child)).toEqual([b]);
    expect((await store.loadVerdicts()).map((v) => [v.repo, v.verdict])).toEqual([
      [a, 'original'],
      [b, 'undeclared'],
    ]);
    expect(await store.readView('models', { where: 'family_root = ?', params: [a] })).toHaveLength(1);
    expect(await store.readView('ancestors')).toEqual([{ repo: b, ancestor: 'owner/Model-3', depth: 1 }]);
    expect(await store.countView('models')).toBe(3);
    expect(await store.integrityCheck()).toEqual([]);
  });

  it('takes a name over when a repo was deleted and made anew', async () => {
    await store.upsertRepos([makeHub(1)], 1);
    await store.upsertRepos([{ ...makeHub(2), repo: makeHub(1).repo }], 2);
    expect(await store.findRepo(makeHub(1).repo)).toMatchObject({ hubId: toHubId(2) });
    expect((await store.readView('models')).map((row) => row.hub_id)).toEqual([toHubId(2)]);
  });

  it('saves the cursor with the rows', async () => {
    await store.upsertRepos([makeHub(1)], 1, {
      cursor: { key: 'llama', value: { url: 'https://hub/next' } },
    });
    expect(await store.getCursor('llama')).toEqual({ url: 'https://hub/next' });
    await store.clearCursor('llama');
    expect(await store.getCursor('llama')).toBeNull();
  });
});

describe('the queue', () => {
  const pending = async (version = 1) =>
    (await store.takePending({ stage: 'fingerprint', version, limit: 10 })).map((row) => row.repo);

  it('holds what is in scope and not done at this version', async () => {
    await store.upsertRepos([makeHub(1), makeHub(2)], 1, { family: 'llama' });
    await store.upsertRepos([makeHub(3)], 1, { inScope: false });
    expect(await pending()).toEqual(['owner/Model-1', 'owner/Model-2']);
    await finish(1);
    expect(await pending()).toEqual(['owner/Model-2']);
    expect(
      await store.countPending({ stage: 'fingerprint', version: 1, families: ['stable-diffusion'] }),
    ).toBe(0);
    expect(await pending(2)).toEqual(['owner/Model-2', 'owner/Model-1']);
  });

  it('goes on after a key without repeating or losing any', async () => {
    await store.upsertRepos(
      Array.from({ length: 7 }, (_, i) => makeHub(i + 1)),
      1,
    );
    const seen: string[] = [];
    let afterKey: string | null = null;
    for (;;) {
      const rows = await store.takePending({ stage: 'fingerprint', version: 1, limit: 3, afterKey });
      if (rows.length === 0) break;
      seen.push(...rows.map((row) => row.repo));
      afterKey = rows.at(-1)!.key;
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
  });

  it('takes a repo again when its sha or its gate moves, and keeps the old fingerprint until then', async () => {
    await store.upsertRepos([makeHub(1, { gated: 'manual' })], 1);
    await store.setStatus(toHubId(1), toSha(1), 1, 'gated');
    expect(await pending()).toEqual([]);
    await store.upsertRepos([makeHub(1)], 2);
    expect(await pending()).toEqual(['owner/Model-1']);
    await finish(1);
    await store.upsertRepos([makeHub(1, { sha: toSha(5) })], 3);
    expect(await pending()).toEqual(['owner/Model-1']);
    expect(await names(store.loadSummaries())).toEqual(['owner/Model-1']);
    await store.setStatus(toHubId(1), toSha(5), 1, 'no_weights', 'only a README');
    expect(await names(store.loadSummaries())).toEqual([]);
    expect(await store.getRepo('owner/Model-1')).toMatchObject({
      status: 'no_weights',
      statusDetail: 'only a README',
    });
  });

  it('goes by the date of the last change where the Hub names no commit', async () => {
    const at = (lastModified: string, sha: string | null = null) => makeHub(1, { sha, lastModified });
    await store.upsertRepos([at('2024-01-01T00:00:00.000Z')], 1);
    await finish(1, null);
    await store.upsertRepos([at('2024-01-01T00:00:00.000Z')], 2);
    expect(await pending()).toEqual([]);
    expect(await store.upsertRepos([at('2024-01-02T00:00:00.000Z')], 3)).toMatchObject({ changed: 1 });
    expect(await pending()).toEqual(['owner/Model-1']);
    await finish(1, null);
    // named after all: the same revision, which stays named when another listing leaves it out
    await store.upsertRepos([at('2024-01-02T00:00:00.000Z', toSha(7))], 4);
    expect(await store.upsertRepos([at('2024-01-02T00:00:00.000Z')], 5)).toMatchObject({ changed: 0 });
    expect(await pending()).toEqual([]);
    expect((await store.getRepo('owner/Model-1'))?.hub.sha).toBe(toSha(7));
  });

  it('ignores what is said about a revision that is no longer the newest', async () => {
    await store.upsertRepos([makeHub(1)], 1);
    await store.upsertRepos([makeHub(1, { sha: toSha(5) })], 2);
    await finish(1, toSha(1));
    expect(await pending()).toEqual(['owner/Model-1']);
  });

  it('comes back when a repo that was gone is there again', async () => {
    await store.upsertRepos([makeHub(1)], 1);
    await store.setGone([toHubId(1)], 1);
    expect(await pending()).toEqual([]);
    await store.upsertRepos([makeHub(1)], 2);
    expect(await pending()).toEqual(['owner/Model-1']);
  });

  it.each(['fingerprint', 'claims'] as const)('of %s walks over its index of open work alone', (stage) => {
    const db = new Sqlite(store.path, { readonly: true });
    const { from, params } = toQueue({ stage, version: 3 });
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN SELECT count(*) ${from}`)
      .all({ ...params, now: '' })
      .map((row) => (row as { detail: string }).detail);
    db.close();
    expect(plan[0]).toMatch(new RegExp(`^SEARCH r USING (COVERING )?INDEX t_repos_todo_${stage} `));
  });
});

describe('a crawl that saw everything', () => {
  it('tells which repos it did not see', async () => {
    await store.upsertRepos([makeHub(1), makeHub(2)], 1, { family: 'llama' });
    await store.upsertRepos([makeHub(1)], 2, { family: 'llama' });
    expect((await store.listUnseen(2)).map((row) => row.repo)).toEqual(['owner/Model-2']);
    expect(await store.listUnseen(2, ['stable-diffusion'])).toEqual([]);
    expect(await store.setGone([toHubId(2)], 2)).toBe(1);
    expect(await store.setGone([toHubId(2)], 2)).toBe(0);
    expect(await store.listUnseen(2)).toEqual([]);
    expect(await names(store.iterateRepos())).toEqual(['owner/Model-1']);
    expect(await names(store.iterateRepos({ presentOnly: false, statuses: ['gone'] }))).toEqual([
      'owner/Model-2',
    ]);
    expect(await store.countRepos({ families: ['llama'] })).toBe(1);
  });
});

describe('suggestRepos', () => {
  it('offers names that begin as typed by downloads, then the nearest', async () => {
    const repos = [
      'meta-llama/Llama-2-7b-hf',
      'meta-llama/Llama-2-13b-hf',
      'someone/llama-2-7b-hf',
      'mistralai/Mistral-7B',
    ];
    await store.upsertRepos(
      repos.map((repo, i) => makeHub(i + 1, { repo })),
      1,
    );
    expect(await store.suggestRepos('meta-llama/Llama-2')).toEqual([repos[1], repos[0], repos[2]]);
    expect(await store.suggestRepos('meta-lama/Llama-2-7b-hf')).toEqual([repos[0], repos[1], repos[2]]);
    expect((await store.suggestRepos('mistralai/Mistrall-7B'))[0]).toBe(repos[3]);
    expect(await store.suggestRepos('')).toEqual([]);
  });
});
