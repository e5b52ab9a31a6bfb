import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../store/index.ts';
import type { HubRepo } from '../types/hub.ts';
import type { Edge } from '../types/lineage.ts';
import type { Verdict, VerdictKind } from '../types/verdict.ts';
import { readChanges } from './report-changes.ts';

const hubRepo = (index: number, repo: string): HubRepo => ({
  hubId: index.toString(16).padStart(24, '0'),
  repo,
  sha: '0'.repeat(40),
  createdAt: '2024-01-01T00:00:00.000Z',
  lastModified: null,
  downloads: 0,
  likes: 0,
  gated: false,
  private: false,
  disabled: false,
  tags: [],
  pipelineTag: null,
  libraryName: null,
  cardData: null,
  config: null,
  files: [],
  safetensors: null,
  gguf: null,
  baseModels: null,
});
const edge = (child: string, parent: string): Edge => ({
  child,
  parent,
  relation: 'finetune',
  probability: 0.9,
  rank: 1,
  weight: null,
  method: 'tree',
  parentKind: 'repo',
});
const verdict = (repo: string, kind: VerdictKind): Verdict => ({
  repo,
  verdict: kind,
  declared: [],
  relationDeclared: null,
  inferred: [],
  relationInferred: null,
  probability: null,
  reason: 'because',
});

let store: Store;

beforeEach(async () => {
  store = await openStore(join(mkdtempSync(join(tmpdir(), 'changes-')), 'index.sqlite'));
});
afterEach(() => store.close());

interface Night {
  repos?: HubRepo[];
  gone?: HubRepo[];
  edges: Edge[];
  verdicts: Verdict[];
  status?: 'done' | 'partial' | 'stopped';
}

async function runNight({ repos = [], gone = [], edges, verdicts, status = 'done' }: Night): Promise<number> {
  const runId = await store.startRun('refresh');
  await store.upsertRepos(repos, runId);
  await store.setGone(
    gone.map(({ hubId }) => hubId),
    runId,
  );
  await store.replaceDerived({ edges, evidence: [], families: [], virtualParents: [] }, runId);
  await store.replaceVerdicts(verdicts, runId);
  await store.finishRun(runId, status);
  return runId;
}

const [a, b, c] = [hubRepo(1, 'x/a'), hubRepo(2, 'x/b'), hubRepo(3, 'x/c')];

describe('readChanges', () => {
  it('has nothing to tell about a first night', async () => {
    expect(await readChanges(store)).toBeNull();
    await runNight({ repos: [a], edges: [], verdicts: [verdict('x/a', 'original')] });
    expect(await readChanges(store)).toBeNull();
  });

  it('tells what came, went and flipped since the night before', async () => {
    const first = await runNight({
      repos: [a, b],
      edges: [edge('x/b', 'x/a')],
      verdicts: [verdict('x/a', 'original'), verdict('x/b', 'confirmed')],
    });
    await runNight({
      repos: [a, c],
      gone: [b],
      edges: [edge('x/c', 'x/a')],
      verdicts: [verdict('x/a', 'undeclared'), verdict('x/c', 'confirmed')],
    });
    const changes = await readChanges(store);
    expect(changes).toMatchObject({ since_run: first, new_models: ['x/c'], gone_models: ['x/b'] });
    expect(changes?.edges.map(({ change, child }) => `${change} ${child}`).sort()).toEqual([
      'added x/c',
      'removed x/b',
    ]);
    expect(changes?.verdicts).toContainEqual({ repo: 'x/a', from: 'original', to: 'undeclared' });
  });

  it('compares with the last night that finished, and takes what came and went again for no change', async () => {
    const first = await runNight({
      repos: [a, b],
      edges: [edge('x/b', 'x/a')],
      verdicts: [verdict('x/a', 'original')],
    });
    await runNight({ edges: [], verdicts: [verdict('x/a', 'undeclared')], status: 'stopped' });
    await runNight({ edges: [edge('x/b', 'x/a')], verdicts: [verdict('x/a', 'relative')] });
    const changes = await readChanges(store);
    expect(changes?.since_run).toBe(first);
    expect(changes?.edges).toEqual([]);
    expect(changes?.verdicts).toEqual([{ repo: 'x/a', from: 'original', to: 'relative' }]);
  });

  it('goes back to a run of choice', async () => {
    const first = await runNight({ repos: [a], edges: [], verdicts: [] });
    await runNight({ repos: [a, b], edges: [], verdicts: [] });
    const last = await runNight({ repos: [a, b, c], edges: [], verdicts: [] });
    expect((await readChanges(store, first))?.new_models).toEqual(['x/b', 'x/c']);
    expect((await readChanges(store))?.new_models).toEqual(['x/c']);
    expect((await readChanges(store, last))?.new_models).toEqual([]);
    expect(await readChanges(store, 99)).toBeNull();
  });
});
