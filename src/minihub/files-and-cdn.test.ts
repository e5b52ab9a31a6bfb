import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSmallHub, WEIGHTS } from './testing/small-hub.ts';

type Started = Awaited<ReturnType<typeof startSmallHub>>;

describe('resolve and CDN', () => {
  let small: Started;
  beforeAll(async () => {
    small = await startSmallHub({ quotas: 'unlimited' });
  });
  afterAll(() => small.hub.close());
  const slice = (url: string, range: string, more: Record<string, string> = {}) =>
    small.get(url, { headers: { range, ...more } });

  it('sends small files over a relative 307 to the resolve cache', async () => {
    const hop = await small.get('/acme/root/resolve/main/config.json');
    expect(hop.status).toBe(307);
    const location = hop.headers.get('location') ?? '';
    expect(location).toMatch(
      /^\/api\/resolve-cache\/models\/acme\/root\/[0-9a-f]{40}\/config\.json\?%2Facme%2Froot%2Fresolve%2Fmain%2Fconfig\.json=&etag=%22[0-9a-f]{40}%22$/,
    );
    const file = await small.get(location, { headers: { 'accept-encoding': 'identity' } });
    expect([file.status, file.headers.get('content-length'), file.headers.get('content-type')]).toEqual([
      200,
      '22',
      'text/plain; charset=utf-8',
    ]);
    const etag = file.headers.get('etag') ?? '';
    expect(etag).toBe(hop.headers.get('x-linked-etag'));
    expect((await small.get(location, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const part = await slice(location, 'bytes=1-5');
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 1-5/22',
      '"mode',
    ]);
  });

  it('gzips whole text files on request, without a length; empty and oddly named files work', async () => {
    const read = async (path: string) => {
      const hop = await small.get(`/acme/root/resolve/main/${path}`);
      return small.get(hop.headers.get('location') ?? '');
    };
    const vocab = await read('vocab.txt');
    expect([vocab.headers.get('content-encoding'), vocab.headers.get('content-length')]).toEqual([
      'gzip',
      null,
    ]);
    expect(await vocab.text()).toBe('word\n'.repeat(1000));
    expect(await (await read('empty.txt')).text()).toBe('');
    expect(await (await read(`sub/${encodeURIComponent('odd #1 %? ü.json')}`)).text()).toBe('{"odd":true}');
  });

  it('sends LFS files over a 302 with the true metadata, GET and HEAD alike', async () => {
    const answers = await Promise.all(
      ['GET', 'HEAD'].map((method) => small.get('/acme/root/resolve/main/model.safetensors', { method })),
    );
    for (const answer of answers) {
      expect(answer.status).toBe(302);
      expect(answer.headers.get('x-linked-size')).toBe('5000');
      expect(answer.headers.get('x-linked-etag')).toMatch(/^"[0-9a-f]{64}"$/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(300);
      expect(answer.headers.get('link')).toMatch(/rel="xet-auth", <.*rel="xet-reconstruction-info"$/);
      expect(answer.headers.get('location')).toContain(
        `/xet-bridge-us/${small.hub.repo('acme/root')?.hubId}/${answer.headers.get('x-xet-hash')}?X-Xet-Cas-Uid=public&`,
      );
    }
    expect(answers[0]?.headers.get('location')).not.toBe(answers[1]?.headers.get('location'));
  });

  it('answers every satisfiable range exactly', async () => {
    const url = await small.sign();
    await fc.assert(
      fc.asyncProperty(fc.nat(4999), fc.nat(6000), async (start, length) => {
        const answer = await slice(url, `bytes=${start}-${start + length}`);
        const end = Math.min(start + length, 4999);
        expect(answer.status).toBe(206);
        expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/5000`);
        expect(answer.headers.get('content-length')).toBe(String(end - start + 1));
        expect(new Uint8Array(await answer.arrayBuffer())).toEqual(WEIGHTS.slice(start, end + 1));
      }),
      { numRuns: 25 },
    );
  });

  it('has the edges of ranges right', async () => {
    const url = await small.sign();
    const beyond = await slice(url, 'bytes=5000-');
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */5000']);
    const tail = await slice(url, 'bytes=-10');
    expect(tail.headers.get('content-range')).toBe('bytes 4990-4999/5000');
    const open = await slice(url, 'bytes=4000-');
    expect(open.headers.get('content-range')).toBe('bytes 4000-4999/5000');
    const whole = await small.get(url);
    expect([whole.status, whole.headers.get('content-length')]).toEqual([200, '5000']);
    expect((await slice(url, 'bytes=0-1,4-5')).status).toBe(200);
    expect((await slice(url, 'bytes=5-1')).status).toBe(200);
    // If-Range is not looked at on this path
    expect((await slice(url, 'bytes=0-1', { 'if-range': '"other"' })).status).toBe(206);
    expect(whole.headers.get('ratelimit')).toBeNull();
    expect(whole.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/);
  });

  it('refuses altered, reordered and expired URLs with 403', async () => {
    const own = await startSmallHub({ signatureTtlSeconds: 60 });
    const url = await own.sign();
    const [base, query = ''] = url.split('?');
    const parts = query.split('&');
    const reordered = `${base}?${[...parts.slice(1), parts[0]].join('&')}`;
    const statuses = await Promise.all(
      [
        url,
        reordered,
        url.replace('Expires=', 'Expires=9'),
        url.replace(/xet-bridge-us\/\w/, 'xet-bridge-us/f'),
        base ?? '',
      ].map(async (u) => (await own.get(u)).status),
    );
    expect(statuses).toEqual([200, 403, 403, 403, 403]);
    own.hub.advance(59_000);
    expect((await own.get(url)).status).toBe(200);
    own.hub.advance(2_000);
    expect((await own.get(url)).status).toBe(403);
    expect((await own.get(await own.sign())).status).toBe(200);
    await own.hub.close();
  });

  it('sees tokens that leak to the CDN, and refuses them when strict', async () => {
    const own = await startSmallHub({ strict: true });
    const answer = await own.get(await own.sign(), { headers: { authorization: 'Bearer hf_secret' } });
    expect(answer.status).toBe(400);
    expect(own.hub.stats().leakedTokens).toBe(1);
    await own.hub.close();
  });

  it('survives clients that hang up in the middle of gigabytes', async () => {
    const own = await startSmallHub({
      virtual: { seed: 1, models: [{ id: 'big/7b', shape: 'llama-7b', relation: 'root' }] },
    });
    const url = await own.sign('big/7b');
    const abort = new AbortController();
    const answer = await own.get(url, { signal: abort.signal });
    expect(answer.headers.get('content-length')).toBe('13476865232');
    abort.abort();
    const slice = await own.get(url, { headers: { range: 'bytes=13476865000-' } });
    expect((await slice.arrayBuffer()).byteLength).toBe(232);
    await own.hub.close();
    expect(own.hub.stats().bytes.cdn).toBeLessThan(1e9);
  });

  it('gives the same bytes slowly', async () => {
    const own = await startSmallHub({ bytesPerSecond: 100_000, latencyMs: 1 });
    const whole = await own.get(await own.sign());
    expect(new Uint8Array(await whole.arrayBuffer())).toEqual(WEIGHTS);
    await own.hub.close();
  });

  it('counts downloads of query files only, HEAD too', async () => {
    const own = await startSmallHub();
    await own.get('/acme/root/resolve/main/README.md');
    await own.get('/acme/root/resolve/main/model.safetensors');
    await own.get('/acme/root/resolve/main/config.json', { method: 'HEAD' });
    await own.get('/api/models/acme/root');
    expect(own.hub.stats().downloads).toEqual({ 'acme/root': 1 });
    await own.hub.close();
  });
});
