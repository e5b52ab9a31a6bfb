import { afterEach, describe, expect, it } from 'vitest';
import { fromSamplesBlob, plantIndex, toSamplesBlob } from '../../bench/lib/planted-index.ts';
import { hashValues } from '../fingerprint/hash.ts';
import { decodeSamples, encodeFingerprint } from '../fingerprint/index.ts';
import { inferLineage, type LineageOptions } from '../lineage/index.ts';
import type { SampleLoader } from '../types/fingerprint.ts';
import { type BlockWorkers, createBlockWorkers } from './block-workers.ts';

const OPTIONS = { method: 'hublineage', seed: 1, minProbability: 0.5 };

let workers: BlockWorkers | null = null;
afterEach(async () => {
  await workers?.close();
  workers = null;
});

const ENTRY = new URL('../../bench/lib/planted-worker.ts', import.meta.url);

function generate() {
  const { models } = plantIndex(60, 5);
  const blobs = new Map(models.map((m) => [m.repo, toSamplesBlob(m)]));
  const loadBlobs = async (repos: readonly string[]) =>
    new Map(repos.flatMap((repo) => (blobs.has(repo) ? [[repo, blobs.get(repo)!] as const] : [])));
  const infer = (options: Partial<LineageOptions> = {}) =>
    inferLineage(
      models,
      async (repos) =>
        new Map([...(await loadBlobs(repos))].map(([repo, blob]) => [repo, fromSamplesBlob(blob)])),
      { ...OPTIONS, ...options },
    );
  return { infer, loadBlobs };
}

describe('block workers', () => {
  it('conclude what one thread concludes', async () => {
    const { infer, loadBlobs } = generate();
    workers = createBlockWorkers(loadBlobs, OPTIONS, { threads: 2, entry: ENTRY });
    const threaded = await infer({ runner: workers });
    expect(threaded.edges.length).toBeGreaterThan(20);
    expect(threaded).toEqual(await infer());
  }, 60_000);

  it('read what the store keeps with their own program', async () => {
    const { models } = plantIndex(60, 5);
    const blobs = new Map(
      models.map((m) => {
        const tensors = fromSamplesBlob(toSamplesBlob(m)).map((t) => ({ ...t, hash: hashValues(t.values) }));
        return [m.repo, encodeFingerprint({ ...m.fingerprint, tensors }).blob];
      }),
    );
    const loadBlobs = async (repos: readonly string[]) =>
      new Map(repos.map((repo) => [repo, blobs.get(repo)!]));
    const load: SampleLoader = async (repos) =>
      new Map([...(await loadBlobs(repos))].map(([repo, blob]) => [repo, decodeSamples(blob)]));
    workers = createBlockWorkers(loadBlobs, OPTIONS, { threads: 1 });
    const threaded = await inferLineage(models, load, { ...OPTIONS, runner: workers });
    expect(threaded.edges.length).toBeGreaterThan(30);
    expect(threaded).toEqual(await inferLineage(models, load, OPTIONS));
  }, 60_000);

  it('report what goes wrong on either side of the wall, and go on with the next block', async () => {
    const { infer, loadBlobs } = generate();
    // no core is so short
    let broken = true;
    workers = createBlockWorkers(
      async (repos) => (broken ? new Map(repos.map((repo) => [repo, new Uint8Array(8)])) : loadBlobs(repos)),
      OPTIONS,
      { threads: 1, entry: ENTRY },
    );
    await expect(infer({ runner: workers })).rejects.toMatchObject({ code: 'Unexpected' });
    broken = false;
    expect((await infer({ runner: workers })).edges.length).toBeGreaterThan(20);
  }, 60_000);

  it('end with their pool whatever they are at', async () => {
    const { infer, loadBlobs } = generate();
    const own = createBlockWorkers(loadBlobs, OPTIONS, { threads: 1, entry: ENTRY });
    const running = infer({
      runner: {
        ...own,
        run: (task) => {
          const answer = own.run(task);
          void own.close();
          return answer;
        },
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'Unexpected' });
  }, 60_000);
});
