import { describe, expect, it } from 'vitest';
import { COMMIT, type FakeRequest, toRow } from './testing/fake-hub.ts';
import { withHub } from './testing/with-hub.ts';

const FILES = { 'model.safetensors': { bytes: new Uint8Array(3000), lfs: true } };

describe('a run', () => {
  it('stops at its limits, each with its code', async () => {
    const limits = { maxRequests: null, maxBytes: null, deadlineAt: null };
    const read = async (budget: typeof limits | Record<string, number | null>) =>
      withHub(
        { files: FILES, rows: [toRow(0)] },
        async ({ client, hub }) => {
          const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
          const errors = [];
          for (let i = 0; i < 5; i++)
            errors.push(
              await source.read(i, 100).then(
                () => null,
                (error) => error.code,
              ),
            );
          return { errors, requests: hub.requests.length };
        },
        { budget: { ...limits, ...budget } },
      );
    expect(await read({ maxRequests: 3 })).toEqual({
      errors: [null, null, 'QuotaReached', 'QuotaReached', 'QuotaReached'],
      requests: 3,
    });
    expect((await read({ maxBytes: 300 })).errors).toEqual([
      null,
      null,
      null,
      'LimitReached',
      'LimitReached',
    ]);
    await expect(read({ deadlineAt: Date.now() - 1 })).rejects.toMatchObject({ code: 'DeadlineReached' });
  });

  it('does not pass its bytes with parallel reads either', async () => {
    await withHub(
      { files: FILES },
      async ({ client }) => {
        const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
        const reads = Array.from({ length: 20 }, (_, i) => source.read(i * 100, 100));
        const outcomes = await Promise.allSettled(reads);
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(7);
        expect(client.stats().bytes).toBe(700);
      },
      { budget: { maxRequests: null, maxBytes: 750, deadlineAt: null } },
    );
  });

  it('that is aborted ends at once, whatever it waits for', async () => {
    const stop = new AbortController();
    const fault = ({ route }: FakeRequest) => route === 'cdn' || route === 'list';
    await withHub(
      { files: FILES, fault },
      async ({ client }) => {
        const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
        const waiting = [
          source.read(0, 1),
          source.read(1, 1),
          client.listModels({ sort: 'createdAt', direction: 1, limit: 1 }).next(),
        ];
        const outcomes = Promise.allSettled(waiting);
        setTimeout(() => stop.abort(), 20);
        for (const outcome of await outcomes)
          expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'Interrupted' } });
        await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'Interrupted' });
      },
      { signal: stop.signal },
    );
  });

  it('with an endpoint that is none does not start', async () => {
    const { createHubClient } = await import('./client.ts');
    for (const endpoint of ['', 'huggingface.co', 'ftp://x', 'https://a:b@c/']) {
      expect(() => createHubClient({ endpoint, userAgent: 't' })).toThrow(/not the address of a Hub/);
    }
  });
});
