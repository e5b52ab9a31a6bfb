import { describe, expect, it } from 'vitest';
import { startSmallHub } from './testing/small-hub.ts';

const read = (answer: Response) => {
  const [, bucket, r, t] = /^"(\w+)";r=(\d+);t=(\d+)$/.exec(answer.headers.get('ratelimit') ?? '') ?? [];
  return { bucket, remaining: Number(r), reset: Number(t) };
};

describe('quotas', () => {
  it('counts by bucket in fixed windows on its own clock, and forgives when the window ends', async () => {
    let now = Date.UTC(2026, 0, 1);
    const { hub, get } = await startSmallHub({
      clock: { now: () => now },
      quotas: { api: 3, resolvers: 2, pages: 1, windowSeconds: 300 },
    });
    // the start of a fresh window, wherever this client's lies
    now += read(await get('/api/models')).reset * 1000;
    const remaining = [];
    for (let i = 0; i < 3; i++) remaining.push(read(await get('/api/models?limit=1')).remaining);
    expect(remaining).toEqual([2, 1, 0]);
    const refused = await get('/api/models?limit=1');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(refused.headers.get('ratelimit-policy')).toBe('"fixed window";"api";q=3;w=300');
    expect(((await refused.json()) as { error: string }).error).toMatch(/^We had to rate limit your IP \(/);
    // the other bucket is not touched
    expect((await get('/acme/root/resolve/main/model.safetensors')).status).toBe(302);
    const { reset } = read(refused);
    now += (reset - 1) * 1000;
    expect((await get('/api/models')).status).toBe(429);
    now += 1000;
    expect(read(await get('/api/models')).remaining).toBe(2);
    expect(hub.stats()).toMatchObject({ throttled: 2 });
    await hub.close();
  });

  it('has one window a token, each with its own offset, and the quota of its tier', async () => {
    const { hub, get } = await startSmallHub({
      tokens: { hf_a: { grants: [], quotas: 'pro' }, hf_b: { grants: [] } },
    });
    const as = async (token: string | null) =>
      read(await get('/api/models', token === null ? {} : { headers: { authorization: `Bearer ${token}` } }));
    const answers = [await as(null), await as('hf_a'), await as('hf_b')];
    expect(answers.map((answer) => answer.remaining)).toEqual([499, 2499, 499]);
    expect(new Set(answers.map((answer) => answer.reset)).size).toBeGreaterThan(1);
    await hub.close();
  });

  it('counts the second hop of small files unless told not to', async () => {
    for (const [countResolveCache, expected] of [
      [true, 2],
      [false, 1],
    ] as const) {
      const { hub, get } = await startSmallHub({ countResolveCache });
      const hop = await get('/acme/root/resolve/main/config.json');
      await get(hop.headers.get('location') ?? '');
      expect(hub.stats().buckets.resolvers).toBe(expected);
      await hub.close();
    }
  });
});
