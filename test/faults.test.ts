import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createHostileRepos,
  FAULT_CLASSES,
  type FaultClass,
  type Minihub,
  startMinihub,
} from '../src/minihub/index.ts';
import { type Dump, dumpDatabase } from './helpers/dump.ts';
import { createTestClock, runNight, type TestClock } from './helpers/night.ts';
import { createSmallHub } from './helpers/small-hub.ts';

/** Seeds decide which requests are hit; another one is another night. */
const SEED = Number(process.env.HUBLINEAGE_SEED ?? 3);
const DAY_MS = 86_400_000;

/** Only where silence is the fault is it worth waiting for less. */
const SILENT: readonly FaultClass[] = ['stalled-body', 'slow-drip'];
/** Only where quotas are the subject are they small. */
const QUOTA = FAULT_CLASSES.filter((name) => /^(?:ratelimit|quota|throttle)-/.test(name));

/**
 * What a faulty night may leave behind, by the codes of its `failures`; every class not named here is cured within the night, and
 * its rows are those of the calm one.
 */
const LEFT_BEHIND: Partial<Record<FaultClass, LeftBehind>> = {
  'redirect-foreign': { codes: /^RedirectRefused$/ },
  // a host outside the allow-list, whether it resolves or not
  'cdn-dns': { codes: /^RedirectRefused$/ },
  // a slice has no checksum: a flipped bit in values is seen by nobody, one in a header makes it unreadable
  'flipped-byte': { codes: /^(?:Header|Offset|Shape|Dtype|Index|Pickle|Shard|Container)/ },
  // a row nobody was shown is there on the next reconciliation
  'missing-row': { compare: (dump, fresh) => expect(dump).toEqual(fresh) },
  'main-moves': { compare: (dump, fresh) => expect(dump).toEqual(fresh) },
  // claims say what the Hub said when they were read, and lead to today's names
  'repo-renamed': {
    compare: (dump, fresh) => expect(withoutDeclaredNames(dump)).toEqual(withoutDeclaredNames(fresh)),
  },
  // what is gone is marked so and keeps its rows; who declared it is told that it cannot be checked, not that it never was
  'repo-deleted': {
    compare(dump, fresh) {
      const present = readModels(dump).filter(({ status }) => status !== 'gone');
      expect(present.map(({ repo }) => repo)).toEqual(readModels(fresh).map(({ repo }) => repo));
      expect(present.length).toBeLessThan(readModels(dump).length);
      expect(dump.edges).toEqual(fresh.edges);
    },
  },
  // weights read before somebody closed the repo stay known; the others are told as gated
  'repo-gated': {
    compare(dump) {
      const statuses = readModels(dump).map(({ status }) => status);
      expect([...new Set(statuses)].sort()).toEqual(expect.arrayContaining(['gated']));
      for (const status of statuses) expect(status).toMatch(/^(?:fingerprinted|adapter|gated|no_weights)$/);
    },
  },
};

interface LeftBehind {
  /** codes of the failures that stay */
  codes?: RegExp;
  /** rows after the faulty night and a calm one, with those of an index made afresh from the Hub as it is now */
  compare?(dump: Dump, fresh: Dump): void;
}

let folder: string;
let calm: Dump;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faults-'));
  calm = (await crawlOnce('calm')).dump;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function crawlOnce(name: string, hub?: Minihub, clock: TestClock = createTestClock()) {
  const own = hub ?? (await startMinihub({ repos: createSmallHub(), clock, strict: true }));
  const database = join(folder, `${name}.sqlite`);
  const outcome = await runNight(own, database, { clock });
  if (hub === undefined) await own.close();
  return { outcome, dump: await dumpDatabase(database), database };
}

const readModels = (dump: Dump): { repo: string; status: string }[] =>
  (dump.models ?? []).map((row) => JSON.parse(row));

const withoutDeclaredNames = (dump: Dump): Dump => ({
  ...dump,
  declared_bases: [
    ...new Set(
      (dump.declared_bases ?? []).map((row) => JSON.stringify({ ...JSON.parse(row), declared: '' })),
    ),
  ].sort(),
});

/** Whoever is not named is listed and declares as on the calm night. */
function expectUntouched(dump: Dump, failed: readonly string[]): void {
  const others = (rows: string[] | undefined) =>
    rows?.filter((row) => !failed.includes(JSON.parse(row).repo));
  expect(readModels(dump).map(({ repo }) => repo)).toEqual(readModels(calm).map(({ repo }) => repo));
  expect(others(dump.declared_bases)).toEqual(others(calm.declared_bases));
  // a gated repo whose open copy failed cannot be told by it
  const statuses = (of: Dump) =>
    others(of.models)?.map((row) => JSON.parse(row).status.replace('gated', 'fingerprinted'));
  expect(statuses(dump)).toEqual(statuses(calm));
}

