import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Minihub, startMinihub } from '../src/minihub/index.ts';
import { acquireLock } from '../src/refresh/lock.ts';
import { type CliResult, runHublineage } from './helpers/cli.ts';
import { dumpDatabase } from './helpers/dump.ts';
import { killMoments } from './helpers/kill-moments.ts';
import { createSmallHub } from './helpers/small-hub.ts';

/** A few moments; `npm run soak` tries a hundred. */
const KILLS = 4;
const SEED = 1;

let hub: Minihub;
let folder: string;

beforeAll(async () => {
  // slow enough that a kill meets every stage at work
  hub = await startMinihub({ repos: createSmallHub(), latencyMs: 5 });
  folder = mkdtempSync(join(tmpdir(), 'interruptions-'));
});

afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const refresh = (database: string, onStart?: Parameters<typeof runHublineage>[1]): Promise<CliResult> =>
  runHublineage(['refresh', '--db', database], { cwd: folder, env: { HF_ENDPOINT: hub.url }, ...onStart });

describe('a run that is killed', () => {
  it(
    `goes on where it was: after ${KILLS} seeded kill -9 the rows are those of a calm night`,
    async () => {
      const calm = join(folder, 'calm.sqlite');
      const startedAt = Date.now();
      expect((await refresh(calm)).code).toBe(0);
      const calmMs = Date.now() - startedAt;
      const expected = await dumpDatabase(calm);

      for (const [index, share] of killMoments(SEED, KILLS).entries()) {
        const database = join(folder, `killed-${index}.sqlite`);
        const killed = await refresh(database, {
          onStart: (child) => setTimeout(() => child.kill('SIGKILL'), share * calmMs),
        });
        const again = await refresh(database);
        expect(`${again.code} after a kill at ${share.toFixed(3)} (${killed.signal})`).toMatch(/^0 /);
        expect(await dumpDatabase(database)).toEqual(expected);
      }
    },
    60_000 + KILLS * 30_000,
  );

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops in an orderly way on %s, with 130 and a state to go on from',
    async (signal) => {
      const database = join(folder, `${signal}.sqlite`);
      const slow = await startMinihub({ repos: createSmallHub(), latencyMs: 60 });
      try {
        const stopped = await runHublineage(['refresh', '--db', database], {
          cwd: folder,
          env: { HF_ENDPOINT: slow.url },
          onStart: (child) => {
            child.stderr?.once('data', () => setTimeout(() => child.kill(signal), 100));
          },
        });
        expect(stopped.code).toBe(130);
        expect(stopped.stderr).toMatch(/stopping/);
      } finally {
        await slow.close();
      }
      expect((await refresh(database)).code).toBe(0);
    },
    120_000,
  );

  it('stops at once on a second signal, whatever hangs', async () => {
    // a Hub that takes every request and answers none: only the second signal can end this run
    const asked = Promise.withResolvers<void>();
    const silent = createServer(() => asked.resolve());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = silent.address() as AddressInfo;
      const stopped = await runHublineage(['refresh', '--db', join(folder, 'twice.sqlite')], {
        cwd: folder,
        env: { HF_ENDPOINT: `http://127.0.0.1:${port}` },
        onStart: (child) => {
          void asked.promise.then(() => child.kill('SIGINT'));
          child.stderr?.on('data', (text) => {
            if (String(text).includes('stopping')) child.kill('SIGINT');
          });
        },
      });
      expect(stopped.code).toBe(130);
      expect(stopped.stdout).toBe('');
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  }, 60_000);

  it('is kept from meeting itself: the second run stops with 75 and says who holds the lock', async () => {
    const database = join(folder, 'locked.sqlite');
    const lock = acquireLock(database, 'refresh', () => new Date('2026-01-02T03:04:05Z'));
    try {
      const second = await refresh(database);
      expect(second.code).toBe(75);
      expect(second.stderr).toContain(`process ${process.pid}`);
      expect(second.stderr).toContain('2026-01-02T03:04:05');
    } finally {
      lock.release();
    }
    expect((await refresh(database)).code).toBe(0);
  }, 120_000);

  it('stops at its limits with 75 and goes on', async () => {
    const database = join(folder, 'limited.sqlite');
    const limited = await runHublineage(['refresh', '--db', database, '--max-requests', '40', '--json'], {
      cwd: folder,
      env: { HF_ENDPOINT: hub.url },
    });
    expect(limited.code).toBe(75);
    expect(JSON.parse(limited.stdout).stoppedBy.code).toMatch(/Limit|Quota/);
    expect((await refresh(database)).code).toBe(0);
    expect(await dumpDatabase(database)).toEqual(await dumpDatabase(join(folder, 'calm.sqlite')));
  }, 120_000);
});
