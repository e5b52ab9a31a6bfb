import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../types/hub.ts';
import { createMeter } from './meter.ts';
import { COMMIT, type FakeRequest, send, sendBytes } from './testing/fake-hub.ts';
import { type Bench, withHub } from './testing/with-hub.ts';

const WEIGHTS = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const FILES = {
  'model.safetensors': { bytes: WEIGHTS, lfs: true },
  'config.json': { bytes: new TextEncoder().encode('{"a":1}') },
  empty: { bytes: new Uint8Array(0) },
  'odd #?% name\u0001é.txt': { bytes: new TextEncoder().encode('odd') },
};
const slice = (offset: number, length: number) => Buffer.from(WEIGHTS.subarray(offset, offset + length));

/** Opens the weights of a hub with this fault and reads three slices. */
function readWith(
  fault: (request: FakeRequest) => boolean | undefined,
  check: (bench: Bench, source: ByteSource) => Promise<void>,
  clientOptions = {},
) {
  return withHub(
    { files: FILES, fault },
    async (bench) =>
      check(bench, await bench.client.openRepo('owner/name', COMMIT).open('model.safetensors')),
    clientOptions,
  );
}

/** The first `times` CDN answers go wrong. */
const onCdn = (times: number, answer: (request: FakeRequest) => void) => (request: FakeRequest) => {
  if (request.route !== 'cdn' || request.number > times) return false;
  answer(request);
  return true;
};

async function expectSlice(source: ByteSource): Promise<void> {
  expect(Buffer.from(await source.read(1000, 100))).toEqual(slice(1000, 100));
}