async function crawlWith(fault: FaultClass) {
  const clock = createTestClock();
  const hub = await startMinihub({
    repos: createSmallHub(),
    clock,
    strict: true,
    quotas: QUOTA.includes(fault) ? { api: 12, resolvers: 12, pages: 12, windowSeconds: 300 } : 'unlimited',
    faults: { seed: SEED, classes: { [fault]: { rate: 0.6, maxPerUrl: 1 } }, stallMs: 700 },
  });
  try {
    const config = SILENT.includes(fault) ? { hub: { timeoutMs: 300 } } : {};
    const database = join(folder, `${fault}.sqlite`);
    const night = await runNight(hub, database, { clock, config });
    const afterNight = await dumpDatabase(database);
    const { faults, leakedTokens } = hub.stats();
    const left = { night, afterNight, hits: faults[fault] ?? 0, leakedTokens };
    if (LEFT_BEHIND[fault] === undefined) return { ...left, later: null };
    // a day later all is calm, and a reconciliation is asked for
    hub.setFaults(null);
    clock.advance(DAY_MS);
    const outcome = await runNight(hub, database, { clock, full: true });
    const fresh = await crawlOnce(`${fault}-fresh`, hub, clock);
    return { ...left, later: { outcome, dump: await dumpDatabase(database), fresh: fresh.dump } };
  } finally {
    await hub.close();
  }
}

describe('the whole pipeline on a bad night', () => {
  it('has a calm night to compare with', () => {
    expect(readModels(calm)).toHaveLength(createSmallHub().length);
    expect(calm.failures).toEqual([]);
    expect(calm.edges?.length).toBeGreaterThan(5);
  });

  it.each(FAULT_CLASSES)('%s', async (fault) => {
    const { night, afterNight, later, hits, leakedTokens } = await crawlWith(fault);
    expect(hits).toBeGreaterThan(0);
    expect(leakedTokens).toBe(0);
    expect(night.stoppedBy).toBeNull();
    const left = LEFT_BEHIND[fault];
    for (const { code } of night.failures) expect(code).toMatch(left?.codes ?? /^none$/);
    if (left === undefined || later === null) {
      expect(night.status).toBe('done');
      expect(afterNight).toEqual(calm);
      return;
    }
    expect(later.outcome.stoppedBy).toBeNull();
    if (left.codes) {
      // no try is left for these, and everybody else is as on the calm night
      expect(night.failures.length).toBeGreaterThan(0);
      expect(later.outcome.failures).toEqual(night.failures);
      expectUntouched(
        afterNight,
        night.failures.map(({ repo }) => repo),
      );
    } else expect(later.outcome.failures).toEqual([]);
    left.compare?.(later.dump, later.fresh);
  });
});

describe('repos that mean harm', () => {
  it('each end as what they are, in bounded memory, beside a clean model read as ever', async () => {
    const expected = JSON.parse(
      readFileSync(new URL('./fixtures/hostile-outcomes.json', import.meta.url), 'utf8'),
    ) as Record<string, string>;
    const clock = createTestClock();
    const hub = await startMinihub({ repos: createHostileRepos(), clock, strict: true, quotas: 'unlimited' });
    const database = join(folder, 'hostile.sqlite');
    try {
      const config = { hub: { pageSize: 100 } };
      expect((await runNight(hub, database, { clock, config })).stoppedBy).toBeNull();
      const dump = await dumpDatabase(database);
      const codes = new Map(dump.failures?.map((row) => [JSON.parse(row).repo, JSON.parse(row).error_code]));
      const outcomes = readModels(dump).map(({ repo, status }) => [
        repo.replace('hostile/', ''),
        [status, codes.get(repo)].filter(Boolean).join(' '),
      ]);
      expect(Object.fromEntries(outcomes)).toEqual(expected);
      // nobody is accused by a broken card
      expect(dump.verdicts?.filter((row) => JSON.parse(row).verdict === 'contradicted')).toEqual([]);
      // all of it is final: nothing is read again the next night
      clock.advance(DAY_MS);
      hub.resetStats();
      await runNight(hub, database, { clock, config });
      expect(hub.stats().routes).not.toHaveProperty('resolve');
      expect(await dumpDatabase(database)).toEqual(dump);
    } finally {
      await hub.close();
    }
    expect(existsSync('/tmp/owned')).toBe(false);
  });
});
