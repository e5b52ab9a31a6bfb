import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromRateHeaders, fromRetryAfter } from './rate-headers.ts';

const POLICY = '"fixed window";"api";q=500;w=300';

describe('RateLimit', () => {
  it('is read as the Hub writes it', () => {
    expect(fromRateHeaders('"api";r=489;t=189', POLICY)).toEqual({
      bucket: 'api',
      remaining: 489,
      resetSeconds: 189,
      quota: 500,
      windowSeconds: 300,
    });
  });

  it.each([
    [undefined],
    [''],
    ['api;r=1;t=1'],
    ['"api"'],
    ['"api";t=3'],
    ['"api";r=-5;t=10'],
    ['"api";r=abc;t=10'],
    ['"api";r=99999999999;t=10'],
    ['garbage'],
  ])('says nothing when it is %j', (value) => {
    expect(fromRateHeaders(value, POLICY)).toBeNull();
  });

  it('leaves out what cannot be true', () => {
    expect(fromRateHeaders('"api";r=3;t=4000', POLICY)).toMatchObject({ remaining: 3, resetSeconds: null });
    expect(fromRateHeaders('"api";r=900;t=10', POLICY)).toMatchObject({ remaining: 500, resetSeconds: 10 });
    expect(fromRateHeaders('"api";r=3;t=10', '"fixed window";"resolvers";q=5;w=1')).toMatchObject({
      quota: null,
    });
    expect(fromRateHeaders('"api";r=3;t=10', 'nonsense')).toMatchObject({ quota: null, windowSeconds: null });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const report = fromRateHeaders(a, b);
        expect(report === null || report.remaining >= 0).toBe(true);
      }),
    );
  });
});

describe('Retry-After', () => {
  it('is seconds or a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(fromRetryAfter('12', now)).toBe(12_000);
    expect(fromRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000);
    expect(fromRetryAfter('Thu, 01 Jan 2020 00:01:00 GMT', now)).toBe(0);
    expect(fromRetryAfter('soon', now)).toBeNull();
    expect(fromRetryAfter('999999999', now)).toBe(3_600_000);
  });
});
