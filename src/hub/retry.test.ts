import { describe, expect, it } from 'vitest';
import { HublineageError } from '../types/errors.ts';
import { TryAgain, tryAgain } from './failures.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import { createSkippingClock } from './testing/skipping-clock.ts';

function setUp(options: Partial<RetryOptions> = {}) {
  const clock = createSkippingClock();
  let calls = 0;
  const run = (attempt: (number: number) => Promise<string>) =>
    withRetries(
      (number) => {
        calls++;
        return attempt(number);
      },
      {
        tries: 9,
        clock,
        random: () => 0,
        signal: undefined,
        deadlineAt: null,
        onRetry: () => {},
        ...options,
      },
    );
  return { clock, run, calls: () => calls };
}
const fail = (code: 'HubOverloaded' | 'RangeIgnored' | 'HubTimeout', message: string = code) => {
  throw tryAgain(code, message, 'here');
};

describe('retries', () => {
  it('wait longer and longer, up to 8 s, as often as the code allows', async () => {
    const { clock, run, calls } = setUp();
    await expect(run(async () => fail('HubOverloaded'))).rejects.toMatchObject({ code: 'HubOverloaded' });
    expect(calls()).toBe(5);
    expect(clock.slept).toEqual([1000, 2000, 4000, 8000]);
  });

  it('wait at random between half of it and all of it', async () => {
    const { clock, run } = setUp({ random: () => 0.999999 });
    await expect(run(async () => fail('RangeIgnored'))).rejects.toMatchObject({ code: 'RangeIgnored' });
    expect(clock.slept.map(Math.round)).toEqual([500, 1000]);
  });

  it('wait as long as the server asks, within reason', async () => {
    const { clock, run } = setUp();
    const asked = (waitMs: number) => new TryAgain(new HublineageError('HubOverloaded', 'x'), waitMs);
    await run(async (number) => {
      if (number < 3) throw asked(number === 1 ? 30_000 : 9_999_999);
      return 'done';
    });
    expect(clock.slept).toEqual([30_000, 60_000]);
  });

  it('throw the first failure, with the later ones attached', async () => {
    const { run } = setUp({ tries: 3 });
    const error = await run(async (n) => fail(n === 1 ? 'HubTimeout' : 'HubOverloaded', `m${n}`)).catch(
      (e) => e,
    );
    expect(error).toMatchObject({
      code: 'HubTimeout',
      message: 'm1 (3 tries; later: m2; m3)',
      where: 'here',
    });
    expect(error.cause.errors.map((e: Error) => e.message)).toEqual(['m1', 'm2', 'm3']);
  });

  it('end at once on a definite answer, an unknown error, an abort, or before the deadline is passed', async () => {
    const definite = setUp();
    const gone = new HublineageError('RepoGone', 'gone');
    const twice = async (n: number) => (n === 1 ? fail('HubTimeout') : Promise.reject(gone));
    await expect(definite.run(twice)).rejects.toBe(gone);
    const bug = new TypeError('bug');
    await expect(setUp().run(() => Promise.reject(bug))).rejects.toBe(bug);
    await expect(
      setUp({ signal: AbortSignal.abort() }).run(async () => fail('HubTimeout')),
    ).rejects.toMatchObject({
      code: 'Interrupted',
    });
    const late = setUp();
    const deadlineAt = late.clock.now() + 2500;
    const run = withRetries(async () => fail('HubTimeout'), {
      ...{ tries: 9, clock: late.clock, random: () => 0, signal: undefined, deadlineAt, onRetry: () => {} },
    });
    await expect(run).rejects.toMatchObject({ code: 'DeadlineReached' });
    expect(late.clock.slept).toEqual([1000]);
  });
});
