import { describe, expect, it } from 'vitest';
import { createHubClient, type HubClock } from '../src/hub/index.ts';
import { createSkippingClock } from '../src/hub/testing/skipping-clock.ts';
import {
  createBytesFile,
  createTextFile,
  FAULT_CLASSES,
  type FaultClass,
  type Minihub,
  type RepoSeed,
  startMinihub,
} from '../src/minihub/index.ts';

const WEIGHTS = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 31 + (i >> 7)) & 255);

const REPOS: RepoSeed[] = Array.from({ length: 12 }, (_, i) => ({
  id: `owner-${i % 3}/model-${i}`,
  createdAt: `2025-01-${10 + i}T00:00:00.000Z`,
  tags: ['llama'],
  files: [
    createBytesFile('model.safetensors', WEIGHTS, true),
    createTextFile('config.json', JSON.stringify({ number: i })),
    createTextFile('README.md', `# model ${i}`),
  ],
}));

/** What a crawl brings home: every row, file, slice and error code. */
async function crawl(hub: Minihub, clock: HubClock, timeoutMs: number): Promise<string[]> {
  const client = createHubClient({
    endpoint: hub.url,
    userAgent: 'hublineage/test',
    clock,
    timeoutMs,
    random: () => 0.5,
  });
  const found: string[] = [];
  const note = async (label: string, what: () => Promise<unknown>) => {
    const outcome = await what().catch((error: { code?: string }) => `failed: ${error.code ?? error}`);
    found.push(`${label} ${JSON.stringify(outcome)}`);
  };
  const repos: { repo: string; sha: string }[] = [];
  await note('list', async () => {
    for await (const page of client.listModels({
      filter: 'llama',
      sort: 'createdAt',
      direction: 1,
      limit: 2,
    })) {
      for (const { repo, sha } of page.repos)
        if (!repos.some((r) => r.repo === repo)) repos.push({ repo, sha: sha! });
    }
    return repos;
  });
  const reading = repos.map(({ repo, sha }) =>
    note(repo, async () => {
      const files = client.openRepo(repo, sha);
      const listed = await files.list();
      const source = await files.open('model.safetensors');
      const slices = await Promise.all([0, 12_345, 49_990].map((offset) => source.read(offset, 10)));
      const config = await files.readSmall('config.json', 1000);
      return [listed.length, slices.map((bytes) => [...bytes]), new TextDecoder().decode(config)];
    }),
  );
  await Promise.all(reading);
  await client.close();
  return found.sort();
}

async function crawlWith(fault: FaultClass | null) {
  const faults =
    fault === null
      ? {}
      : { faults: { seed: 11, classes: { [fault]: { rate: 0.6, maxPerUrl: 1 } }, stallMs: 1500 } };
  // Only where silence is the fault is it worth waiting for less.
  const isSlow = fault === 'stalled-body' || fault === 'slow-drip';
  // One clock for both: windows and signatures end while the client sleeps.
  const clock = createSkippingClock();
  const hub = await startMinihub({ clock, repos: REPOS, quotas: 'unlimited', strict: true, ...faults });
  try {
    const found = await crawl(hub, clock, isSlow ? 500 : 20_000);
    return {
      found,
      hits: fault === null ? 0 : (hub.stats().faults[fault] ?? 0),
      leaked: hub.stats().leakedTokens,
    };
  } finally {
    await hub.close();
  }
}

/** Classes after which something is truly missing, or wrong in a way no client can see; with what the failed repos say. */
const NOT_CURED: Partial<Record<FaultClass, RegExp>> = {
  'missing-row': /^$/,
  // A slice has no checksum of its own.
  'flipped-byte': /^$/,
  'redirect-foreign': /failed: RedirectRefused/,
  'repo-deleted': /failed: RepoGone/,
  'repo-gated': /failed: RepoGated/,
  // A host outside the allow-list, whether it resolves or not.
  'cdn-dns': /failed: RedirectRefused/,
};

describe('the Hub client on a bad night', () => {
  const calm = crawlWith(null);

  it('needs a calm night to compare with', async () => {
    const { found, leaked } = await calm;
    expect(found).toHaveLength(1 + REPOS.length);
    expect(found.join()).not.toContain('failed');
    expect(leaked).toBe(0);
  });

  it.each(FAULT_CLASSES)('%s', async (fault) => {
    const { found, hits, leaked } = await crawlWith(fault);
    const expected = (await calm).found;
    expect(hits).toBeGreaterThan(0);
    expect(leaked).toBe(0);
    const cured = NOT_CURED[fault];
    if (cured === undefined) {
      expect(found).toEqual(expected);
      return;
    }
    const failed = found.filter((line) => line.includes('failed: '));
    expect(failed.every((line) => cured.test(line))).toBe(true);
    if (cured.source !== '^$') {
      expect(failed.length).toBeGreaterThan(0);
      // Whoever was not hit is as on the calm night.
      expect(
        found.filter((line) => !line.includes('failed: ')).every((line) => expected.includes(line)),
      ).toBe(true);
    }
  });
});
