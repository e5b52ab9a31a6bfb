import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createHostileRepos, startMinihub } from '../index.ts';
import { readCardData } from './card.ts';
import { readHubFolder } from './read-folder.ts';

const made: string[] = [];
function makeFolder(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'minihub-'));
  made.push(dir);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

// biome-ignore lint/suspicious/noExplicitAny: rows hold whatever was expanded
type Row = Record<string, any>;

describe('folders as Hubs', () => {
  it('derive everything from owner/name folders where there is no repos.json', async () => {
    const dir = makeFolder({
      'acme/base/README.md': '---\nlicense: mit\nlibrary_name: transformers\ntags: [chat]\n---\n# base\n',
      'acme/base/config.json': '{"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":8}',
      'acme/base/model.safetensors': 'xx',
      'acme/base/.cache/huggingface/x.metadata': 'no',
      'acme/lora/adapter_config.json': '{"base_model_name_or_path":"acme/base","task_type":"CAUSAL_LM"}',
      'acme/lora/README.md': '---\nbase_model: acme/base\n---\n',
      'loose.txt': 'not a repo',
    });
    const hub = await startMinihub({ dir });
    const rows = (await (
      await fetch(
        `${hub.url}/api/models?full=true&config=true&expand=tags&expand=config&expand=siblings&expand=baseModels&expand=sha`,
      )
    ).json()) as Row[];
    const base = rows.find((row) => row.id === 'acme/base')!;
    expect(base.tags).toEqual(['transformers', 'safetensors', 'llama', 'chat', 'license:mit', 'region:us']);
    expect(base.config).toEqual({ architectures: ['LlamaForCausalLM'], model_type: 'llama' });
    expect(base.siblings).toEqual([
      { rfilename: 'README.md' },
      { rfilename: 'config.json' },
      { rfilename: 'model.safetensors' },
    ]);
    const lora = rows.find((row) => row.id === 'acme/lora')!;
    expect(lora.baseModels).toEqual({ relation: 'adapter', models: [{ _id: base._id, id: 'acme/base' }] });
    await hub.close();
  });

  it('give a new sha when a file changes, and the same one when none does', async () => {
    const dir = makeFolder({ 'a/b/README.md': 'one', 'a/b/model.safetensors': 'x' });
    const shaOf = async () => (await readHubFolder(dir)).repos[0]?.sha;
    const first = await shaOf();
    expect(await shaOf()).toBe(first);
    writeFileSync(join(dir, 'a/b/model.safetensors'), 'y');
    expect(await shaOf()).not.toBe(first);
  });

  it('know commits and hashes of what `hf download` fetched, until a file is touched', async () => {
    const commit = 'c'.repeat(40);
    const sha256 = 'a'.repeat(64);
    const later = Date.now() / 1000 + 60;
    const dir = makeFolder({
      'a/b/model.safetensors': 'weights',
      'a/b/README.md': '# b',
      'a/b/.cache/huggingface/download/model.safetensors.metadata': `${commit}\n${sha256}\n${later}\n`,
      'a/b/.cache/huggingface/download/README.md.metadata': `${commit}\n${'b'.repeat(40)}\n${later}\n`,
    });
    const [known] = (await readHubFolder(dir)).repos;
    expect(known?.sha).toBe(commit);
    const weights = known?.files.find((file) => file.lfs);
    expect((await weights?.identity())?.sha256).toBe(sha256);
    utimesSync(join(dir, 'a/b/model.safetensors'), later + 100, later + 100);
    const [touched] = (await readHubFolder(dir)).repos;
    expect(touched?.sha).not.toBe(commit);
    expect((await touched?.files.find((file) => file.lfs)?.identity())?.sha256).toBe(
      createHash('sha256').update('weights').digest('hex'),
    );
  });

  it('take repos.json at its word: ids, sha, dates, gating, siblings, renames', async () => {
    const dir = makeFolder({
      'repos.json': JSON.stringify({
        repos: [
          {
            id: 'a/b',
            sha: '0123456789abcdef0123456789abcdef01234567',
            createdAt: '2024-05-05T05:05:05.000Z',
            gated: 'auto',
            tags: ['x', 'base_model:made/up'],
            siblings: [{ rfilename: 'in.txt' }],
          },
        ],
        renames: { 'old/name': 'a/b' },
      }),
      'a/b/in.txt': 'in',
      'a/b/out.txt': 'not listed',
    });
    const hub = await startMinihub({ dir });
    const info = (await (await fetch(`${hub.url}/api/models/a/b`)).json()) as Record<string, unknown>;
    expect(info).toMatchObject({
      sha: '0123456789abcdef0123456789abcdef01234567',
      gated: 'auto',
      tags: ['x'],
      siblings: [{ rfilename: 'in.txt' }],
    });
    const old = await fetch(`${hub.url}/api/models/old/name`, { redirect: 'manual' });
    expect([old.status, old.headers.get('location')]).toEqual([307, '/api/models/a/b']);
    await hub.close();
  });

  it.each([
    ['{', /not valid JSON/],
    ['{"repos": 3}', /neither an array/],
    ['[{"id": "../../etc"}]', /not a repo id/],
    ['[{"id": "a/.."}]', /not a repo id/],
    ['[7]', /not a repo id/],
  ])('refuse repos.json %s', async (text, message) => {
    await expect(startMinihub({ dir: makeFolder({ 'repos.json': text }) })).rejects.toThrow(message);
  });

  it('say so when there is no folder', async () => {
    await expect(startMinihub({ dir: '/nowhere/at/all' })).rejects.toMatchObject({ code: 'UsageInvalid' });
  });
});

