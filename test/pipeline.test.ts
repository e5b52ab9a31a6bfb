import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Minihub, startMinihub } from '../src/minihub/index.ts';
import { openStore } from '../src/store/index.ts';
import { type CliResult, runHublineage } from './helpers/cli.ts';

interface Truth {
  parents: string[];
  relation: string;
  declared: string[];
  declared_status: string;
}

const demo = fileURLToPath(new URL('../data/demo-hub', import.meta.url));
const truth = JSON.parse(readFileSync(join(demo, 'truth.json'), 'utf8')) as Record<string, Truth>;
const repos = Object.keys(truth);

let hub: Minihub;
let folder: string;
let database: string;
let first: CliResult;

beforeAll(async () => {
  hub = await startMinihub({ dir: demo, strict: true });
  folder = mkdtempSync(join(tmpdir(), 'pipeline-'));
  database = join(folder, 'index.sqlite');
  first = await runHublineage(['refresh', '--db', database], { cwd: folder, env: { HF_ENDPOINT: hub.url } });
}, 120_000);

afterAll(async () => {
  await hub.close();
});

async function query<T>(work: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>): Promise<T> {
  const store = await openStore(database, { readonly: true });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

describe('refresh on the demo Hub', () => {
  it('ends well, with a summary on stdout and reports on disk', () => {
    expect(first.stderr).not.toMatch(/Unexpected|at .*\.ts:/);
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('report.html');
    expect(readFileSync(join(folder, 'hublineage-out', 'report.html'), 'utf8')).toContain('<svg');
  });

  it('knows every repo, and reads all weights that can be read', async () => {
    const models = await query((store) => store.readView('models'));
    expect(models.map((model) => model.repo).sort()).toEqual([...repos].sort());
    const unread = models.filter((model) => !['fingerprinted', 'adapter'].includes(model.status));
    expect(unread.map((model) => `${model.repo} ${model.status}`)).toEqual([]);
  });

  it('contradicts no card that is right, and finds what is plainly wrong', async () => {
    const verdicts = await query((store) => store.readView('verdicts'));
    const contradicted = verdicts.filter((row) => row.verdict === 'contradicted').map((row) => row.repo);
    expect(contradicted.length).toBeGreaterThan(0);
    for (const repo of contradicted) expect(`${repo} ${truth[repo]?.declared_status}`).toBe(`${repo} wrong`);
  });

  it('finds the parent of every copy, cast and quantised child', async () => {
    const edges = await query((store) => store.readView('edges', { where: 'rank = 1' }));
    for (const [repo, { relation, parents }] of Object.entries(truth)) {
      if (!['duplicate', 'cast', 'quantized'].includes(relation)) continue;
      // the root of one family is left out of the demo on purpose: its cast cannot point at it
      if (!parents.every((parent) => parent in truth)) continue;
      const found = edges.filter((edge) => edge.child === repo).map((edge) => edge.parent);
      expect(`${repo} <- ${found}`).toBe(`${repo} <- ${parents}`);
    }
  });

  it('asks for nothing twice: a second refresh resolves no file and says so', async () => {
    hub.resetStats();
    const second = await runHublineage(['refresh', '--db', database], {
      cwd: folder,
      env: { HF_ENDPOINT: hub.url },
    });
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('Nothing new');
    expect(hub.stats().routes.resolve ?? 0).toBe(0);
    expect(hub.stats().bytes.cdn).toBe(0);
  });

  it('never sends a token to the CDN and causes no 429', () => {
    expect(hub.stats().leakedTokens).toBe(0);
    expect(hub.stats().throttled).toBe(0);
  });

  it('answers show, tree, sql and report from the index', async () => {
    const child = Object.entries(truth).find(([, { relation }]) => relation === 'finetune')?.[0] ?? '';
    const shown = await runHublineage(['show', child, '--json', '--db', database], { cwd: folder });
    expect(JSON.parse(shown.stdout).model.repo).toBe(child);
    const tree = await runHublineage(['tree', child, '--db', database], { cwd: folder });
    expect(tree.stdout).toContain(child);
    const dot = await runHublineage(['tree', child, '--format', 'dot', '--db', database], { cwd: folder });
    expect(dot.stdout).toMatch(/^digraph/);
    const sql = await runHublineage(['sql', 'SELECT count(*) AS n FROM models', '--json', '--db', database], {
      cwd: folder,
    });
    expect(JSON.parse(sql.stdout)).toEqual([{ n: repos.length }]);
    const report = await runHublineage(['report', child, '--db', database], { cwd: folder });
    expect(report.stdout).toContain(child);
  }, 120_000);
});

describe('what people get wrong', () => {
  const run = (...args: string[]) => runHublineage(args, { cwd: folder });

  it('is told by exit codes and in words', async () => {
    const cases: [string[], number, RegExp][] = [
      [['refesh'], 64, /did you mean|unknown command/i],
      [['tree', 'x/y', '--format', 'png', '--db', database], 64, /png/],
      [['show', 'nobody/nothing', '--db', database], 66, /nobody\/nothing/],
      [['show', 'a/b', '--db', join(folder, 'none.sqlite')], 66, /no index yet/i],
      [['config', 'check', '--config', join(folder, 'none.json')], 78, /does not exist/],
      [['sql', 'DELETE FROM models', '--db', database], 64, /./],
      [['sql', "ATTACH '/tmp/x' AS x", '--db', database], 64, /./],
      [['sql', 'SELECT nonsense FROM models', '--db', database], 64, /nonsense/],
      [['sql', '@nonsense', '--db', database], 64, /nonsense/],
      [
        [
          'sql',
          'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
          '--timeout-ms',
          '500',
          '--db',
          database,
        ],
        1,
        /stopped|longer/i,
      ],
    ];
    for (const [args, code, words] of cases) {
      const result = await run(...args);
      expect(`${args.join(' ')} -> ${result.code}`).toBe(`${args.join(' ')} -> ${code}`);
      expect(result.stderr).toMatch(words);
      expect(result.stdout).toBe('');
    }
  }, 120_000);

  it('an unreachable Hub costs nothing: one clear line and exit 75', async () => {
    const result = await runHublineage(['refresh', '--db', join(folder, 'offline.sqlite')], {
      cwd: folder,
      env: { HF_ENDPOINT: 'http://127.0.0.1:9' },
    });
    expect(result.code).toBe(75);
    expect(result.stderr).toMatch(/127\.0\.0\.1:9/);
    expect(result.stderr).not.toMatch(/at .*\.ts:/);
  });
});
