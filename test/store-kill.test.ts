import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from '../src/store/index.ts';

const WRITER = fileURLToPath(new URL('./fixtures/store-writer.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hublineage-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the writer until it is done, or kills it as it goes on after `steps` steps; resolves with whether it was killed. */
function runWriter(path: string, steps: number): Promise<boolean> {
  const child = fork(WRITER, [path], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: 'ignore',
  });
  let taken = 0;
  child.on('message', () => {
    child.send('go', () => {});
    if (++taken === steps) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) =>
      code === 0 || signal === 'SIGKILL'
        ? resolve(signal !== null)
        : reject(new Error(`the writer ended with ${code}`)),
    );
  });
}

/** Everything but the times at which it happened and the numbering of rows that were tried twice. */
function dump(path: string): Record<string, unknown[]> {
  const db = new Sqlite(path, { readonly: true });
  const views = [
    'models',
    'declared_bases',
    'edges',
    'ancestors',
    'families',
    'failures',
    'verdicts',
    'counts',
  ];
  const rows = views.map(
    (view) => [view, db.prepare(`SELECT * FROM ${view} ORDER BY 1, 2, 3`).all()] as const,
  );
  const files = db
    .prepare('SELECT hub_id, path, size, hex(sha256) AS sha256 FROM t_files ORDER BY 1, 2')
    .all();
  const cursor = db.prepare('SELECT key, value FROM t_cursors ORDER BY 1').all();
  const samples = db
    .prepare(`SELECT r.repo, p.weights_key, s.blob FROM t_repos r JOIN t_fingerprints p USING (fingerprint_id)
      JOIN t_samples s USING (fingerprint_id) ORDER BY 1`)
    .all();
  db.close();
  return { ...Object.fromEntries(rows), files, cursor, samples };
}

describe('a writer killed at any moment', () => {
  it('goes on where it was and ends with the rows of one that was left alone', async () => {
    const calm = join(folder, 'calm.sqlite');
    expect(await runWriter(calm, Number.POSITIVE_INFINITY)).toBe(false);
    const expected = dump(calm);
    expect(expected.models).toHaveLength(60);

    const stormy = join(folder, 'stormy.sqlite');
    let kills = 0;
    // Killed after some steps, not after some time: the same on fast machines and slow ones.
    while (await runWriter(stormy, 2 + (kills % 6))) {
      kills++;
      const store = await openStore(stormy);
      expect(await store.integrityCheck()).toEqual([]);
      await store.close();
    }
    expect(kills).toBeGreaterThan(5);
    expect(dump(stormy)).toEqual(expected);
  }, 120_000);
});
