import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPace } from './pace.ts';
import { type Headers, toTold } from './rate-headers.ts';
import { createFakeClock } from './testing/fake-endpoint.ts';

function start(options: { perMinute?: number; signal?: AbortSignal } = {}) {
  const clock = createFakeClock();
  const told: number[] = [];
  const pace = createPace({
    clock,
    signal: options.signal ?? new AbortController().signal,
    perMinute: options.perMinute ?? null,
    onWait: (ms) => told.push(ms),
  });
  return { clock, told, pace };
}

describe('headers that ask for a pause', () => {
  const now = Date.UTC(2026, 0, 1);
  const cases: [Headers, number | null][] = [
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60_000],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-5' }, null],
    [{ ratelimit: '"api";r=0;t=55' }, 56_000],
    [{ ratelimit: '"api";r=10;t=55' }, null],
    [{ ratelimit: '"api";r=0;t=99999999' }, null],
    [{ 'ratelimit-remaining': '0', 'ratelimit-reset': '30' }, 30_000],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m30.5s' }, 90_500],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20ms' }, 20],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': 'later' }, null],
    [{ 'x-ratelimit-remaining-requests': '4', 'x-ratelimit-reset-requests': '1m' }, null],
    [{}, null],
  ];
  it.each(cases)('%j: %s ms', (headers, ms) => {
    expect(toTold(headers, now)?.ms ?? null).toBe(ms);
  });

  it('of any kind give a positive time or none', () => {
    const value = fc.oneof(fc.string(), fc.constantFrom('0', '1e9', '9'.repeat(9), '"a";r=0;t=1', '1h1m1s'));
    const names = ['retry-after', 'ratelimit', 'ratelimit-remaining', 'ratelimit-reset'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (headers) => {
        const told = toTold(headers, now);
        expect(told === null || (told.ms > 0 && Number.isFinite(told.ms))).toBe(true);
      }),
    );
  });
});

describe('pace', () => {
  it('is held by all until the latest time anybody was told', async () => {
    const { clock, pace } = start();
    pace.throttle({ 'retry-after': '60' }, 'wait');
    pace.throttle({ 'retry-after': '1' }, 'wait');
    await Promise.all([pace.enter(), pace.enter()]);
    expect(clock.at()).toBe(60_000);
  });

  it('doubles its guesses once a pause, not once a request', async () => {
    const { clock, told, pace } = start();
    for (let round = 0; round < 3; round++) {
      for (let request = 0; request < 4; request++) pace.throttle({}, 'wait');
      await pace.enter();
    }
    expect(told).toEqual([1000, 2000, 4000]);
    expect(clock.at()).toBe(7000);
    pace.answered({});
    pace.throttle({}, 'wait');
    expect(told.at(-1)).toBe(1000);
  });

  it('waits at the end of a window before it is told to', async () => {
    const { clock, pace } = start();
    await pace.enter();
    pace.answered({ ratelimit: '"api";r=0;t=9' });
    await pace.enter();
    expect(clock.at()).toBe(10_000);
  });

  it('ends the run where the wait is no pause, and where nothing but waiting is ever asked for', async () => {
    const long = start();
    long.pace.throttle({ 'retry-after': '7200' }, 'The endpoint asks to wait (status 429).');
    await expect(long.pace.enter()).rejects.toMatchObject({
      code: 'QuotaReached',
      message: 'The endpoint asks to wait (status 429). It is to be asked again in 120 minutes.',
    });
    expect(long.clock.at()).toBe(0);
    const { clock, pace } = start();
    const forEver = async () => {
      for (;;) {
        await pace.enter();
        pace.throttle({}, 'wait');
      }
    };
    await expect(forEver()).rejects.toMatchObject({ code: 'HubThrottled' });
    expect(clock.at()).toBeLessThan(30 * 60_000);
  });

  it('stops waiting when the run is stopped', async () => {
    const stop = new AbortController();
    const { pace } = start({ signal: stop.signal });
    pace.throttle({ 'retry-after': '60' }, 'wait');
    const waiting = pace.enter();
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'Interrupted' });
    await expect(pace.enter()).rejects.toMatchObject({ code: 'Interrupted' });
  });

  it('never begins more requests in a minute than allowed, whoever asks and whatever the server says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }),
        async (perMinute, workers, answers) => {
          const { clock, pace } = start({ perMinute });
          const begun: number[] = [];
          let left = 40;
          const work = async () => {
            while (left-- > 0) {
              await pace.enter();
              begun.push(clock.at());
              const answer = answers[begun.length % Math.max(1, answers.length)] ?? 0;
              // never thirty in a row, which would end the run
              if (answer === 3 && begun.length % 2 === 0) pace.throttle({ 'retry-after': '2' }, 'wait');
              else pace.answered({});
            }
          };
          await Promise.all(Array.from({ length: workers }, work));
          expect(begun).toHaveLength(40);
          for (const [i, at] of begun.entries()) {
            const before = begun[i - perMinute];
            if (before !== undefined) expect(at - before).toBeGreaterThanOrEqual(60_000);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
