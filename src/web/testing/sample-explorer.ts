import { openStore, type Store } from '../../store/index.ts';
import {
  makeClaim,
  makeClock,
  makeEdge,
  makeEvidence,
  makeHub,
  makeSummary,
  makeVerdict,
  toHubId,
  toSha,
  toSha256,
} from '../../store/testing/sample-index.ts';
import type { Edge, FamilyMember } from '../../types/lineage.ts';
import type { Verdict } from '../../types/verdict.ts';
import type { ExplorerOptions } from '../contract.ts';

/** Markup, a script, an event handler, an attribute's end, a right-to-left override, a NUL and half a surrogate pair. */
export const HOSTILE_TEXT = `<script>document.title='owned'</script><img src=x onerror="document.title='owned'">'"></code>\u202e\u0000\ud800`;
export const HOSTILE_REPO = 'evil/"><img src=x onerror=alert(1)>';
export const ROOT = 'alpaca/Base-7B';
export const WRONG = 'northlab/Wrong-Card';
export const VIRTUAL = 'virtual/llama-abc';
export const QUANTIZED = 60;

const COMPARED = { distance: 0.5, sharedPrompts: 128, firstCompletions: 4096, secondCompletions: 2048 };

/**
 * An index with every kind of page in it: a root with a crowd of quantised children, a contradicted card whose verdict flipped, ties, a
 * merge, an absent parent, a failure, two comparisons by behaviour, and a model whose author wrote markup wherever text is taken.
 */
export async function fillSampleExplorer(path: string): Promise<void> {
  const store = await openStore(path, { now: makeClock() });
  const names = [
    ROOT,
    WRONG,
    'guanaco/Other-Base',
    'bluebird/Merged',
    HOSTILE_REPO,
    'kestrel/Orphan',
    'kestrel/Broken',
    ...Array.from({ length: QUANTIZED }, (_, i) => `packer/Base-7B-Q${i}`),
  ];
  const crawl = await store.startRun('crawl');
  await store.upsertRepos(
    names.map((repo, i) =>
      makeHub(i + 1, {
        repo,
        downloads: 1_000 - i,
        ...(repo === HOSTILE_REPO
          ? { tags: [HOSTILE_TEXT], cardData: { license: HOSTILE_TEXT }, libraryName: HOSTILE_TEXT }
          : { cardData: { license: i % 2 === 0 ? 'apache-2.0' : 'mit' } }),
      }),
    ),
    crawl,
    { family: 'llama' },
  );
  for (const [i, repo] of names.entries()) {
    if (repo === 'kestrel/Broken') continue;
    await store.saveFingerprint({
      hubId: toHubId(i + 1),
      sha: toSha(i + 1),
      version: 1,
      weightsKey: `weights-${i}`,
      blob: new Uint8Array([i]),
      summary: makeSummary(),
    });
    await store.saveFiles(toHubId(i + 1), toSha(i + 1), [
      { path: 'model.safetensors', size: 1_000_000 + i, oid: null, sha256: toSha256(i + 1) },
    ]);
  }
  await store.replaceClaims(toHubId(2), toSha(2), [makeClaim('guanaco/Other-Base')], 1);
  await store.replaceClaims(
    toHubId(5),
    toSha(5),
    [makeClaim(null, { raw: HOSTILE_TEXT }), makeClaim(HOSTILE_REPO, { raw: HOSTILE_TEXT, hint: true })],
    1,
  );
  await store.replaceClaims(toHubId(6), toSha(6), [makeClaim('gone-org/Lost-Base')], 1);
  await store.resolveClaims();
  await store.recordFailure({
    hubId: toHubId(7),
    stage: 'fingerprint',
    version: 1,
    error: { code: 'HeaderInvalid', message: HOSTILE_TEXT },
  });
  await store.finishRun(crawl, 'partial', { reposSeen: names.length, reposNew: names.length });
  await conclude(store, names, 'consistent');
  await conclude(store, names, 'contradicted');
  await store.saveBehaviour({
    source: HOSTILE_TEXT,
    prompts: 128,
    promptsHash: toSha256(1),
    completions: 12_288,
    pairs: [
      { ...COMPARED, first: HOSTILE_REPO, second: ROOT, similarity: 0.5 },
      { ...COMPARED, first: 'kestrel/Broken', second: ROOT, similarity: 0.75 },
    ],
  });
  await store.close();
}

