import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Minihub, startMinihub } from '../src/minihub/index.ts';
import { openStore } from '../src/store/index.ts';
import { type Answer, askCli } from './helpers/ask-cli.ts';

/** explain, compare, identify and audit DIR, on an index of the demo Hub. */
const demo = fileURLToPath(new URL('../data/demo-hub', import.meta.url));
const WRONG = 'northlab/Llama-nano-a-instruct-2';
const ROOT_A = 'alpaca-labs/Llama-nano-a';
const ROOT_B = 'vicunaworks/Llama-nano-b';

let hub: Minihub;
let folder: string;
let database: string;
let config: string;

const ask = (...args: string[]) => askCli([...args, '--config', config]);

async function askJson(...args: string[]) {
  const { code, stdout, stderr } = await ask(...args, '--json');
  expect(`${args.join(' ')}: ${code} ${stderr}`).toMatch(/: 0 /);
  return JSON.parse(stdout);
}

/** A copy of a demo repo as a folder of its own, with another card on request. */
function copyRepo(repo: string, name: string, card?: string): string {
  const target = join(folder, name);
  cpSync(join(demo, repo), target, { recursive: true });
  if (card !== undefined) writeFileSync(join(target, 'README.md'), card);
  return target;
}

beforeAll(async () => {
  hub = await startMinihub({ dir: demo, strict: true });
  folder = mkdtempSync(join(tmpdir(), 'answers-'));
  database = join(folder, 'index.sqlite');
  config = join(folder, 'config.json');
  vi.stubEnv('HF_ENDPOINT', hub.url);
  vi.stubEnv('HF_TOKEN', '');
  vi.stubEnv('HF_TOKEN_PATH', '/nonexistent');
  writeFileSync(
    config,
    JSON.stringify({
      database: { file: database },
      hub: { retries: 0 },
      report: {
        directory: join(folder, 'out'),
        formats: ['json'],
        metricsFile: join(folder, 'metrics/index.prom'),
      },
    }),
  );
  expect((await ask('refresh', '--quiet')).code).toBe(0);
}, 120_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

describe('after a run', () => {
  it('the metrics file tells how it ended and what the index holds', () => {
    const text = readFileSync(join(folder, 'metrics/index.prom'), 'utf8');
    expect(text).toContain('hublineage_last_run_status{stage="refresh",status="done"} 1');
    expect(text).toMatch(/^hublineage_models\{status="fingerprinted"\} [1-9]/m);
    expect(text).toMatch(/^hublineage_last_run_received_bytes\{stage="refresh"\} [1-9]\d+$/m);
  });
});

describe('explain', () => {
  it('gives every chosen edge with log-odds that add up to its probability', async () => {
    const store = await openStore(database, { readonly: true });
    const edges = await store.readView('edges', { where: 'rank = 1', order: 'child, parent' });
    await store.close();
    const children = [...new Set(edges.map((edge) => edge.child))];
    expect(children.length).toBeGreaterThan(15);
    for (const child of children.slice(0, 8)) {
      const { stories, finding } = await askJson('explain', child);
      expect(finding.repo).toBe(child);
      expect(stories.map((story: { parent: string }) => story.parent).sort()).toEqual(
        edges
          .filter((edge) => edge.child === child)
          .map((edge) => edge.parent)
          .sort(),
      );
      for (const { edge, terms } of stories) {
        const sum = terms.reduce((total: number, row: { logOdds: number }) => total + row.logOdds, 0);
        expect(1 / (1 + Math.exp(-sum))).toBeCloseTo(edge.probability, 2);
      }
    }
  });

  it('says of a wrongly declared base why it is not the parent', async () => {
    const { lost } = await askJson('explain', WRONG);
    const declared = lost.find((row: { parent: string }) => row.parent === ROOT_B);
    expect(declared).toMatchObject({ kind: 'declared', edge: null });
    expect(declared.why).toContain('not related');
    const { stdout } = await ask('explain', WRONG, ROOT_B);
    expect(stdout).toContain('✗ contradicted');
    expect(stdout).toContain('not a parent by the evidence of the index');
    expect(stdout).toContain('related-beyond-chance');
    expect(stdout).toContain(`- ${ROOT_A} (chosen`);
  });

  it('knows no model that is not there', async () => {
    expect(await ask('explain', 'nobody/nothing')).toMatchObject({ code: 66, stdout: '' });
    expect(await ask('explain', WRONG, 'nobody/nothing')).toMatchObject({ code: 66, stdout: '' });
  });
});

describe('compare', () => {
  it('needs no index for two folders', async () => {
    const none = ['--db', join(folder, 'none.sqlite')];
    const copy = await askJson(
      'compare',
      join(demo, 'opentext/Llama-nano-a-copy'),
      join(demo, ROOT_A),
      ...none,
    );
    expect(copy.edge.relation).toBe('duplicate');
    expect(copy.relatedness).toMatchObject({ outcome: 'related', equalShare: 1 });
    const apart = await askJson('compare', join(demo, ROOT_A), join(demo, ROOT_B), ...none);
    expect(apart).toMatchObject({ edge: null, relatedness: { outcome: 'unrelated' } });
    const dates = apart.probes.aFromB.find((row: { probe: string }) => row.probe === 'created-before');
    expect(dates).toMatchObject({ outcome: 'not_available', logOdds: 0 });
  });

  it('reads repos of the index from it, and tells what it says of them', async () => {
    hub.resetStats();
    const found = await askJson(
      'compare',
      'ada-models/Llama-nano-a-chat-7-fp16',
      'bluebird-ai/Llama-nano-a-chat-7',
    );
    expect(found.a.origin).toBe('index');
    expect(found.edge).toMatchObject({ child: 'ada-models/Llama-nano-a-chat-7-fp16', relation: 'cast' });
    expect(found.indexed).toHaveLength(1);
    expect(hub.stats().bytes.cdn).toBe(0);
  });

  it('is told what is neither a folder nor a repo', async () => {
    expect((await ask('compare', './no such thing', ROOT_A)).code).toBe(64);
    expect((await ask('compare', 'nobody/nothing', ROOT_A)).code).toBe(66);
  });
});

describe('identify', () => {
  it('places a folder without touching the index', async () => {
    const before = readFileSync(database);
    const found = await askJson('identify', join(demo, 'bluebird-ai/Llama-mini-GGUF'));
    // by its values it could have been quantised anew; its files are those of the repo
    expect(found.edges[0]).toMatchObject({
      parent: 'bluebird-ai/Llama-mini-GGUF',
      relation: 'duplicate',
      method: 'hash',
      rank: 1,
    });
    expect(found.model).toMatchObject({ origin: 'folder', quantized: true });
    expect(readFileSync(database).equals(before)).toBe(true);
  });

  it("takes a quantised folder whose files are nobody else's back to what it was quantised from", async () => {
    const model = copyRepo('bluebird-ai/Llama-mini-GGUF', 'renamed-inside');
    const file = join(model, readdirSync(model).find((name) => name.endsWith('.gguf'))!);
    const bytes = readFileSync(file);
    // the last byte of a name in the header, which says nothing about values
    const at = bytes.indexOf('general.name') + 'general.name'.length + 12;
    bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41;
    writeFileSync(file, bytes);
    const found = await askJson('identify', model);
    expect(found.edges[0]).toMatchObject({ parent: 'guanaco/Llama-mini', relation: 'quantized', rank: 1 });
  });

  it('finds what a stranger was quantised from', async () => {
    const found = await askJson('identify', 'opentext/Llama-nano-a-GGUF');
    expect(found.edges[0]).toMatchObject({ relation: 'quantized' });
    expect([ROOT_A, 'opentext/Llama-nano-a-copy']).toContain(found.edges[0].parent);
  });

  it('refuses samples that cannot be compared with those of the index', async () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, JSON.stringify({ database: { file: database }, sampling: { seed: 7 } }));
    const given = await askWith(other, 'identify', join(demo, ROOT_A));
    expect(given.code).toBe(78);
    expect(given.stderr).toContain('sampling');
  });
});