describe('cards', () => {
  it.each([
    ['# no front matter', null],
    ['---\nlicense: mit\n---\n', { license: 'mit' }],
    ['---\r\nlicense: mit\r\n---\r\n# x', { license: 'mit' }],
    ['---\nlicense: [mit\n---\n', null],
    ['---\n- a\n---\n', null],
  ])('%j', (readme, expected) => {
    expect(readCardData(readme)).toEqual(expected);
  });
});

describe('hostile repos', () => {
  it('are all listed with every field, in bounded time, and served byte for byte', async () => {
    const hub = await startMinihub({ repos: createHostileRepos(), quotas: 'unlimited' });
    const fields = ['baseModels', 'cardData', 'config', 'gguf', 'safetensors', 'siblings', 'sha', 'tags'];
    const rows = (await (
      await fetch(`${hub.url}/api/models?${fields.map((field) => `expand[]=${field}`).join('&')}`)
    ).json()) as Row[];
    expect(rows).toHaveLength(hub.repos().length);
    const by = (name: string) => rows.find((row) => row.id === `hostile/${name}`)!;
    const root = by('clean-root');
    expect(root.safetensors.total).toBe(188_864);
    expect(by('card-yaml-broken')).not.toHaveProperty('cardData');
    expect(by('card-yaml-bomb')).not.toHaveProperty('cardData');
    for (const name of ['base-null', 'base-number', 'base-local-path', 'base-url', 'base-list-of-200'])
      expect(by(name)).not.toHaveProperty('baseModels');
    for (const name of ['base-other-case', 'base-spaces', 'base-duplicates', 'base-mixed-list'])
      expect(by(name).baseModels.models).toEqual([{ _id: root._id, id: 'hostile/clean-root' }]);
    expect(by('base-itself').baseModels.models[0].id).toBe('hostile/base-itself');
    const tree = (await (
      await fetch(`${hub.url}/api/models/hostile/file-names/tree/main?recursive=true`)
    ).json()) as { path: string }[];
    for (const { path } of tree.filter((entry) => /txt|naïve/.test(entry.path))) {
      const url = `${hub.url}/hostile/file-names/resolve/main/${path.split('/').map(encodeURIComponent).join('/')}`;
      expect(await (await fetch(url)).text()).toBe('odd name');
    }
    await hub.close();
  });
});
