import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startMinihub } from '../src/minihub/index.ts';
import { openStore, type ViewName } from '../src/store/index.ts';
import { createExplorer } from '../src/web/index.ts';
import { askCli } from './helpers/ask-cli.ts';
import { runHublineage } from './helpers/cli.ts';

/** `phylolm` with an index and with an endpoint: what is kept, where it is shown, what it must never do. */
const demo = fileURLToPath(new URL('../data/demo-hub', import.meta.url));
const PARENT = 'alpaca-labs/Llama-nano-a';
const CHILD = 'opentext/Llama-nano-a-GGUF';
const CLOSED = 'closed/Llama-secret';

const folder = mkdtempSync(join(tmpdir(), 'behaviour-'));
const database = join(folder, 'index.sqlite');
const config = join(folder, 'config.json');
const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const cli = (...args: string[]) => askCli([...args, '--config', config]);

async function askJson(...args: string[]) {
  const { code, stdout, stderr } = await cli(...args, '--json');
  expect(`${args.join(' ')}: ${code} ${stderr}`).toMatch(/: 0 /);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  vi.stubEnv('HF_TOKEN', '');
  vi.stubEnv('HF_TOKEN_PATH', '/nonexistent');
  const repos = join(folder, 'hub');
  for (const repo of [PARENT, CHILD]) cpSync(join(demo, repo), join(repos, repo), { recursive: true });
  mkdirSync(join(repos, CLOSED), { recursive: true });
  writeFileSync(
    join(repos, CLOSED, 'README.md'),
    `---\nbase_model: ${PARENT}\ntags: [llama, text-generation, transformers]\n---\nNo weights here.\n`,
  );
  const hub = await startMinihub({ dir: repos });
  writeFileSync(
    config,
    JSON.stringify({
      database: { file: database },
      hub: { endpoint: hub.url, retries: 0, timeoutMs: 1000 },
      scope: { repos: [PARENT, CHILD, CLOSED] },
      report: { directory: join(folder, 'out'), formats: ['json'] },
    }),
  );
  const { code, stderr } = await cli('refresh', '--progress', 'none');
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  await hub.close();
}, 120_000);

