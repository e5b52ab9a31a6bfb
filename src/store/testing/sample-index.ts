import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { ResolvedClaim } from '../../types/claims.ts';
import type { FingerprintSummary } from '../../types/fingerprint.ts';
import type { HubRepo } from '../../types/hub.ts';
import type { Edge, Evidence } from '../../types/lineage.ts';
import type { Verdict } from '../../types/verdict.ts';
import type { Store } from '../contract.ts';
import { openStore } from '../open-store.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, removed when the test file is done. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hublineage-store-'));
  folders.push(folder);
  return folder;
}

/** A path for a database in a folder of its own. */
export function makePath(): string {
  return join(makeFolder(), 'index.sqlite');
}

/** A clock that moves one second a call. */
export function makeClock(start = Date.UTC(2026, 0, 1)): () => Date {
  let at = start;
  return () => {
    at += 1000;
    return new Date(at);
  };
}

export const toHubId = (n: number) => n.toString(16).padStart(24, '0');
export const toSha = (n: number) => n.toString(16).padStart(40, '0');
export const toSha256 = (n: number) => n.toString(16).padStart(64, '0');

export function makeHub(n: number, change: Partial<HubRepo> = {}): HubRepo {
  return {
    hubId: toHubId(n),
    repo: `owner/Model-${n}`,
    sha: toSha(n),
    createdAt: new Date(Date.UTC(2024, 0, n)).toISOString(),
    lastModified: null,
    downloads: n * 10,
    likes: 0,
    gated: false,
    private: false,
    disabled: false,
    tags: [],
    pipelineTag: null,
    libraryName: null,
    cardData: null,
    config: null,
    files: ['model.safetensors'],
    safetensors: null,
    gguf: null,
    baseModels: null,
    ...change,
  };
}

export function makeSummary(change: Partial<FingerprintSummary> = {}): FingerprintSummary {
  return {
    scheme: 1,
    family: 'llama',
    architecture: 'LlamaForCausalLM',
    kind: 'full',
    format: 'safetensors',
    dtype: 'BF16',
    quantized: false,
    params: 1234,
    widths: {
      hidden: 64,
      intermediate: 128,
      heads: 4,
      kvHeads: 4,
      headDim: 16,
      layers: 2,
      vocab: 512,
      crossAttention: null,
    },
    adapter: null,
    core: new Float32Array([1, -2.5, 3e-8]),
    coreKey: 'llama-64',
    files: [],
    notes: [],
    ...change,
  };
}

export function makeClaim(normalized: string | null, change: Partial<ResolvedClaim> = {}): ResolvedClaim {
  return {
    source: 'card',
    raw: normalized ?? './checkpoint-500',
    normalized,
    relation: 'finetune',
    sha256: null,
    hint: false,
    resolvedRepo: null,
    ...change,
  };
}

export function makeEdge(child: string, parent: string, change: Partial<Edge> = {}): Edge {
  return {
    child,
    parent,
    relation: 'finetune',
    probability: 0.9,
    rank: 1,
    weight: null,
    method: 'tree',
    parentKind: parent.startsWith('virtual/') ? 'virtual' : 'repo',
    ...change,
  };
}

export function makeEvidence(child: string, parent: string, probe = 'relative-distance'): Evidence {
  return {
    child,
    parent,
    probe,
    outcome: 'supports',
    value: 0.01,
    logOdds: 3.2,
    detail: 'The distance is 1 %.',
  };
}

export function makeVerdict(repo: string, change: Partial<Verdict> = {}): Verdict {
  return {
    repo,
    verdict: 'confirmed',
    declared: [],
    relationDeclared: null,
    inferred: [],
    relationInferred: null,
    probability: 0.9,
    reason: 'The weights agree with what is declared.',
    ...change,
  };
}

const name = (n: number) => `owner/Model-${n}`;

/**
 * A small index with something in every view: 1 is the root (gated), 2 its fine-tune, 3 a quantised 2, 4 an undeclared merge of 2 and 5,
 * 5 a fine-tune of 1 with a wrong declaration, 6 a copy of 1, 7 a child of a virtual parent, 8 failed, 9 gone; 6 and 7 were compared by
 * how they answer.
 */
