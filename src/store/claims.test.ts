import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from './contract.ts';
import { openStore } from './open-store.ts';
import { makeClaim, makeHub, makePath, toHubId, toSha, toSha256 } from './testing/sample-index.ts';

let store: Store;
beforeEach(async () => {
  store = await openStore(makePath());
  await store.upsertRepos([makeHub(1), makeHub(2)], 1);
});
afterEach(() => store.close());

const resolved = async () => (await store.getClaims(toHubId(1))).map((claim) => claim.resolvedRepo);

describe('claims', () => {
  it('come back as they were saved, and replacing them twice leaves the same', async () => {
    const claims = [
      makeClaim('Owner/model-2', { resolvedRepo: 'owner/Model-2' }),
      makeClaim(null, { sha256: toSha256(7), relation: null, source: 'kohya' }),
      makeClaim('x/y', { hint: true, source: 'prose' }),
    ];
    await store.replaceClaims(toHubId(1), toSha(1), claims, 1);
    await store.replaceClaims(toHubId(1), toSha(1), claims, 1);
    expect(await store.getClaims(toHubId(1))).toEqual(claims);
    expect(await store.loadClaims()).toEqual(new Map([['owner/Model-1', claims]]));
    expect(await store.countPending({ stage: 'claims', version: 1 })).toBe(1);
  });

  it('follow renames, new repos and files', async () => {
    await store.replaceClaims(toHubId(1), toSha(1), [
      makeClaim('OWNER/model-2'),
      makeClaim('late/comer'),
      makeClaim(null, { sha256: toSha256(7) }),
    ]);
    expect(await store.resolveClaims()).toBe(1);
    expect(await resolved()).toEqual(['owner/Model-2', null, null]);
    await store.upsertRepos([makeHub(2, { repo: 'new/name' }), makeHub(3, { repo: 'late/Comer' })], 2);
    await store.saveFiles(toHubId(2), toSha(2), [
      { path: 'v1.ckpt', size: 1, oid: null, sha256: toSha256(7) },
    ]);
    expect(await store.resolveClaims()).toBe(3);
    expect(await resolved()).toEqual(['new/name', 'late/Comer', 'new/name']);
    expect(await store.resolveClaims()).toBe(0);
  });

  it('of a renamed repo stand under its new name', async () => {
    await store.replaceClaims(toHubId(1), toSha(1), [makeClaim('x/y')]);
    await store.upsertRepos([makeHub(1, { repo: 'other/name' })], 2);
    expect((await store.readView('declared_bases')).map((row) => row.repo)).toEqual(['other/name']);
  });
});
