import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { FaultClass } from './index.ts';
import { FAULT_CLASSES } from './index.ts';
import { startSmallHub, WEIGHTS } from './testing/small-hub.ts';

type Started = Awaited<ReturnType<typeof startSmallHub>>;

/** What a client notices; a calm answer of the same kind is noticed as `calm`. */
async function probe(small: Started, path: string, init: RequestInit = {}): Promise<string> {
  try {
    const answer = await small.get(path, { ...init, signal: AbortSignal.timeout(2000) });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const headers = ['location', 'link', 'content-range', 'ratelimit', 'retry-after']
      .map((name) => answer.headers.get(name) ?? '-')
      .join(' ');
    const seen = `${answer.status} ${headers} ${Buffer.from(bytes).toString('latin1').slice(0, 3000)} ${bytes.length}`;
    // signatures and quotas differ from answer to answer
    return seen
      .replace(/(Policy|Signature|Expires)=[^& ]+|;r=\d+|;t=\d{1,3}$/gm, '')
      .replace(/;t=\d{1,3} /g, ' ');
  } catch (error) {
    return `broken ${(error as Error).name}`;
  }
}

const LIST = '/api/models?sort=createdAt&direction=1&limit=3&expand[]=sha';
const RESOLVE = '/acme/root/resolve/main/model.safetensors';
/** Where a class shows: on a listing page, on a resolve, or on a slice of the CDN. */
const SHOWS_ON: Partial<Record<FaultClass, 'list' | 'resolve' | 'cdn'>> = {
  'range-ignored': 'cdn',
  'range-wrong': 'cdn',
  'range-total-wrong': 'cdn',
  'range-off-by-one': 'cdn',
  'flipped-byte': 'cdn',
  'signature-expires': 'cdn',
  'forbidden-parallel': 'cdn',
  'redirect-foreign': 'resolve',
  'redirect-loop': 'resolve',
  'redirect-bare-relative': 'resolve',
  'redirect-without-location': 'resolve',
  'redirect-308': 'resolve',
  'cdn-dns': 'resolve',
  'cdn-tls': 'resolve',
  'repo-deleted': 'resolve',
  'repo-gated': 'resolve',
};
/** These change what later requests see, or something fetch does not show; each has its own test. */
const LATER: FaultClass[] = ['body-too-long', 'repo-renamed', 'main-moves', 'quota-lowered', 'clock-skew'];

describe('faults', () => {
  it.each(FAULT_CLASSES.filter((name) => !LATER.includes(name)))(
    '%s hits once and the next try is calm',
    async (name) => {
      const small = await startSmallHub({ quotas: 'unlimited' });
      const where = SHOWS_ON[name] ?? 'list';
      const url = where === 'cdn' ? await small.sign() : where === 'list' ? LIST : RESOLVE;
      const init = where === 'cdn' ? { headers: { range: 'bytes=1000-1999' } } : {};
      const calm = await probe(small, url, init);
      small.hub.setFaults({ seed: 1, classes: { [name]: { rate: 1, maxPerUrl: 1 } }, stallMs: 50 });
      const hit = await probe(small, url, init);
      expect(small.hub.stats().faults).toEqual({ [name]: 1 });
      expect(hit).not.toBe(calm);
      if (name !== 'repo-deleted' && name !== 'repo-gated') {
        expect(await probe(small, url, init)).toBe(calm);
      }
      await small.hub.close();
    },
  );

  it('breaks bodies as named', async () => {
    const small = await startSmallHub();
    const url = await small.sign();
    const hit = async (name: FaultClass) => {
      small.hub.setFaults({ seed: 1, classes: { [name]: 1 }, stallMs: 50 });
      const answer = await small.get(url, { headers: { range: 'bytes=1000-1999' } });
      const body = await answer
        .arrayBuffer()
        .then((b) => new Uint8Array(b))
        .catch(() => null);
      return { status: answer.status, range: answer.headers.get('content-range'), body };
    };
    expect(await hit('truncated-body')).toMatchObject({ status: 206, body: null });
    expect(await hit('reset-mid-body')).toMatchObject({ status: 206, body: null });
    expect(await hit('stalled-body')).toMatchObject({ body: null });
    expect(await hit('range-ignored')).toMatchObject({ status: 200, range: null, body: WEIGHTS });
    expect(await hit('range-off-by-one')).toMatchObject({ range: 'bytes 1001-2000/5000' });
    expect(await hit('range-total-wrong')).toMatchObject({
      range: 'bytes 1000-1999/5001',
      body: WEIGHTS.slice(1000, 2000),
    });
    const flipped = await hit('flipped-byte');
    expect(flipped.range).toBe('bytes 1000-1999/5000');
    expect([...flipped.body!].filter((byte, i) => byte !== WEIGHTS[1000 + i])).toHaveLength(1);
    await small.hub.close();
  });

  it('sends more than it declared', async () => {
    const small = await startSmallHub({ faults: { seed: 1, classes: { 'body-too-long': 1 } } });
    const { hostname, port } = new URL(small.hub.url);
    const socket = connect(Number(port), hostname);
    socket.end('GET /api/models?limit=1 HTTP/1.1\r\nHost: minihub\r\nConnection: close\r\n\r\n');
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(body.length).toBeGreaterThan(Number(/content-length: (\d+)/i.exec(head)?.[1]));
    await small.hub.close();
  });

  it('moves, renames and throttles behind the client’s back', async () => {
    const small = await startSmallHub({
      quotas: { api: 100, resolvers: 100, pages: 100, windowSeconds: 300 },
    });
    const head = async () => (await small.get('/api/models/acme/root?expand=sha')).headers.get('etag');
    const before = await head();
    small.hub.setFaults({
      seed: 1,
      classes: { 'main-moves': { rate: 1, maxPerUrl: 1, repos: ['acme/root'] } },
    });
    await small.get(RESOLVE);
    small.hub.setFaults(null);
    expect(await head()).not.toBe(before);
    small.hub.setFaults({ seed: 1, classes: { 'repo-renamed': { rate: 1, repos: ['acme/child'] } } });
    expect((await small.get('/api/models/acme/child')).status).toBe(200);
    small.hub.setFaults(null);
    expect((await small.get('/api/models/acme/child')).headers.get('location')).toBe(
      '/api/models/acme/child-renamed',
    );
    small.hub.setFaults({ seed: 1, classes: { 'quota-lowered': 1 } });
    expect((await small.get('/api/models')).headers.get('ratelimit-policy')).toContain('q=50;');
    small.hub.setFaults({ seed: 1, classes: { 'clock-skew': 1 } });
    const date = Date.parse((await small.get('/api/models?limit=2')).headers.get('date') ?? '');
    expect(Math.abs(Date.now() - date)).toBeGreaterThan(3_600_000);
    await small.hub.close();
  });

  it('replays a bad night: same seed, same hits; another seed, others', async () => {
    const night = async (seed: number, order: number[]) => {
      const small = await startSmallHub({
        quotas: 'unlimited',
        faults: { seed, classes: { 'http-503': { rate: 0.4, maxPerUrl: 5 } } },
      });
      const statuses: Record<string, number[]> = {};
      for (const n of order) {
        const path = `/api/models?limit=${n}`;
        const seen = statuses[path] ?? [];
        statuses[path] = [...seen, (await small.get(path)).status];
      }
      await small.hub.close();
      return JSON.stringify(Object.entries(statuses).sort());
    };
    const order = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4];
    const first = await night(7, order);
    expect(first).toContain('503');
    expect(await night(7, [...order].sort())).toBe(first);
    expect(await night(8, order)).not.toBe(first);
  });
});