export async function fillSampleIndex(path: string): Promise<Store> {
  const store = await openStore(path, { now: makeClock() });
  const crawl = await store.startRun('crawl');
  const licenses = ['llama3', 'mit', 'mit', 'llama3', 'llama3', 'llama3', 'apache-2.0', 'mit', 'mit'];
  const rows = licenses.map((license, i) =>
    makeHub(i + 1, { cardData: { license }, gated: i === 0 ? 'manual' : false }),
  );
  await store.upsertRepos(rows, crawl, { family: 'llama' });
  await store.setGone([toHubId(9)], crawl);
  await store.replaceClaims(toHubId(2), toSha(2), [makeClaim(name(1))], 1);
  await store.replaceClaims(
    toHubId(5),
    toSha(5),
    [makeClaim(name(7)), makeClaim('lost/base', { hint: true })],
    1,
  );
  await store.replaceClaims(toHubId(7), toSha(7), [makeClaim('lost/base'), makeClaim(null)], 1);
  await store.resolveClaims();
  for (let n = 1; n <= 7; n++) {
    await store.saveFingerprint({
      hubId: toHubId(n),
      sha: toSha(n),
      version: 1,
      weightsKey: n === 6 ? 'weights-1' : `weights-${n}`,
      blob: new Uint8Array([n, 2, 3]),
      summary: makeSummary(n === 3 ? { dtype: 'Q4_0', format: 'gguf', quantized: true } : {}),
    });
  }
  await store.recordFailure({
    hubId: toHubId(8),
    stage: 'fingerprint',
    version: 1,
    error: { code: 'HeaderInvalid', message: 'the header is not JSON' },
  });
  await store.finishRun(crawl, 'partial', { reposSeen: 9, reposNew: 9 }, { requestsApi: 3, bytes: 4096 });
  const infer = await store.startRun('infer');
  const virtual = 'virtual/llama-abc';
  const edges = [
    makeEdge(name(2), name(1)),
    makeEdge(name(3), name(2), { relation: 'quantized' }),
    makeEdge(name(4), name(2), { relation: 'merge', weight: 0.6 }),
    makeEdge(name(4), name(5), { relation: 'merge', weight: 0.4 }),
    makeEdge(name(5), name(1)),
    makeEdge(name(5), name(2), { rank: 2, probability: 0.05 }),
    makeEdge(name(6), name(1), { relation: 'duplicate', method: 'hash' }),
    makeEdge(name(7), virtual),
  ];
  await store.replaceDerived(
    {
      edges,
      evidence: [
        makeEvidence(name(2), name(1)),
        makeEvidence(name(5), name(1)),
        makeEvidence(name(5), name(7)),
      ],
      families: [
        ...[1, 2, 3, 4, 5, 6].map((n) => ({
          repo: name(n),
          root: name(1),
          depth: [0, 1, 2, 2, 1, 1][n - 1]!,
        })),
        { repo: virtual, root: virtual, depth: 0 },
        { repo: name(7), root: virtual, depth: 1 },
      ],
      virtualParents: [{ id: virtual, declaredLabel: 'lost/base', children: [name(7)] }],
    },
    infer,
  );
  await store.replaceVerdicts(
    [makeVerdict(name(2)), makeVerdict(name(5), { verdict: 'unknown', declared: [name(7)] })],
    infer,
  );
  await store.finishRun(infer, 'done', { edges: edges.length, verdicts: 2 });
  const audit = await store.startRun('audit');
  await store.replaceVerdicts(
    [
      makeVerdict(name(2), { declared: [name(1)], inferred: [name(1)] }),
      makeVerdict(name(5), { verdict: 'contradicted', declared: [name(7)], inferred: [name(1)] }),
    ],
    audit,
  );
  await store.finishRun(audit, 'done', { verdicts: 2 });
  await store.saveBehaviour({
    source: 'answers.jsonl',
    prompts: 128,
    promptsHash: toSha256(1),
    completions: 8192,
    pairs: [
      {
        first: name(6),
        second: name(7),
        similarity: 0.25,
        distance: Math.log(4),
        sharedPrompts: 128,
        firstCompletions: 4096,
        secondCompletions: 4096,
      },
    ],
  });
  return store;
}
