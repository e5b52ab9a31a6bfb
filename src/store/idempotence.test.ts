import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Store } from './contract.ts';
import { openStore } from './open-store.ts';
import {
  makeClaim,
  makeHub,
  makePath,
  makeSummary,
  toHubId,
  toSha,
  toSha256,
} from './testing/sample-index.ts';

type Step = (store: Store) => Promise<unknown>;

const repo = fc.integer({ min: 1, max: 4 });
const sha = fc.integer({ min: 1, max: 3 });

/** Things a run does to facts, each of which a crash may make it do again. */
const steps: fc.Arbitrary<{ name: string; run: Step }> = fc.oneof(
  fc.record({ n: repo, sha, name: fc.constantFrom('a/x', 'a/y', 'b/z'), gated: fc.boolean() }).map((s) => ({
    name: `upsert ${JSON.stringify(s)}`,
    run: (store: Store) =>
      store.upsertRepos(
        [makeHub(s.n, { sha: toSha(s.sha), repo: s.name, gated: s.gated ? 'auto' : false })],
        7,
        { family: 'llama', cursor: { key: 'page', value: s.n } },
      ),
  })),
  fc.record({ n: repo, sha, file: fc.integer({ min: 1, max: 3 }) }).map((s) => ({
    name: `files ${JSON.stringify(s)}`,
    run: (store: Store) =>
      store.saveFiles(toHubId(s.n), toSha(s.sha), [
        { path: 'model.safetensors', size: 9, oid: null, sha256: toSha256(s.file) },
      ]),
  })),
  fc.record({ n: repo, sha, key: fc.constantFrom('k1', 'k2') }).map((s) => ({
    name: `fingerprint ${JSON.stringify(s)}`,
    run: (store: Store) =>
      store.saveFingerprint({
        hubId: toHubId(s.n),
        sha: toSha(s.sha),
        version: 1,
        weightsKey: s.key,
        blob: new Uint8Array([1]),
        summary: makeSummary(),
      }),
  })),
  fc.record({ n: repo, sha }).map((s) => ({
    name: `status ${JSON.stringify(s)}`,
    run: (store: Store) => store.setStatus(toHubId(s.n), toSha(s.sha), 1, 'no_weights', 'none'),
  })),
  fc.record({ n: repo, sha, base: fc.constantFrom('a/x', 'B/Z', 'c/c') }).map((s) => ({
    name: `claims ${JSON.stringify(s)}`,
    run: (store: Store) => store.replaceClaims(toHubId(s.n), toSha(s.sha), [makeClaim(s.base)], 1),
  })),
  fc.constant({ name: 'resolve', run: (store: Store) => store.resolveClaims() }),
  repo.map((n) => ({ name: `gone ${n}`, run: (store: Store) => store.setGone([toHubId(n)], 7) })),
  fc.constant({ name: 'prune', run: (store: Store) => store.pruneFingerprints() }),
);

function dump(path: string): Record<string, unknown[]> {
  const db = new Sqlite(path, { readonly: true });
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't!_%' ESCAPE '!'")
    .pluck()
    .all() as string[];
  const rows = Object.fromEntries(tables.map((table) => [table, db.prepare(`SELECT * FROM ${table}`).all()]));
  db.close();
  return rows;
}

describe('facts', () => {
  it('are the same when the last thing done is done again, and never dangle', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 12 }), async (list) => {
        const path = makePath();
        const store = await openStore(path, { now: () => new Date(0) });
        // All four are known: what else is done to a repo always follows its listing.
        await store.upsertRepos(
          [1, 2, 3, 4].map((n) => makeHub(n, { sha: toSha(1) })),
          7,
          { family: 'llama' },
        );
        for (const step of list) await step.run(store);
        const once = dump(path);
        await list.at(-1)!.run(store);
        expect(dump(path)).toEqual(once);
        expect(await store.integrityCheck()).toEqual([]);
        await store.close();
      }),
      { numRuns: 60 },
    );
  });
});