async function askWith(file: string, ...args: string[]): Promise<Answer> {
  const kept = config;
  config = file;
  try {
    return await ask(...args);
  } finally {
    config = kept;
  }
}

describe('audit of a folder', () => {
  it('contradicts a wrong card, at its line, and lets a baseline accept it', async () => {
    const model = copyRepo(WRONG, 'wrong');
    const as = ['--as', WRONG];
    const baseline = join(folder, 'accepted.json');
    const text = await ask('audit', model, ...as, '--fail-on', 'contradicted', '--write-baseline', baseline);
    expect(text.code).toBe(2);
    expect(text.stdout).toContain(`+base_model: ${ROOT_A}`);
    expect(text.stdout).toContain(`-base_model: ${ROOT_B}`);
    const sarif = JSON.parse((await ask('audit', model, ...as, '--format', 'sarif')).stdout);
    const [result] = sarif.runs[0].results;
    expect(result).toMatchObject({ ruleId: 'contradicted', level: 'error' });
    const card = readFileSync(join(model, 'README.md'), 'utf8').split('\n');
    expect(card[result.locations[0].physicalLocation.region.startLine - 1]).toMatch(/^base_model:/);
    expect((await ask('audit', model, ...as, '--fail-on', 'contradicted', '--baseline', baseline)).code).toBe(
      0,
    );
    expect((await ask('audit', model, ...as)).code).toBe(0);
  });

  it('agrees with a right card, and asks for one that says nothing', async () => {
    const right = copyRepo('opentext/Llama-nano-a-legal-0', 'right');
    const found = await askJson('audit', right, '--as', 'opentext/Llama-nano-a-legal-0');
    expect(['confirmed', 'consistent']).toContain(found.verdict.verdict);
    expect(found.cardPatch).toBeNull();
    const bare = copyRepo(WRONG, 'bare', '# A model\n');
    const asked = await askJson('audit', bare, '--as', WRONG);
    expect(asked.verdict.verdict).toBe('undeclared');
    expect(asked.cardLine).toBeNull();
    expect(asked.cardPatch).toContain('+base_model: ');
  });

  it('reads a declared base that the index lacks from the Hub', async () => {
    const other = join(folder, 'other-hub');
    mkdirSync(join(other, 'extra'), { recursive: true });
    cpSync(join(demo, ROOT_A), join(other, 'extra/base'), { recursive: true });
    const second = await startMinihub({ dir: other });
    vi.stubEnv('HF_ENDPOINT', second.url);
    try {
      const model = copyRepo(WRONG, 'elsewhere', '---\nbase_model: extra/base\n---\n');
      const found = await askJson('audit', model, '--as', WRONG);
      expect(['confirmed', 'consistent']).toContain(found.verdict.verdict);
      expect(found.notes.join(' ')).toContain('extra/base is not in the index');
      const lost = copyRepo(WRONG, 'lost', '---\nbase_model: nobody/nothing\n---\n');
      expect((await askJson('audit', lost, '--as', WRONG)).verdict.verdict).toBe('unresolved');
    } finally {
      vi.stubEnv('HF_ENDPOINT', hub.url);
      await second.close();
    }
  });

  it('takes a Hub that cannot be asked for no answer, never for a no', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
    try {
      const model = copyRepo(WRONG, 'offline', '---\nbase_model: nobody/nothing\n---\n');
      const { verdict, notes } = await askJson('audit', model, '--as', WRONG);
      expect(verdict.verdict).toBe('unknown');
      expect(notes.join(' ')).toContain('HubUnreachable');
    } finally {
      vi.stubEnv('HF_ENDPOINT', hub.url);
    }
  });

  it('is told what is no model folder, and which flags are for folders', async () => {
    mkdirSync(join(folder, 'empty'), { recursive: true });
    expect((await ask('audit', join(folder, 'none'))).code).toBe(64);
    expect((await ask('audit', join(folder, 'empty'))).code).toBe(66);
    expect((await ask('audit', '--format', 'sarif')).code).toBe(64);
    expect((await ask('audit', '--baseline', config)).code).toBe(64);
  });
});

describe('audit of the index', () => {
  it('fails on findings that no baseline accepts', async () => {
    const baseline = join(folder, 'index-baseline.json');
    expect(
      (await ask('audit', '--fail-on', 'contradicted', '--write-baseline', baseline, '--quiet')).code,
    ).toBe(2);
    expect((await ask('audit', '--fail-on', 'contradicted', '--baseline', baseline, '--quiet')).code).toBe(0);
    expect((await ask('audit', '--fail-on', 'confirmed', '--baseline', baseline, '--quiet')).code).toBe(2);
  });
});

describe('report --since', () => {
  it('tells changes since a run there is, and of none there is not', async () => {
    expect((await askJson('report', '--since', '1')).changes).toMatchObject({ sinceRun: '1', newModels: [] });
    const wrong = await ask('report', '--since', '4711');
    expect(wrong).toMatchObject({ code: 64, stdout: '' });
    expect(wrong.stderr).toContain('The newest is');
  });
});
