import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../types/errors.ts';
import type { Store } from './contract.ts';
import { openStore } from './open-store.ts';
import { makeHub, makePath, toHubId, toSha } from './testing/sample-index.ts';

let store: Store;
let now = new Date('2026-01-01T00:00:00.000Z');
beforeEach(async () => {
  now = new Date('2026-01-01T00:00:00.000Z');
  store = await openStore(makePath(), { now: () => now });
  await store.upsertRepos([makeHub(1)], 1);
});
afterEach(() => store.close());

const fail = (code: ErrorCode, retryAfter: string | null = null, version = 1) =>
  store.recordFailure({
    hubId: toHubId(1),
    stage: 'fingerprint',
    version,
    error: { code, message: code },
    retryAfter,
  });
const pending = (version = 1) => store.countPending({ stage: 'fingerprint', version });

describe('recordFailure', () => {
  it('counts tries up to the budget of the code, then leaves the repo alone', async () => {
    expect(await fail('HubBadAnswer')).toEqual({ attempts: 1, exhausted: false });
    expect(await pending()).toBe(1);
    await fail('HubBadAnswer');
    expect(await fail('HubBadAnswer')).toEqual({ attempts: 3, exhausted: true });
    expect(await pending()).toBe(0);
    expect((await store.getRepo(toHubId(1)))?.status).toBe('failed');
  });

  it('costs nothing when the Hub asks to wait', async () => {
    for (let i = 0; i < 20; i++)
      expect(await fail('HubThrottled')).toEqual({ attempts: 0, exhausted: false });
    expect(await pending()).toBe(1);
  });

  it('gives up at once on what cannot get better', async () => {
    expect(await fail('HeaderInvalid')).toEqual({ attempts: 1, exhausted: true });
    expect(await pending()).toBe(0);
    expect(await store.readView('failures')).toEqual([
      {
        repo: 'owner/Model-1',
        stage: 'fingerprint',
        error_code: 'HeaderInvalid',
        attempts: 1,
        last_error: 'HeaderInvalid',
        retry_after: null,
      },
    ]);
  });

  it('waits until retryAfter has passed', async () => {
    await fail('HubTimeout', '2026-01-01T01:00:00.000Z');
    expect(await pending()).toBe(0);
    now = new Date('2026-01-01T01:00:00.000Z');
    expect(await pending()).toBe(1);
  });

  it('starts anew with a new analyser or a new revision', async () => {
    await fail('HeaderInvalid');
    expect(await pending(2)).toBe(1);
    expect(await fail('HubTimeout', null, 2)).toEqual({ attempts: 1, exhausted: false });
    await fail('HeaderInvalid', null, 2);
    expect(await pending(2)).toBe(0);
    await store.upsertRepos([makeHub(1, { sha: toSha(9) })], 2);
    expect(await pending(2)).toBe(1);
    expect(await store.listFailures()).toEqual([]);
  });

  it('keeps the first error beside the last', async () => {
    await fail('BodyTruncated');
    now = new Date('2026-01-02T00:00:00.000Z');
    await fail('HubTimeout');
    expect(await store.listFailures('fingerprint')).toMatchObject([
      { code: 'HubTimeout', first: { code: 'BodyTruncated', at: '2026-01-01T00:00:00.000Z' }, attempts: 2 },
    ]);
    await store.clearFailure(toHubId(1), 'fingerprint');
    expect(await store.listFailures()).toEqual([]);
  });

  it('takes a repo up again that was gone when read and is listed after all', async () => {
    await fail('RepoGone');
    expect((await store.getRepo(toHubId(1)))?.status).toBe('gone');
    expect(await pending()).toBe(0);
    await store.upsertRepos([makeHub(1)], 2);
    expect(await pending()).toBe(1);
  });

  it('tells gates and missing weights apart from failures, and cuts endless messages', async () => {
    await fail('RepoGated');
    expect((await store.getRepo(toHubId(1)))?.status).toBe('gated');
    await store.recordFailure({
      hubId: toHubId(1),
      stage: 'claims',
      version: 1,
      error: { code: 'CardInvalid', message: 'x'.repeat(5000) },
    });
    expect((await store.listFailures('claims'))[0]?.message).toHaveLength(1000);
  });
});