/** One infer and audit; the second time the verdict about the wrong card is another. */
async function conclude(store: Store, names: readonly string[], wrong: Verdict['verdict']): Promise<void> {
  const run = await store.startRun('refresh');
  const quantized = names.filter((repo) => repo.startsWith('packer/'));
  const edges: Edge[] = [
    makeEdge(WRONG, ROOT, { probability: 1 / (1 + Math.exp(-6.2)) }),
    makeEdge(WRONG, 'guanaco/Other-Base', { rank: 2, probability: 0.02 }),
    makeEdge('bluebird/Merged', WRONG, { relation: 'merge', weight: 0.6 }),
    makeEdge('bluebird/Merged', ROOT, { relation: 'merge', weight: 0.4 }),
    makeEdge(HOSTILE_REPO, ROOT),
    makeEdge('kestrel/Orphan', VIRTUAL),
    ...quantized.map((repo) => makeEdge(repo, ROOT, { relation: 'quantized', method: 'requantise' })),
  ];
  const member = (repo: string, root: string, depth: number): FamilyMember => ({ repo, root, depth });
  await store.replaceDerived(
    {
      edges,
      evidence: [
        { ...makeEvidence(WRONG, ROOT, 'relative-distance'), logOdds: 7.2 },
        {
          ...makeEvidence(WRONG, ROOT, 'created-before'),
          outcome: 'contradicts',
          logOdds: -1,
          value: null,
          detail: 'It is younger than the child.',
        },
        {
          ...makeEvidence(WRONG, 'guanaco/Other-Base', 'relative-distance'),
          outcome: 'contradicts',
          logOdds: -3.9,
        },
        { ...makeEvidence(WRONG, 'kestrel/Orphan'), outcome: 'contradicts', logOdds: -12 },
        { ...makeEvidence(HOSTILE_REPO, ROOT), detail: HOSTILE_TEXT },
      ],
      families: [
        member(ROOT, ROOT, 0),
        ...[WRONG, HOSTILE_REPO, 'bluebird/Merged', ...quantized].map((repo) => member(repo, ROOT, 1)),
        member('guanaco/Other-Base', 'guanaco/Other-Base', 0),
        member(VIRTUAL, VIRTUAL, 0),
        member('kestrel/Orphan', VIRTUAL, 1),
      ],
      virtualParents: [{ id: VIRTUAL, declaredLabel: 'gone-org/Lost-Base', children: ['kestrel/Orphan'] }],
    },
    run,
  );
  await store.replaceVerdicts(
    [
      makeVerdict(ROOT, { verdict: 'original', reason: 'Declares nothing; nothing was found.' }),
      makeVerdict(WRONG, {
        verdict: wrong,
        declared: ['guanaco/Other-Base'],
        inferred: [ROOT],
        relationInferred: 'finetune',
        reason: 'Declares guanaco/Other-Base. Its weights are not consistent with it.',
      }),
      makeVerdict('guanaco/Other-Base', { verdict: 'original' }),
      makeVerdict('bluebird/Merged', { verdict: 'undeclared', inferred: [WRONG, ROOT] }),
      makeVerdict(HOSTILE_REPO, {
        verdict: 'unresolved',
        declared: [HOSTILE_TEXT],
        inferred: [ROOT],
        reason: HOSTILE_TEXT,
      }),
      makeVerdict('kestrel/Orphan', { verdict: 'unresolved', declared: ['gone-org/Lost-Base'] }),
      makeVerdict('kestrel/Broken', { verdict: 'unknown', reason: 'Its weights could not be read.' }),
      ...quantized.map((repo) => makeVerdict(repo, { inferred: [ROOT] })),
    ],
    run,
  );
  await store.finishRun(run, 'done', { edges: edges.length, verdicts: names.length });
}

export const SAMPLE_OPTIONS: Omit<ExplorerOptions, 'store'> = {
  hubUrl: 'https://huggingface.co',
  method: 'hublineage',
  contradictionPValue: 1e-6,
  now: () => new Date('2026-01-02T00:00:00Z'),
};
