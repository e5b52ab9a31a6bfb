import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  createBytesFile,
  createTextFile,
  type Minihub,
  type RepoFile,
  startMinihub,
} from '../src/minihub/index.ts';
import type { RunOutcome } from '../src/refresh/index.ts';
import { openStore, type Store } from '../src/store/index.ts';
import type { Config } from '../src/types/config.ts';
import { type Dump, dumpDatabase } from './helpers/dump.ts';
import { createTestClock, type NightOptions, runNight, type TestClock } from './helpers/night.ts';
import { createSmallHub } from './helpers/small-hub.ts';
import { text, u32, writeGguf } from './lib/write-gguf.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let folder: string;
let clock: TestClock;
let hub: Minihub;
let database: string;
let serial = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nights-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  clock = createTestClock();
  hub = await startMinihub({ repos: createSmallHub(), clock, strict: true, quotas: 'unlimited' });
  database = join(folder, `night-${serial++}.sqlite`);
  const own = hub;
  onTestFinished(() => own.close());
});

/** A day later: what the run said, and what it asked the Hub for. */
async function night(options: Partial<NightOptions> = {}) {
  clock.advance(DAY_MS);
  hub.resetStats();
  const outcome = await runNight(hub, database, { clock, ...options });
  const stats = hub.stats();
  const routes = { list: 0, info: 0, resolve: 0, cdn: 0, ...stats.routes };
  return { outcome, counts: outcome.counts, routes, cdnBytes: stats.bytes.cdn };
}

async function query<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(database, { readonly: true });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const modelOf = async (repo: string) =>
  (await query((store) => store.readView('models', { where: 'repo = ?', params: [repo] })))[0];
const parentsOf = async (child: string) =>
  (await query((store) => store.readView('edges', { where: 'child = ? AND rank = 1', params: [child] }))).map(
    ({ parent }) => parent,
  );
const fingerprintOf = async (repo: string) => (await query((store) => store.loadSummary(repo)))?.weightsKey;

/** A commit by the repo's owner, now. */
function commit(id: string, change: (files: readonly RepoFile[]) => readonly RepoFile[]): void {
  hub.update(id, (repo) => {
    const date = new Date(clock.now()).toISOString();
    const files = change(repo.commits[0]?.files ?? []);
    const sha = createHash('sha1').update(`${id} ${date}`).digest('hex');
    repo.commits.unshift({ sha, title: 'Change', date, files });
    repo.lastModified = date;
  });
}

const filesOf = (id: string, seed: number) =>
  createSmallHub(seed).find((repo) => repo.id === id)?.files ?? [];

/** What an index made afresh from the Hub as it is now holds. */
async function crawlAfresh(): Promise<Dump> {
  const file = join(folder, `fresh-${serial++}.sqlite`);
  await runNight(hub, file, { clock });
  return dumpDatabase(file);
}

describe('a night on which nothing happened', () => {
  it('asks for lists and nothing else, and changes no row', async () => {
    const first = await night();
    expect(first.outcome).toMatchObject({ status: 'done', nothingNew: false, failures: [] });
    expect(first.routes.resolve).toBeGreaterThan(0);
    const before = await dumpDatabase(database);
    const second = await night();
    expect(second.outcome).toMatchObject({ status: 'done', nothingNew: true });
    expect(second.routes).toMatchObject({ info: 0, resolve: 0, cdn: 0 });
    expect(await dumpDatabase(database)).toEqual(before);
  });
});

