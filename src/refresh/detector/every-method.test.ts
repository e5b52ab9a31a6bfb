import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClock, runNight } from '../../../test/helpers/night.ts';
import { createSmallHub } from '../../../test/helpers/small-hub.ts';
import { LINEAGE_METHODS } from '../../lineage/index.ts';
import { type Minihub, startMinihub } from '../../minihub/index.ts';
import { openStore } from '../../store/index.ts';
import { isHublineageError } from '../../types/errors.ts';
import type { RunEvent } from '../index.ts';

const clock = createTestClock();
let folder: string;
let database: string;
let hub: Minihub;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'every-method-'));
  database = join(folder, 'index.sqlite');
  hub = await startMinihub({ repos: createSmallHub() });
  await runNight(hub, database, { clock, stages: ['crawl', 'fingerprint'] });
}, 60_000);
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true });
});

async function inferBy(method: string) {
  const events: RunEvent[] = [];
  const outcome = await runNight(hub, database, {
    clock,
    stages: ['infer', 'audit'],
    config: { lineage: { method } },
    emit: (event) => events.push(event),
  });
  const remarks = events.flatMap((event) => (event.type === 'remark' ? [event.message] : []));
  const store = await openStore(database, { readonly: true });
  try {
    return {
      outcome,
      remarks,
      edges: await store.readView('edges'),
      models: await store.readView('models'),
      families: await store.readView('families'),
      verdicts: await store.readView('verdicts'),
    };
  } finally {
    await store.close();
  }
}

describe('every method, from stored fingerprints to verdicts', () => {
  it.each(LINEAGE_METHODS)('%s', async (method) => {
    const { edges, models, families, verdicts, remarks } = await inferBy(method);
    const repos = new Set(models.map((model) => model.repo));
    const parents = new Map<string, string[]>();
    for (const { child, parent, probability, rank, parent_kind: kind } of edges) {
      expect(repos).toContain(child);
      if (kind === 'repo') expect(repos).toContain(parent);
      expect(probability).toBeGreaterThanOrEqual(0);
      expect(probability).toBeLessThanOrEqual(1);
      if (rank === 1) parents.set(child, [...(parents.get(child) ?? []), parent]);
    }
    // nobody is its own ancestor
    for (const repo of repos) {
      const above = new Set<string>();
      const queue = [...(parents.get(repo) ?? [])];
      for (let at = queue.pop(); at !== undefined; at = queue.pop())
        if (!above.has(at)) {
          above.add(at);
          queue.push(...(parents.get(at) ?? []));
        }
      expect(above).not.toContain(repo);
    }
    // a pair of a base and its only fine-tune, and one of two copies among others: every method joins somebody
    expect(parents.size).toBeGreaterThan(0);
    for (const { repo, root } of families) {
      expect(repos).toContain(repo);
      expect(root).not.toBe('');
    }
    // a card that is right is never contradicted, whatever a method thinks
    expect(verdicts.filter(({ verdict }) => verdict === 'contradicted')).toEqual([]);
    if (method !== 'hublineage') expect(remarks.some((remark) => /left out/.test(remark))).toBe(true);
    if (method !== 'hublineage') expect(new Set(edges.map((edge) => edge.method))).toEqual(new Set([method]));
  });

  it('refuses a name that is none before anything is done, with the nearest that is', async () => {
    const error = await inferBy('similarity-l7').then(
      () => null,
      (cause: unknown) => cause,
    );
    if (!isHublineageError(error, 'ConfigInvalid')) throw new Error(`not refused: ${error}`);
    expect(error.where).toBe('lineage.method');
    expect(error.hint).toContain('did you mean similarity-l');
    for (const name of LINEAGE_METHODS) expect(error.hint).toContain(name);
  });
});