describe('slices of a weight file', () => {
  it('cost one resolve, and one CDN request each, without the token', async () => {
    await withHub({ files: FILES }, async ({ client, hub }) => {
      const meter = createMeter();
      const files = client.openRepo('owner/name', COMMIT, { meter });
      const source = await files.open('model.safetensors');
      expect(source).toMatchObject({ path: 'model.safetensors', size: 5000 });
      expect(source.sha256).toMatch(/^[0-9a-f]{64}$/);
      const reads = Array.from({ length: 40 }, (_, i) => source.read(i * 100, 50));
      const got = await Promise.all(reads);
      expect(got.map((bytes) => Buffer.from(bytes))).toEqual(got.map((_, i) => slice(i * 100, 50)));
      expect(await files.open('model.safetensors')).toBe(source);
      expect(meter.requestsByBucket).toEqual({ api: 0, resolvers: 1, pages: 0, cdn: 40 });
      expect(meter.bytes).toBe(40 * 50);
      expect(client.stats()).toMatchObject({ requestsByBucket: meter.requestsByBucket, retries: 0 });
      expect(hub.requests[0]!.headers.authorization).toBe('Bearer hf_secret');
      expect(hub.requests[0]!.headers['user-agent']).toContain('nobody@example.org');
      expect(hub.requests.every(({ headers }) => !/xet/.test(String(headers.accept)))).toBe(true);
      expect(hub.requests.filter((r) => r.route === 'cdn').every((r) => !r.headers.authorization)).toBe(true);
    });
  });

  it('of no length, and outside the file, cost nothing', async () => {
    await readWith(
      () => false,
      async ({ hub }, source) => {
        expect(await source.read(17, 0)).toEqual(new Uint8Array(0));
        for (const [offset, length] of [
          [4990, 11],
          [-1, 5],
          [0.5, 1],
          [5001, 0],
          [0, Number.NaN],
          [2 ** 60, 2],
        ] as const) {
          await expect(source.read(offset, length)).rejects.toMatchObject({ code: 'OffsetInvalid' });
        }
        expect(hub.count('cdn')).toBe(0);
      },
    );
  });

  it.each<[string, (request: FakeRequest) => void]>([
    ['200 for a range', ({ res }) => res.end(WEIGHTS)],
    ['another range', ({ res }) => sendBytes(res, WEIGHTS, 'bytes=1001-1100')],
    ['another total', ({ res }) => sendBytes(res, WEIGHTS.subarray(0, 4000), 'bytes=1000-1099')],
    [
      'a total that is not told',
      ({ res }) => {
        res.writeHead(206, { 'content-range': 'bytes 1000-1099/*' });
        res.end(WEIGHTS.subarray(1000, 1100));
      },
    ],
    [
      'no Content-Range',
      ({ res }) => {
        res.writeHead(206);
        res.end(WEIGHTS.subarray(1000, 1100));
      },
    ],
    [
      'a longer body',
      ({ res }) => {
        res.writeHead(206, { 'content-range': 'bytes 1000-1099/5000' });
        res.end(WEIGHTS.subarray(1000, 1101));
      },
    ],
    [
      'a longer body than declared',
      ({ res }) => {
        res.socket!.end(
          `HTTP/1.1 206 x\r\ncontent-range: bytes 1000-1099/5000\r\ncontent-length: 100\r\n\r\n` +
            Buffer.from(WEIGHTS.subarray(1000, 1100)).toString('latin1') +
            'and more',
          'latin1',
        );
      },
    ],
    [
      'a shorter body',
      ({ res }) => {
        res.writeHead(206, { 'content-range': 'bytes 1000-1099/5000' });
        res.end(WEIGHTS.subarray(1000, 1050));
      },
    ],
    [
      'a body cut by the connection',
      ({ res }) => {
        res.writeHead(206, { 'content-range': 'bytes 1000-1099/5000', 'content-length': 100 });
        res.write(WEIGHTS.subarray(1000, 1050));
        setTimeout(() => res.destroy(), 5);
      },
    ],
    ['a reset before the answer', ({ res }) => res.socket!.resetAndDestroy()],
    ['403', ({ res }) => send(res, 403, 'Auth failed: invalid range')],
    ['500', ({ res }) => send(res, 500, '<html>')],
    ['503', ({ res }) => send(res, 503, '<html>')],
    ['429', ({ res }) => send(res, 429, 'slow down')],
    ['416 with the right size', ({ res }) => res.writeHead(416, { 'content-range': 'bytes */5000' }).end()],
    [
      'a range in a content coding',
      ({ res }) =>
        res
          .writeHead(206, { 'content-range': 'bytes 1000-1099/5000', 'content-encoding': 'gzip' })
          .end('zzz'),
    ],
  ])('survive %s once', async (name, answer) => {
    await readWith(onCdn(1, answer), async ({ hub }, source) => {
      await expectSlice(source);
      // What comes behind the declared length never reaches us.
      expect(hub.count('cdn')).toBe(name === 'a longer body than declared' ? 1 : 2);
      // The connection is still of use, and later slices are right.
      expect(Buffer.from(await source.read(0, 10))).toEqual(slice(0, 10));
    });
  });

  it('resolve again at once when the signature has ended, all readers together', async () => {
    const dead = onCdn(20, ({ res }) => send(res, 403, 'Request has expired'));
    await readWith(
      (request) => request.url.pathname.startsWith('/xet/0') && dead(request),
      async ({ hub, slept }, source) => {
        await Promise.all(Array.from({ length: 10 }, (_, i) => source.read(i, 10)));
        expect(hub.count('resolve')).toBe(2);
        expect(slept).toEqual([]);
      },
    );
  });

  it('leave a signed address before it ends', async () => {
    await withHub({ files: FILES, signatureSeconds: 60 }, async ({ client, hub }) => {
      let skippedMs = 0;
      const now = () => performance.timeOrigin + performance.now() + skippedMs;
      const { createHubClient } = await import('./client.ts');
      const patient = createHubClient({
        endpoint: hub.origin,
        userAgent: 't',
        clock: { now, sleep: async () => {} },
      });
      const source = await patient.openRepo('owner/name', COMMIT).open('model.safetensors');
      await source.read(0, 1);
      skippedMs = 55_000;
      await source.read(0, 1);
      expect(hub.requests.map(({ route }) => route)).toEqual(['resolve', 'cdn', 'resolve', 'cdn']);
      await patient.close();
      expect(client.stats().retries).toBe(0);
    });
  });

  it.each<[string, string, (request: FakeRequest) => void]>([
    ['RangeIgnored', '200 for ever', ({ res }) => res.end(WEIGHTS)],
    [
      'RangeMismatch',
      'wrong totals for ever',
      ({ res }) => sendBytes(res, WEIGHTS.subarray(0, 4000), 'bytes=0-9'),
    ],
    ['SignatureExpired', '403 for ever', ({ res }) => send(res, 403, 'no')],
    ['HubOverloaded', '502 for ever', ({ res }) => send(res, 502, 'no')],
    [
      'OffsetInvalid',
      '416 with a smaller size',
      ({ res }) => res.writeHead(416, { 'content-range': 'bytes */500' }).end(),
    ],
    [
      'RedirectRefused',
      'a redirect elsewhere',
      ({ res }) => res.writeHead(302, { location: 'https://evil.example/x' }).end(),
    ],
    ['HubBadAnswer', 'a redirect nowhere', ({ res }) => res.writeHead(302).end()],
  ])('fail with %s on %s', async (code, _name, answer) => {
    await readWith(onCdn(Infinity, answer), async ({ hub }, source) => {
      await expect(source.read(1000, 100)).rejects.toMatchObject({
        code,
        where: expect.stringContaining('owner/name@'),
      });
      expect(hub.count('cdn')).toBeLessThanOrEqual(8);
    });
  });

  it('stop reading a 200 as soon as it is one', async () => {
    const huge = Buffer.alloc(32 * 2 ** 20);
    await readWith(
      onCdn(Infinity, ({ res }) => res.end(huge)),
      async ({ client }, source) => {
        await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'RangeIgnored' });
        expect(client.stats().bytes).toBe(0);
      },
    );
  });

  it('give up a body that stalls or drips', async () => {
    const stall = onCdn(1, ({ res }) => {
      res.writeHead(206, { 'content-range': 'bytes 1000-1099/5000', 'content-length': 100 });
      res.write(WEIGHTS.subarray(1000, 1010));
    });
    await readWith(stall, async (_, source) => expectSlice(source), { timeoutMs: 300 });
    const drip = onCdn(1, ({ res }) => {
      res.writeHead(206, { 'content-range': 'bytes 1000-1099/5000', 'content-length': 100 });
      const timer = setInterval(() => res.write('x'), 40);
      res.on('close', () => clearInterval(timer));
    });
    await readWith(drip, async (_, source) => expectSlice(source), { timeoutMs: 200 });
  });

  it('whole files are held against their sha256', async () => {
    const flipped = onCdn(1, ({ res, headers }) => {
      const bytes = Uint8Array.from(WEIGHTS);
      bytes[77]! ^= 1;
      sendBytes(res, bytes, headers.range);
    });
    await readWith(flipped, async ({ hub }, source) => {
      expect(Buffer.from(await source.read(0, 5000))).toEqual(Buffer.from(WEIGHTS));
      expect(hub.count('cdn')).toBe(2);
    });
  });

  it('say RevisionGone when the file is another one after resolving again', async () => {
    await readWith(
      ({ route, number, res }) => {
        if (route === 'resolve' && number > 1) {
          res
            .writeHead(302, {
              location: 'http://127.0.0.1:1/x',
              'x-linked-size': 6000,
              'x-repo-commit': COMMIT,
            })
            .end();
          return true;
        }
        if (route === 'cdn') {
          send(res, 403, 'expired');
          return true;
        }
        return false;
      },
      async (_, source) => {
        await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'RevisionGone' });
      },
    );
  });

  it('first failure is thrown, later ones are attached', async () => {
    const fault = onCdn(Infinity, ({ res, number }) => send(res, number === 1 ? 500 : 503, 'x'));
    await readWith(fault, async (_, source) => {
      const error = await source.read(0, 1).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: 'HubOverloaded',
        message: expect.stringMatching(/^status 500: x \(5 tries; later: status 503/),
      });
      expect((error as { cause: AggregateError }).cause.errors).toHaveLength(5);
    });
  });
});