describe('what changes between nights', () => {
  beforeEach(async () => {
    await night();
  });

  it('an edited README is audited anew and reads no weights', async () => {
    const id = 'owl/base-code';
    const key = await fingerprintOf(id);
    expect(await query((store) => store.loadVerdicts())).toContainEqual(
      expect.objectContaining({ repo: id, verdict: 'unresolved' }),
    );
    await hub.touchReadme(id, '---\nbase_model: fox/base\n---\n');
    hub.update(id, (repo) => {
      repo.cardData = { base_model: 'fox/base' };
    });
    const { counts, routes, cdnBytes, outcome } = await night();
    expect(counts).toMatchObject({ reposNew: 0, reposChanged: 1, fingerprinted: 0, failed: 0 });
    expect(routes).toMatchObject({ resolve: 0, cdn: 0, info: 1 });
    expect(cdnBytes).toBe(0);
    expect(outcome.nothingNew).toBe(false);
    expect(await fingerprintOf(id)).toBe(key);
    expect(await modelOf(id)).toMatchObject({ status: 'fingerprinted', sha: hub.repo(id)?.commits[0]?.sha });
    expect(await query((store) => store.loadVerdicts())).toContainEqual(
      expect.objectContaining({ repo: id, verdict: 'confirmed', declared: ['fox/base'] }),
    );
    const fresh = await crawlAfresh();
    expect(await dumpDatabase(database)).toEqual(fresh);
  });

  it('a commit beside the weights keeps the fingerprint; other weights are read', async () => {
    const id = 'fox/base-chat';
    const key = await fingerprintOf(id);
    commit(id, (files) => [...files, createTextFile('tokenizer.json', '{}')]);
    expect((await night()).counts).toMatchObject({ reposChanged: 1, fingerprinted: 0, shared: 0 });
    expect(await fingerprintOf(id)).toBe(key);

    commit(id, () => filesOf(id, 8));
    const changed = await night();
    expect(changed.counts).toMatchObject({ reposChanged: 1, fingerprinted: 1 });
    expect(changed.cdnBytes).toBeGreaterThan(0);
    expect(await fingerprintOf(id)).not.toBe(key);
    expect(await parentsOf(id)).toEqual([]);
    expect(await dumpDatabase(database)).toEqual(await crawlAfresh());
  });

  it('a copy whose weights change is a copy no more, nor is its original touched', async () => {
    const [copy, original] = ['owl/base-copy', 'fox/base'];
    const key = await fingerprintOf(original);
    expect(await fingerprintOf(copy)).toBe(key);
    commit(copy, () => filesOf('fox/base', 9));
    await night();
    expect(await fingerprintOf(original)).toBe(key);
    expect(await fingerprintOf(copy)).not.toBe(key);
    expect(await parentsOf(copy)).toEqual([]);
    expect(await dumpDatabase(database)).toEqual(await crawlAfresh());
  });

  it('a new repo is found by the cursor', async () => {
    const files = filesOf('fox/base-chat', 10);
    hub.setRepo({
      id: 'newt/new',
      files,
      createdAt: new Date(clock.now()).toISOString(),
      config: { model_type: 'llama' },
    });
    const { counts, routes } = await night();
    expect(counts).toMatchObject({ reposNew: 1, reposChanged: 0, fingerprinted: 1 });
    expect(routes.info).toBe(1);
    expect(await modelOf('newt/new')).toMatchObject({ status: 'fingerprinted', family: 'llama' });
  });

  it('a model whose every tensor is in a format that is not decoded is unsupported, not without weights', async () => {
    // ggml type 17, IQ2_XS: 256 values in 74 bytes, by a codebook
    const tensor = { name: 'token_embd.weight', shape: [4, 256], typeId: 17, data: new Uint8Array(4 * 74) };
    const keys = [text('general.architecture', 'llama'), u32('llama.attention.head_count', 4)];
    hub.setRepo({
      id: 'newt/codebook-GGUF',
      files: [createBytesFile('model.IQ2_XS.gguf', writeGguf({ keys, tensors: [tensor] }))],
      createdAt: new Date(clock.now()).toISOString(),
      tags: ['llama', 'gguf'],
    });
    const { counts, outcome } = await night();
    expect(counts).toMatchObject({ fingerprinted: 0, failed: 0 });
    expect(outcome.failures).toEqual([]);
    expect(await modelOf('newt/codebook-GGUF')).toMatchObject({ status: 'unsupported' });
    expect((await night()).routes.resolve).toBe(0);
  });

  it('a change that the Hub lists late is found within the overlap', async () => {
    clock.advance(DAY_MS);
    await runNight(hub, database, { clock });
    commit('fox/base', (files) => [...files, createTextFile('notes.txt', 'late')]);
    // dated half an hour before the crawl that could not see it
    hub.update('fox/base', (repo) => {
      repo.lastModified = new Date(clock.now() - HOUR_MS / 2).toISOString();
    });
    expect((await night()).counts.reposChanged).toBe(1);
  });

  it('a renamed repo keeps its history, and claims lead to its new name', async () => {
    const before = await modelOf('fox/base');
    hub.renameRepo('fox/base', 'vixen/base');
    const { counts, cdnBytes } = await night({ full: true });
    expect(counts).toMatchObject({ reposNew: 0, reposGone: 0, fingerprinted: 0 });
    expect(cdnBytes).toBe(0);
    expect(await modelOf('fox/base')).toBeUndefined();
    expect(await modelOf('vixen/base')).toMatchObject({ hub_id: before?.hub_id, status: 'fingerprinted' });
    expect(await parentsOf('fox/base-chat')).toEqual(['vixen/base']);
    const claims = await query((store) =>
      store.readView('declared_bases', { where: "repo = 'fox/base-chat'" }),
    );
    expect(new Set(claims.map((claim) => claim.resolved_repo))).toEqual(new Set(['vixen/base']));
    const verdicts = await query((store) => store.loadVerdicts());
    expect(verdicts.find(({ repo }) => repo === 'fox/base-chat')?.verdict).toBe('confirmed');
  });

  it('a base known only by a former name is found by asking the Hub, once', async () => {
    hub.renameRepo('fox/base', 'vixen/base');
    database = join(folder, `late-${serial++}.sqlite`);
    await night();
    const claims = await query((store) =>
      store.readView('declared_bases', { where: "repo = 'fox/base-chat'" }),
    );
    expect(claims.map((claim) => claim.resolved_repo)).toEqual(claims.map(() => 'vixen/base'));
    expect((await night()).routes.info).toBe(0);
  });

  it('what is deleted or made private is marked gone at the next reconciliation, and taken up when it is back', async () => {
    const seed = createSmallHub().find((repo) => repo.id === 'fox/base-chat');
    hub.removeRepo('fox/base-chat');
    hub.update('owl/base-code', (repo) => {
      repo.private = true;
    });
    expect((await night()).counts.reposGone).toBe(0);
    const week = await night({ full: true });
    expect(week.counts.reposGone).toBe(2);
    expect(await modelOf('fox/base-chat')).toMatchObject({ status: 'gone' });
    expect(await modelOf('owl/base-code')).toMatchObject({ status: 'gone' });
    // asked once, not every night
    expect((await night()).routes.info).toBe(0);

    if (seed) hub.setRepo({ ...seed, lastModified: new Date(clock.now()).toISOString() });
    hub.update('owl/base-code', (repo) => {
      repo.private = false;
      repo.lastModified = new Date(clock.now()).toISOString();
    });
    const back = await night();
    expect(back.outcome.status).toBe('done');
    expect(back.cdnBytes).toBe(0);
    expect(await modelOf('fox/base-chat')).toMatchObject({ status: 'fingerprinted' });
    expect(await modelOf('owl/base-code')).toMatchObject({ status: 'fingerprinted' });
    expect(await parentsOf('fox/base-chat')).toEqual(['fox/base']);
  });

  it('a repo that becomes gated keeps what was read of it', async () => {
    const id = 'fox/base-chat';
    const key = await fingerprintOf(id);
    hub.update(id, (repo) => {
      repo.gated = 'manual';
      repo.lastModified = new Date(clock.now()).toISOString();
    });
    const { outcome, cdnBytes } = await night();
    expect(outcome.failures).toEqual([]);
    expect(cdnBytes).toBe(0);
    expect(await fingerprintOf(id)).toBe(key);
    expect(await modelOf(id)).toMatchObject({ status: 'fingerprinted', gated: 'manual' });
  });

  it('reconciles by itself after reconcileDays', async () => {
    hub.removeRepo('owl/base-code');
    for (let day = 1; day <= 6; day++) expect((await night()).counts.reposGone).toBe(0);
    clock.advance(DAY_MS);
    expect((await night()).counts.reposGone).toBe(1);
  });
});