/** Completions of made-up models: `words[model][i % length]` to prompt i. */
function writeAnswers(words: Record<string, string[]>, prompts = 40): string {
  const file = join(folder, `answers-${Math.random().toString(36).slice(2)}.jsonl`);
  const rows = Object.entries(words).flatMap(([model, texts]) =>
    Array.from({ length: prompts }, (_, i) => ({
      model,
      prompt: `prompt ${i}`,
      completion: texts[i % texts.length],
    })),
  );
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

async function readAll(views: readonly ViewName[]): Promise<unknown> {
  const store = await openStore(database, { readonly: true });
  try {
    const rows = await Promise.all(views.map((view) => store.readView(view)));
    return rows.map((list) => list.map((row) => JSON.stringify(row)).sort());
  } finally {
    await store.close();
  }
}

describe('phylolm --save', () => {
  it('keeps what it can name, tells what it cannot, and moves no conclusion', async () => {
    const conclusions = ['edges', 'verdicts', 'families', 'ancestors', 'counts', 'runs'] as const;
    const before = await readAll(conclusions);
    const file = writeAnswers({
      [`https://huggingface.co/${PARENT.toUpperCase()}/tree/main`]: ['same', 'word'],
      [CHILD]: ['same', 'other'],
      [CHILD.toLowerCase()]: ['odd'],
      [CLOSED]: ['same', 'word', 'word', 'word'],
      'no/body': ['same'],
      './checkpoint-500': ['same'],
      'silent/\u001b[2J': [''],
    });
    const { saved } = await askJson('phylolm', '--completions', file, '--save');
    expect(saved).toEqual({
      database,
      models: [PARENT, CLOSED, CHILD],
      pairs: 3,
      unknown: ['./checkpoint-500', 'no/body', 'silent/\u001b[2J'],
      repeated: [{ name: CHILD.toLowerCase(), repo: CHILD }],
      silent: [],
      pairsWithoutPrompts: 0,
    });
    const { stdout } = await cli('phylolm', '--completions', file, '--save', '--quiet');
    expect(stdout).toContain('3 pairs of 3 models');
    expect(stdout).toContain('Not in the index, so not saved: ./checkpoint-500, no/body, silent/\ufffd[2J');
    expect(stdout).not.toContain('\u001b');
    expect(await readAll(conclusions)).toEqual(before);
  });

  it('is shown as evidence of its edge, and as the nearest by behaviour of a model without weights', async () => {
    const shown = await askJson('show', CHILD);
    // alike in every other prompt: 20 / sqrt(40 x 40)
    const behaviour = shown.evidence.filter((row: { probe: string }) => row.probe === 'behaviour');
    expect(behaviour).toMatchObject([
      {
        parent: PARENT,
        outcome: 'neutral',
        log_odds: 0,
        value: 0.5,
        detail: expect.stringContaining('prompts: 40'),
      },
    ]);
    const closed = await askJson('show', CLOSED);
    expect([closed.model.status, closed.parents]).toEqual(['no_weights', []]);
    expect(
      closed.nearestByBehaviour.map((row: { other: string; similarity: number }) => [
        row.other,
        row.similarity,
      ]),
    ).toEqual([
      [PARENT, 0.75],
      [CHILD, 0.25],
    ]);
    const told = await askJson('explain', CHILD);
    expect(told.stories[0].behaviour.similarity).toBe(0.5);
    expect(told.stories[0].terms.map((row: { probe: string }) => row.probe)).not.toContain('behaviour');
    const pair = (await cli('explain', CLOSED, PARENT)).stdout;
    expect(pair).toContain('not a parent by the evidence of the index');
    expect(pair).toContain('Behaviour, not lineage: similarity 0.750');
    for (const command of ['show', 'explain'])
      expect((await cli(command, CLOSED)).stdout).toContain(
        'Nearest by behaviour: who answers alike, not who was made from whom',
      );
  });

  it('is on the pages of the explorer and in exports', async () => {
    const store = await openStore(database, { readonly: true });
    cleanups.push(() => store.close());
    const explorer = createExplorer({
      store,
      hubUrl: 'https://huggingface.co',
      method: 'hublineage',
      contradictionPValue: 1e-6,
    });
    const get = async (url: string) =>
      Buffer.from((await explorer.handle({ method: 'GET', url })).body).toString('utf8');
    expect(await get(`/models/${CLOSED}`)).toContain('<h2 id="behaviour">Nearest by behaviour</h2>');
    expect(JSON.parse(await get(`/models/${CLOSED}.json`)).nearestByBehaviour).toHaveLength(2);
    const edge = `/edges/${CHILD}/from/${PARENT}`;
    expect(await get(edge)).toContain('Behaviour, apart from the arithmetic');
    const data = JSON.parse(await get(`${edge}.json`));
    expect(data.behaviour).toMatchObject({ similarity: 0.5, shared_prompts: 40 });
    expect(data.evidence.map((row: { probe: string }) => row.probe)).not.toContain('behaviour');
    const tables = join(folder, 'tables');
    expect((await cli('export', '--format', 'jsonl', '--out', tables)).code).toBe(0);
    const lines = (view: string) =>
      readFileSync(join(tables, `${view}.jsonl`), 'utf8')
        .trim()
        .split('\n');
    expect(lines('behaviour')).toHaveLength(6);
    expect(lines('edge_evidence').filter((line) => line.includes('"behaviour"'))).toHaveLength(1);
  });

  it('outlives a night, whose edges are what they were without it', async () => {
    const views = ['edges', 'verdicts', 'behaviour', 'edge_evidence'] as const;
    const before = await readAll(views);
    expect((await cli('infer', '--all')).code).toBe(0);
    expect((await cli('audit')).code).toBe(0);
    expect(await readAll(views)).toEqual(before);
    for (const format of ['json', 'markdown', 'html'])
      expect((await cli('report', CHILD, '--format', format)).stdout).toContain('Behaviour, not lineage');
  }, 60_000);

  it('fails when nothing can be kept, after printing what it found', async () => {
    const strangers = await cli(
      'phylolm',
      '--completions',
      writeAnswers({ a: ['x'], b: ['y'] }),
      '--save',
      '--json',
    );
    expect(strangers.code).toBe(66);
    expect(JSON.parse(strangers.stdout).saved).toMatchObject({ pairs: 0, unknown: ['a', 'b'] });
    // two models that say nothing are not alike
    const mute = await cli(
      'phylolm',
      '--completions',
      writeAnswers({ [PARENT]: [''], [CLOSED]: [''] }),
      '--save',
      '--json',
    );
    expect(mute.code).toBe(64);
    expect(JSON.parse(mute.stdout).saved).toMatchObject({ pairs: 0, silent: [PARENT, CLOSED] });
    expect(mute.stderr).toContain('models that say nothing look alike');
    expect(await askJson('show', CLOSED)).toMatchObject({ nearestByBehaviour: [{ similarity: 0.75 }, {}] });
  });
});

describe('phylolm with an endpoint', () => {
  interface Asked {
    model: string;
    prompt: string;
    seed: number;
  }

  async function serve(
    answer: (
      asked: Asked,
      number: number,
    ) => { status?: number; headers?: Record<string, string>; body: string },
  ) {
    const asked: Asked[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const one = JSON.parse(text) as Asked;
        asked.push(one);
        const { status = 200, headers = {}, body } = answer(one, asked.length);
        response.writeHead(status, headers).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
  }

  const completion = (text: string) => ({ body: JSON.stringify({ choices: [{ text }] }) });

  function flags(url: string, file: string) {
    const genes = join(folder, 'genes.txt');
    writeFileSync(genes, Array.from({ length: 10 }, (_, i) => `gene ${i}\n`).join(''));
    return [
      'phylolm',
      '--endpoint',
      url,
      '--models',
      `${PARENT},${CLOSED},${PARENT}`,
      '--genes',
      genes,
    ].concat(['--probes', '3', '--concurrency', '2', '--completions', file]);
  }

  it('pays once for an answer, though it is killed again and again', async () => {
    const file = join(folder, 'killed.jsonl');
    const needed = 2 * 10 * 3;
    let child: ChildProcess | null = null;
    let killAt = 0;
    const hub = await serve(({ model }, number) => {
      if (number === killAt) child?.kill('SIGKILL');
      return completion(model === PARENT ? 'yes' : number % 2 === 0 ? 'yes' : 'no');
    });
    let kills = 0;
    for (killAt = 13; killAt < needed; killAt = hub.asked.length + 13) {
      const { signal } = await runHublineage([...flags(hub.url, file), '--config', config], {
        onStart: (started) => {
          child = started;
        },
      });
      if (signal === null) break;
      kills++;
    }
    killAt = -1;
    const last = await cli(...flags(hub.url, file), '--save', '--json');
    expect(`${last.code} ${last.stderr}`).toMatch(/^0 /);
    expect(kills).toBeGreaterThanOrEqual(2);
    // what was under way at a kill is asked again, at most one a worker
    expect(hub.asked.length).toBeLessThanOrEqual(needed + 2 * kills);
    const document = JSON.parse(last.stdout);
    expect([document.completions, document.saved.pairs]).toEqual([needed, 1]);
    const paid = hub.asked.length;
    const again = await askJson(...flags(hub.url, file));
    expect([hub.asked.length, again.similarity]).toEqual([paid, document.similarity]);
    const { nearestByBehaviour } = await askJson('show', CLOSED);
    expect(nearestByBehaviour.map((row: { source: string }) => row.source)).toContain(
      new URL(hub.url).origin,
    );
  }, 120_000);

  it.each([
    ['a web page', { body: '<!doctype html><title>Welcome</title>' }, 1, 'not JSON ("<!doctype html>'],
    ['failures', { status: 500, body: 'CUDA out of memory' }, 1, 'status 500) ("CUDA out of memory")'],
    ['a long pause', { status: 429, headers: { 'retry-after': '86400' }, body: '' }, 75, 'in 1440 minutes'],
    ['a megabyte', { body: `"${'x'.repeat(1_100_000)}"` }, 1, 'more than 1 MB'],
    ['somebody else', { status: 401, body: '{}' }, 78, '--key-file'],
  ])('that answers with %s is told from a result', async (_, answer, code, message) => {
    const hub = await serve(() => answer);
    const file = join(folder, 'refused.jsonl');
    const found = await cli(...flags(hub.url, file), '--save');
    expect([found.code, found.stdout]).toEqual([code, '']);
    expect(found.stderr).toContain(message);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('is not asked at all when there is no index to save to', async () => {
    const hub = await serve(() => completion('x'));
    const found = await cli(
      ...flags(hub.url, join(folder, 'none.jsonl')),
      '--save',
      '--db',
      join(folder, 'no.sqlite'),
    );
    expect([found.code, hub.asked.length]).toEqual([66, 0]);
  });
});
