import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HublineageError } from '../types/errors.ts';
import { delayAbort } from './delay-abort.ts';
import { retryAt } from './retry-at.ts';
import { isHubTrouble, isLimit, isStopping, yieldToSignals } from './stopping.ts';

describe('a delayed signal', () => {
  it('follows the first, also one that came before', async () => {
    const stopping = new AbortController();
    const grace = delayAbort(stopping.signal, 1);
    expect(grace.signal.aborted).toBe(false);
    stopping.abort();
    expect(grace.signal.aborted).toBe(false);
    await new Promise((resolve) => grace.signal.addEventListener('abort', resolve));
    const late = delayAbort(stopping.signal, 1);
    await new Promise((resolve) => late.signal.addEventListener('abort', resolve));
  });

  it('is let go of at the end of a run', async () => {
    const stopping = new AbortController();
    const grace = delayAbort(stopping.signal, 1);
    stopping.abort();
    grace.end();
    await sleep(20);
    expect(grace.signal.aborted).toBe(false);
  });
});

describe('an error', () => {
  it('stops the run, concerns what was asked for, or is ours', () => {
    const of = (code: ConstructorParameters<typeof HublineageError>[0]) => new HublineageError(code, 'x');
    expect([of('QuotaReached'), of('DeadlineReached'), of('LimitReached')].every(isLimit)).toBe(true);
    expect([of('HubUnreachable'), of('HubThrottled'), of('HubAuth'), of('Interrupted')].map(isLimit)).toEqual(
      Array(4).fill(false),
    );
    expect(isStopping(of('HubThrottled'))).toBe(true);
    expect(isHubTrouble(of('HubOverloaded'))).toBe(true);
    for (const error of [of('Unexpected'), of('DatabaseInvalid'), new TypeError('x')]) {
      expect(isStopping(error)).toBe(false);
      expect(isHubTrouble(error)).toBe(false);
    }
  });
});

it('work that never waits can still be stopped', async () => {
  const stopping = new AbortController();
  setTimeout(() => stopping.abort(), 0);
  const busy = async () => {
    for (;;) await yieldToSignals(stopping.signal);
  };
  await expect(busy()).rejects.toMatchObject({ code: 'Interrupted' });
});

it('failures are tried again after half an hour, doubled, five days at most', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  expect(retryAt(now, 0)).toBe('2026-01-01T00:30:00.000Z');
  expect(retryAt(now, 2)).toBe('2026-01-01T02:00:00.000Z');
  expect(retryAt(now, 100)).toBe(retryAt(now, 8));
});