describe('gated repos', () => {
  it('take the fingerprint of an open copy that appears later, without a byte', async () => {
    const copy = createSmallHub().find((repo) => repo.id === 'elk/open-copy');
    hub.removeRepo('elk/open-copy');
    await night();
    expect(await modelOf('elk/closed')).toMatchObject({ status: 'gated' });
    expect((await night()).outcome.nothingNew).toBe(true);
    if (copy) hub.setRepo({ ...copy, createdAt: new Date(clock.now()).toISOString() });
    const { counts } = await night();
    expect(counts).toMatchObject({ fingerprinted: 1, shared: 1 });
    expect(await modelOf('elk/closed')).toMatchObject({ status: 'fingerprinted', gated: 'manual' });
    expect(await fingerprintOf('elk/closed')).toBe(await fingerprintOf('elk/open-copy'));
  });
});

describe('what fails', () => {
  it('is tried again when its time has come, as often as its code allows, and not a night more', async () => {
    const repos = ['fox/base-chat'];
    hub.setFaults({
      seed: 1,
      classes: { 'range-wrong': { rate: 1, maxPerUrl: Number.POSITIVE_INFINITY, repos } },
    });
    const attempts: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { outcome } = await night();
      expect(outcome).toMatchObject({
        status: 'partial',
        failures: [{ repo: repos[0], code: 'RangeMismatch' }],
      });
      const [failure] = await query((store) => store.listFailures());
      attempts.push(failure?.attempts ?? 0);
    }
    expect(attempts).toEqual([1, 2, 3]);
    expect(await modelOf('fox/base-chat')).toMatchObject({ status: 'failed' });
    expect((await night()).routes).toMatchObject({ info: 0, resolve: 0 });

    // a new revision is a new chance, and success leaves no failure behind
    hub.setFaults(null);
    await hub.touchReadme('fox/base-chat');
    expect((await night()).outcome).toMatchObject({ status: 'done', failures: [] });
    expect(await modelOf('fox/base-chat')).toMatchObject({ status: 'fingerprinted' });
  });

  it('waits for its time', async () => {
    hub.setFaults({
      seed: 1,
      classes: { 'range-wrong': { rate: 1, maxPerUrl: Number.POSITIVE_INFINITY, repos: ['fox/base-chat'] } },
    });
    await night();
    hub.setFaults(null);
    clock.advance(20 * 60_000);
    await runNight(hub, database, { clock });
    expect(await modelOf('fox/base-chat')).toMatchObject({ status: 'pending' });
    clock.advance(20 * 60_000);
    expect(await runNight(hub, database, { clock })).toMatchObject({ status: 'done' });
    expect(await modelOf('fox/base-chat')).toMatchObject({ status: 'fingerprinted' });
  });

  it('a listing that never comes leaves the others undisturbed, and is told', async () => {
    hub.setFaults({
      seed: 1,
      classes: { 'link-malformed': { rate: 0.8, maxPerUrl: Number.POSITIVE_INFINITY } },
    });
    const { outcome } = await night();
    hub.setFaults(null);
    expect(outcome.status).toBe('stopped');
    expect(outcome.stoppedBy?.code).toBe('HubBadAnswer');
    expect(await night()).toMatchObject({ outcome: { status: 'done' } });
    expect(await dumpDatabase(database)).toEqual(await crawlAfresh());
  });

  it('an unreachable Hub in the middle ends the night, not the repos', async () => {
    const stopping = new AbortController();
    const { outcome } = await night({
      emit: (event) => {
        if (event.type === 'progress' && event.stage === 'fingerprint' && event.done === 2) void hub.close();
      },
      signal: stopping.signal,
    });
    expect(outcome).toMatchObject({ status: 'stopped', stoppedBy: { code: 'HubUnreachable' }, failures: [] });
    hub = await startMinihub({ repos: createSmallHub(), clock, quotas: 'unlimited' });
    expect((await night()).outcome).toMatchObject({ status: 'done', failures: [] });
    expect(await query((store) => store.countView('models', { where: "status = 'pending'" }))).toBe(0);
    await hub.close();
  });
});

