import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from './contract.ts';
import { fromCoreBytes, toCoreBytes } from './fingerprints.ts';
import { openStore } from './open-store.ts';
import {
  makeClock,
  makeHub,
  makePath,
  makeSummary,
  toHubId,
  toSha,
  toSha256,
} from './testing/sample-index.ts';
import { isWeightFile, toWeightsKey } from './weights-key.ts';

let store: Store;
beforeEach(async () => {
  store = await openStore(makePath(), { now: makeClock() });
  await store.upsertRepos([makeHub(1), makeHub(2), makeHub(3, { gated: 'auto' })], 1, { family: 'llama' });
});
afterEach(() => store.close());

const file = (path: string, n: number) => ({ path, size: 100, oid: null, sha256: toSha256(n) });
const save = (n: number, weightsKey = 'w', blob = new Uint8Array([1, 2, 3])) =>
  store.saveFingerprint({
    hubId: toHubId(n),
    sha: toSha(n),
    version: 1,
    weightsKey,
    blob,
    summary: makeSummary(),
  });

describe('fingerprints', () => {
  it('come back as they were saved', async () => {
    await save(1);
    const model = await store.loadSummary('owner/Model-1');
    expect(model).toMatchObject({
      repo: 'owner/Model-1',
      owner: 'owner',
      hubId: toHubId(1),
      weightsKey: 'w',
    });
    expect(model?.createdAt).toBe(Date.UTC(2024, 0, 1));
    expect(model?.fingerprint).toEqual(makeSummary());
    expect(await store.loadBlobs(['owner/Model-1', 'owner/Model-2'])).toEqual(
      new Map([['owner/Model-1', Buffer.from([1, 2, 3])]]),
    );
    expect(
      (await store.readView('models', { where: 'repo = ?', params: ['owner/Model-1'] }))[0],
    ).toMatchObject({
      status: 'fingerprinted',
      architecture: 'LlamaForCausalLM',
      params: 1234,
      dtype: 'BF16',
    });
  });

  it('keep cores exact', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true }), (core) => {
        expect(fromCoreBytes(toCoreBytes(core))).toEqual(core);
      }),
    );
    expect(fromCoreBytes(toCoreBytes(new Float32Array([9, 1, 2]).subarray(1)))).toEqual(
      new Float32Array([1, 2]),
    );
  });

  it('are shared by repos with equal files, gated ones too', async () => {
    expect(
      await store.linkFingerprint({ hubId: toHubId(3), sha: toSha(3), version: 1, weightsKey: 'w' }),
    ).toBe(false);
    await save(1);
    expect(await store.hasFingerprint('w', 1)).toBe(true);
    expect(await store.hasFingerprint('w', 2)).toBe(false);
    expect(
      await store.linkFingerprint({ hubId: toHubId(3), sha: toSha(3), version: 1, weightsKey: 'w' }),
    ).toBe(true);
    expect((await store.loadBlobs(['owner/Model-3'])).size).toBe(1);
    expect((await store.getRepo('owner/Model-3'))?.status).toBe('fingerprinted');
  });

  it('go only when nobody points to them', async () => {
    await save(1, 'a');
    await save(2, 'b');
    await save(1, 'c');
    expect(await store.pruneFingerprints()).toBe(1);
    expect((await store.loadBlobs(['owner/Model-1', 'owner/Model-2'])).size).toBe(2);
  });

  it('mark adapters as such', async () => {
    await store.saveFingerprint({
      hubId: toHubId(1),
      sha: toSha(1),
      version: 1,
      weightsKey: 'lora',
      blob: new Uint8Array(),
      summary: makeSummary({ kind: 'adapter', core: new Float32Array() }),
    });
    expect((await store.getRepo('owner/Model-1'))?.status).toBe('adapter');
  });
});

describe('files', () => {
  it('find repos that hold all of the weights', async () => {
    await store.saveFiles(toHubId(1), toSha(1), [file('a.safetensors', 1), file('b.safetensors', 2)]);
    await store.saveFiles(toHubId(2), toSha(2), [file('x.safetensors', 2)]);
    const found = async (...n: number[]) =>
      (await store.findReposBySha256(n.map(toSha256))).map((row) => row.repo);
    expect(await found(1, 2)).toEqual(['owner/Model-1']);
    expect(await found(2)).toEqual(['owner/Model-1', 'owner/Model-2']);
    expect(await found(1, 2, 3)).toEqual([]);
    expect(await found()).toEqual([]);
    expect(await store.getFiles(toHubId(2))).toEqual([file('x.safetensors', 2)]);
  });

  it('carry the fingerprint over to a revision with the same weights', async () => {
    await store.saveFiles(toHubId(1), toSha(1), [file('a.safetensors', 1), file('README.md', 8)]);
    await save(1);
    await store.upsertRepos([makeHub(1, { sha: toSha(50) })], 2);
    const saved = await store.saveFiles(toHubId(1), toSha(50), [
      file('a.safetensors', 1),
      file('README.md', 9),
    ]);
    expect(saved.carriedVersion).toBe(1);
    expect(await store.countPending({ stage: 'fingerprint', version: 1 })).toBe(2);
    expect((await store.getRepo('owner/Model-1'))?.status).toBe('fingerprinted');
  });

  it('do not carry it over when the weights differ or were never read', async () => {
    await store.saveFiles(toHubId(1), toSha(1), [file('a.safetensors', 1)]);
    await save(1);
    await store.upsertRepos([makeHub(1, { sha: toSha(50) })], 2);
    expect(await store.saveFiles(toHubId(1), toSha(50), [file('a.safetensors', 2)])).toMatchObject({
      carriedVersion: null,
    });
    await store.saveFiles(toHubId(2), toSha(2), [file('a.safetensors', 1)]);
    await store.upsertRepos([makeHub(2, { sha: toSha(51) })], 2);
    expect(await store.saveFiles(toHubId(2), toSha(51), [file('a.safetensors', 1)])).toMatchObject({
      carriedVersion: null,
    });
  });
});

describe('toWeightsKey', () => {
  it('depends on the contents and not on names, order or case', () => {
    const [a, b] = [file('a.safetensors', 171), file('b.safetensors', 205)];
    const key = toWeightsKey([a, b]);
    expect(key).toBe(toWeightsKey([{ ...b, sha256: b.sha256.toUpperCase() }, a]));
    expect(key).not.toBe(toWeightsKey([a]));
    expect(toWeightsKey([])).toBeNull();
    expect(toWeightsKey([a, { sha256: null }])).toBeNull();
  });
  it('takes weights for weights', () => {
    expect(['model.safetensors', 'unet/x.bin', 'q.gguf', 'a/b.ckpt'].every(isWeightFile)).toBe(true);
    expect(
      ['README.md', 'training_args.bin', 'ckpt-5/optimizer.pt', 'tokenizer.json'].some(isWeightFile),
    ).toBe(false);
  });
});
