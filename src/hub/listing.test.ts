import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { HubClient, ListPage, ListQuery } from './contract.ts';
import { type FakeRequest, json, send, toRow } from './testing/fake-hub.ts';
import { createFixedWindow } from './testing/fixed-window.ts';
import { createSkippingClock } from './testing/skipping-clock.ts';
import { withHub } from './testing/with-hub.ts';

const QUERY: ListQuery = { filter: 'llama', sort: 'createdAt', direction: 1, limit: 10 };
const ROWS = Array.from({ length: 35 }, (_, i) => toRow(i));

async function walk(client: HubClient, query: ListQuery = QUERY): Promise<ListPage[]> {
  const pages: ListPage[] = [];
  for await (const page of client.listModels(query)) pages.push(page);
  return pages;
}
const names = (pages: ListPage[]) => pages.flatMap((page) => page.repos.map((repo) => repo.repo));
const ALL = ROWS.map((row) => row.id);

const onList =
  (from: number, to: number, answer: (request: FakeRequest) => void) => (request: FakeRequest) => {
    if (request.route !== 'list' || request.number < from || request.number > to) return false;
    answer(request);
    return true;
  };

describe('listing', () => {
  it('walks all pages, asks for every useful field once, and can go on behind any page', async () => {
    await withHub({ rows: ROWS, gzip: true }, async ({ client, hub }) => {
      const pages = await walk(client, { ...QUERY, filter: ['llama', 'license:llama3'], author: 'owner' });
      expect(names(pages)).toEqual(ALL);
      expect(pages.map((page) => page.repos.length)).toEqual([10, 10, 10, 5]);
      expect(pages.at(-1)!.nextUrl).toBeNull();
      const { searchParams } = hub.requests[0]!.url;
      expect(searchParams.getAll('filter')).toEqual(['llama', 'license:llama3']);
      expect(searchParams.getAll('expand[]')).toContain('baseModels');
      expect(searchParams.getAll('expand[]')).not.toContain('usedStorage');
      expect(Object.fromEntries(searchParams)).toMatchObject({
        sort: 'createdAt',
        direction: '1',
        limit: '10',
        author: 'owner',
      });
      const rest = await walk(client, { ...QUERY, cursorUrl: pages[1]!.nextUrl });
      expect(names(rest)).toEqual(ALL.slice(20));
    });
  });

  it('re-anchors a saved cursor to the endpoint, and refuses one of another host or path', async () => {
    await withHub({ rows: ROWS }, async ({ client, hub }) => {
      const saved = 'http://localhost:4/api/models?limit=10&cursor=30&x=%2B%2b';
      expect(names(await walk(client, { ...QUERY, cursorUrl: saved }))).toEqual(ALL.slice(30));
      expect(hub.requests[0]!.url.search).toBe('?limit=10&cursor=30&x=%2B%2b');
      for (const cursorUrl of [
        'https://huggingface.co/api/models?cursor=x',
        'http://127.0.0.1/api/models/../../etc',
        'http://127.0.0.1/owner/name/resolve/main/x',
        'file:///api/models',
      ]) {
        await expect(walk(client, { ...QUERY, cursorUrl })).rejects.toMatchObject({ code: 'HubBadAnswer' });
      }
      expect(hub.count('list')).toBe(1);
    });
  });

  it.each<[string, (request: FakeRequest) => void]>([
    ['JSON cut in half', ({ res }) => res.setHeader('content-type', 'application/json').end('[{"_id":"6')],
    ['an HTML page with 200', ({ res }) => res.end('<!doctype html><p>maintenance')],
    ['an empty 200', ({ res }) => res.end()],
    ['invalid JSON', ({ res }) => res.end('nope')],
    ['an object instead of a list', ({ res }) => json(res, { error: 'x' })],
    ['a 10 MB error page', ({ res }) => send(res, 500, '<html>'.padEnd(10_000_000, 'x'))],
    ['502', ({ res }) => send(res, 502, '')],
    ['408', ({ res }) => send(res, 408, '')],
    ['a bot wall', ({ res }) => send(res, 405, '<html>captcha')],
    ['a reset', ({ res }) => res.socket!.resetAndDestroy()],
    ['broken gzip', ({ res }) => res.setHeader('content-encoding', 'gzip').end('not gzip')],
    ['an unknown coding', ({ res }) => res.setHeader('content-encoding', 'zstd').end('x')],
    ['a malformed Link', ({ res }) => json(res.setHeader('Link', '<http://x; rel=next') && res, [])],
    [
      'a Link to another host',
      ({ res }) =>
        json(res.setHeader('Link', '<https://evil.example/api/models?cursor=1>; rel="next"') && res, []),
    ],
    [
      'a Link to the same page',
      ({ res, url }) => json(res.setHeader('Link', `<${url.href}>; rel="next"`) && res, []),
    ],
    [
      'a truncated body',
      ({ res }) => {
        res.writeHead(200, { 'content-length': 1000 }).write('[');
        setTimeout(() => res.destroy(), 5);
      },
    ],
    ['429 without headers', ({ res }) => res.removeHeader('RateLimit') ?? send(res, 429, '<html>')],
    ['429 with Retry-After', ({ res }) => send(res.setHeader('Retry-After', '7'), 429, '{}')],
    ['429 with r=0', ({ res }) => send(res.setHeader('RateLimit', '"api";r=0;t=55'), 429, '{}')],
  ])('survives %s in the middle', async (_name, answer) => {
    await withHub({ rows: ROWS, fault: onList(2, 2, answer) }, async ({ client }) => {
      expect(names(await walk(client))).toEqual(ALL);
    });
  });

  it('sleeps t + 1 s on 429, however often, and it costs no try', async () => {
    const fault = onList(2, 9, ({ res }) => send(res.setHeader('RateLimit', '"api";r=0;t=55'), 429, '{}'));
    await withHub({ rows: ROWS, fault }, async ({ client, slept, events }) => {
      expect(names(await walk(client))).toEqual(ALL);
      // The millisecond more is that of the window, which has to be over, not just to end.
      expect(slept).toEqual([56_000, ...Array(7).fill(56_001)]);
      expect(client.stats()).toMatchObject({ throttled: 8, retries: 0 });
      expect(client.stats().waitsMs).toBe(8 * 56_000 + 7);
      expect(events).toContainEqual(
        expect.objectContaining({
          type: 'wait',
          bucket: 'api',
          message: "waiting 56 s for the Hub's api quota",
        }),
      );
    });
  });

  it('spends a small quota to its end, window after window, without a 429', async () => {
    const clock = createSkippingClock();
    const window = createFixedWindow({
      quota: 7,
      windowMs: 60_000,
      offsetMs: clock.now() - 20_000,
      rounding: 'ceil',
    });
    const fault = ({ res }: FakeRequest) => {
      const { ok, headers } = window.take(clock.now());
      res.setHeader('RateLimit', headers.rateLimit);
      res.setHeader('RateLimit-Policy', headers.policy);
      if (!ok) send(res, 429, '{}');
      return !ok;
    };
    await withHub(
      { rows: ROWS, fault },
      async ({ client }) => {
        expect(names(await walk(client, { ...QUERY, limit: 1 }))).toEqual(ALL);
        expect(window.refused()).toBe(0);
        expect([...window.usedByWindow.values()]).toEqual([7, 7, 7, 7, 7]);
      },
      { clock },
    );
  });

  it('makes pages smaller after 504, and larger again', async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => toRow(i));
    const fault = ({ route, url, res, number }: FakeRequest) => {
      if (route !== 'list' || number > 9 || Number(url.searchParams.get('limit')) <= 60) return false;
      send(res, 504, '<html>');
      return true;
    };
    await withHub({ rows, fault }, async ({ client, events }) => {
      const pages = await walk(client, { ...QUERY, limit: 200 });
      expect(names(pages)).toEqual(rows.map((row) => row.id));
      expect(events.filter((event) => event.type === 'page_size').map((event) => event.limit)).toEqual([
        100, 50, 100, 200,
      ]);
      // A saved cursor asks for whole pages.
      expect(pages[0]!.nextUrl).toContain('limit=200');
    });
  });

  it('ends with HubBadAnswer on a circle of pages, on pages without rows for ever, on a foreign Link for ever', async () => {
    const circle = ({ route, url, res }: FakeRequest) => {
      const at = Number(url.searchParams.get('cursor') ?? 0);
      res.setHeader('Link', `</api/models?cursor=${(at + 1) % 5}>; rel="next"`);
      if (route === 'list') json(res, [toRow(at)]);
      return true;
    };
    const empty = ({ url, res }: FakeRequest) => {
      res.setHeader(
        'Link',
        `</api/models?cursor=${Number(url.searchParams.get('cursor') ?? 0) + 1}>; rel="next"`,
      );
      json(res, []);
      return true;
    };
    const foreign = ({ res }: FakeRequest) => {
      res.setHeader('Link', '<http://169.254.169.254/api/models>; rel="next"');
      json(res, []);
      return true;
    };
    for (const fault of [circle, empty, foreign]) {
      await withHub({ fault }, async ({ client, hub }) => {
        await expect(walk(client)).rejects.toMatchObject({ code: 'HubBadAnswer' });
        expect(hub.requests.length).toBeLessThan(30);
      });
    }
  });

  it('follows pages that are short or empty, and drops rows that repeat', async () => {
    const pages = [[toRow(1), toRow(2)], [], [toRow(2), toRow(3), toRow(3)]];
    const fault = ({ url, res }: FakeRequest) => {
      const at = Number(url.searchParams.get('cursor') ?? 0);
      if (at < 2) res.setHeader('Link', `</api/models?cursor=${at + 1}>; rel="next"`);
      json(res, pages[at]);
      return true;
    };
    await withHub({ fault }, async ({ client }) => {
      // Row 2 came back two pages later: who keeps rows by _id does not mind.
      expect(names(await walk(client))).toEqual([
        'owner/model-1',
        'owner/model-2',
        'owner/model-2',
        'owner/model-3',
      ]);
    });
  });

  it('skips rows that are broken, with a remark', async () => {
    const rows = [
      toRow(0),
      null,
      7,
      [],
      { id: 'a/b' },
      { _id: 'x', id: 'a/b' },
      { ...toRow(5), id: '../etc' },
      toRow(6),
    ];
    await withHub({ rows }, async ({ client }) => {
      const [page] = await walk(client);
      expect(page!.repos).toHaveLength(2);
      expect(page!.skipped).toHaveLength(6);
      expect(page!.skipped.at(-1)).toEqual({ repo: '../etc', why: 'no valid repo id' });
    });
  });

  it('asks for less where the Hub does not know a field', async () => {
    const fault = ({ url, res }: FakeRequest) => {
      if (!url.searchParams.getAll('expand[]').includes('baseModels')) return false;
      res.statusCode = 400;
      json(res, {
        error:
          '"expand" must be one of [author, cardData, config, createdAt, disabled, downloads, gated, gguf, lastModified, library_name, likes, pipeline_tag, private, safetensors, sha, siblings, tags]',
      });
      return true;
    };
    await withHub({ rows: ROWS, fault }, async ({ client, events }) => {
      expect(names(await walk(client))).toEqual(ALL);
      expect(events).toContainEqual(
        expect.objectContaining({ message: 'this Hub does not expand baseModels' }),
      );
    });
  });

  it('begins anew where the Hub no longer takes a saved cursor', async () => {
    const fault = ({ url, res }: FakeRequest) => {
      if (url.searchParams.get('cursor') !== 'stale') return false;
      send(res, 400, JSON.stringify({ error: 'Invalid cursor' }));
      return true;
    };
    await withHub({ rows: ROWS, fault }, async ({ client, hub, events }) => {
      const cursorUrl = `${hub.origin}/api/models?limit=10&cursor=stale`;
      expect(names(await walk(client, { ...QUERY, cursorUrl }))).toEqual(ALL);
      expect(events).toContainEqual(expect.objectContaining({ type: 'remark' }));
    });
  });

  it('caps what one page may hold, compressed or not', async () => {
    const fault = ({ res }: FakeRequest) => {
      res.setHeader('content-encoding', 'gzip');
      import('node:zlib').then(({ gzipSync }) => res.end(gzipSync(Buffer.alloc(70 * 2 ** 20, 32))));
      return true;
    };
    await withHub({ fault }, async ({ client }) => {
      await expect(walk(client)).rejects.toMatchObject({ code: 'BodyTooLarge' });
    });
  });

  it('says in one line that nothing is there', async () => {
    const unused = createServer();
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
    const address = unused.address() as { port: number };
    await new Promise((resolve) => unused.close(resolve));
    await withHub(
      {},
      async ({ client, slept }) => {
        await expect(walk(client)).rejects.toMatchObject({
          code: 'HubUnreachable',
          message: expect.stringMatching(/^cannot reach 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/),
          hint: expect.stringContaining('HF_ENDPOINT'),
        });
        expect(slept).toHaveLength(1);
      },
      { endpoint: `http://127.0.0.1:${address.port}` },
    );
  });

  it('says HubAuth when the token is bad', async () => {
    const fault = ({ res }: FakeRequest) => {
      res.setHeader('X-Error-Message', 'Invalid credentials in Authorization header');
      send(res, 401, '');
      return true;
    };
    await withHub({ fault }, async ({ client }) => {
      await expect(walk(client)).rejects.toMatchObject({ code: 'HubAuth' });
    });
  });
});