describe('limits of one run', () => {
  const cases: [string, Partial<Config['run']>, RegExp][] = [
    ['--limit', { limit: 3 }, /^LimitReached$/],
    ['--max-requests', { maxRequests: 80 }, /^QuotaReached$/],
    ['--max-bytes', { maxBytes: 900_000 }, /^LimitReached$/],
  ];
  it.each(cases)(
    '%s stops with a state to go on from; the nights add up to one calm night',
    async (_flag, run, code) => {
      const expected = await crawlAfresh();
      const outcomes: RunOutcome[] = [];
      for (let i = 0; i < 40; i++) {
        const { outcome } = await night({ config: { run } });
        outcomes.push(outcome);
        if (outcome.status !== 'stopped') break;
        expect(outcome.stoppedBy?.code).toMatch(code);
      }
      expect(outcomes.length).toBeGreaterThan(2);
      expect(outcomes.at(-1)?.status).toBe('done');
      expect(await dumpDatabase(database)).toEqual(expected);
      if (run.limit) expect(outcomes[0]?.counts.fingerprinted).toBeLessThanOrEqual(run.limit);
      if (run.maxRequests) {
        for (const { spending } of outcomes) {
          const { requestsApi, requestsResolvers, requestsPages, requestsCdn } = spending;
          expect(requestsApi + requestsResolvers + requestsPages + requestsCdn).toBeLessThanOrEqual(
            run.maxRequests,
          );
        }
      }
      if (run.maxBytes)
        for (const { spending } of outcomes) expect(spending.bytes).toBeLessThanOrEqual(run.maxBytes * 1.2);
    },
  );

  it('--deadline stops when its time comes, concludes from what was read, and goes on', async () => {
    hub.setQuotas({ api: 6, resolvers: 6, pages: 6, windowSeconds: 300 });
    const at = new Date(clock.now() + DAY_MS + 12 * 60_000);
    const deadline = `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
    const { outcome } = await night({ config: { run: { deadline } } });
    expect(outcome).toMatchObject({ status: 'stopped', stoppedBy: { code: 'DeadlineReached' } });
    expect(clock.now()).toBeLessThanOrEqual(at.getTime() + 1000);
    expect(outcome.counts.fingerprinted).toBeGreaterThan(0);
    expect(outcome.counts.verdicts).toBeGreaterThan(0);
    hub.setQuotas('unlimited');
    expect((await night()).outcome.status).toBe('done');
    expect(await dumpDatabase(database)).toEqual(await crawlAfresh());
  });
});

describe('a signal', () => {
  it('lets what is under way be finished and begins nothing new', async () => {
    const stopping = new AbortController();
    const done: number[] = [];
    const { outcome } = await night({
      signal: stopping.signal,
      config: { sampling: { concurrency: 2 } },
      emit: (event) => {
        if (event.type !== 'progress' || event.stage !== 'fingerprint') return;
        done.push(event.done);
        stopping.abort();
      },
    });
    expect(outcome).toMatchObject({
      status: 'interrupted',
      stoppedBy: { code: 'Interrupted' },
      failures: [],
    });
    // the one that was told of and the one beside it
    expect(done.length).toBeLessThanOrEqual(2);
    expect(outcome.counts.fingerprinted + outcome.counts.shared).toBeGreaterThanOrEqual(done.length - 1);
    expect((await night()).outcome.status).toBe('done');
    expect(await dumpDatabase(database)).toEqual(await crawlAfresh());
  });

  it('gives up what still hangs after the grace period', async () => {
    const stopping = new AbortController();
    hub.setFaults({ seed: 1, classes: { 'stalled-body': { rate: 1 } }, stallMs: 60_000 });
    const running = night({ signal: stopping.signal, graceMs: 50 });
    setTimeout(() => stopping.abort(), 100);
    expect((await running).outcome).toMatchObject({ status: 'interrupted', failures: [] });
    hub.setFaults(null);
  });
});
