import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSmallHub, WEIGHTS } from './testing/small-hub.ts';

type Started = Awaited<ReturnType<typeof startSmallHub>>;
interface Case {
  case: string;
  status: number;
  'x-error-code'?: string | null;
  'x-error-message'?: string;
  'www-authenticate'?: string;
  body_api?: { error: string };
  body_resolve?: string;
}
const matrix = JSON.parse(
  readFileSync(new URL('../../test/fixtures/hub/error-matrix.json', import.meta.url), 'utf8'),
) as Case[];

describe('repo routes', () => {
  let small: Started;
  beforeAll(async () => {
    small = await startSmallHub({
      tokens: { hf_plain: { grants: [] }, hf_granted: { grants: ['acme/gated', 'acme/hidden'] } },
    });
  });
  afterAll(() => small.hub.close());
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  const requests: Record<string, [path: string, init?: RequestInit]> = {
    'repo missing or private, anonymous': ['/acme/hidden/resolve/main/config.json'],
    'repo missing or private, valid token without access': ['/api/models/acme/hidden', bearer('hf_plain')],
    'bad token': ['/api/models/acme/root', bearer('hf_wrong')],
    'gated file, anonymous': ['/acme/gated/resolve/main/model.safetensors'],
    'gated file, token without access': ['/acme/gated/resolve/main/model.safetensors', bearer('hf_plain')],
    'gated repo, /api/models/{id} and /tree': ['/api/models/acme/gated/tree/main'],
    'file missing at existing revision': ['/acme/root/resolve/main/absent.bin'],
    'revision missing': ['/api/models/acme/root/tree/badrev'],
    'repo disabled': ['/acme/disabled/resolve/main/config.json'],
    'unknown API route': ['/api/nonsense'],
    'expand value not allowed': ['/api/models/acme/root?expand=nonsense'],
    'list/tree of a file path': ['/api/models/acme/root/tree/main/config.json'],
    'owner%2Fname in one segment': ['/api/models/acme%2Froot'],
  };

  it.each(Object.keys(requests))('answers as captured: %s', async (name) => {
    const expected = matrix.find((row) => row.case === name)!;
    const [path, init] = requests[name]!;
    const answer = await small.get(path, init);
    const text = await answer.text();
    expect(answer.status).toBe(expected.status);
    if (expected['x-error-code'] !== undefined)
      expect(answer.headers.get('x-error-code')).toBe(expected['x-error-code']);
    if (expected['x-error-message'] !== undefined) {
      const message = expected['x-error-message'].replaceAll('ORG/NAME', 'acme/gated');
      expect(answer.headers.get('x-error-message')).toBe(message);
      if (path.includes('/resolve/')) expect(text).toBe(message);
    }
    if (expected['www-authenticate'] !== undefined) {
      expect(answer.headers.get('www-authenticate')).toBe(expected['www-authenticate']);
    }
    if (expected.body_api !== undefined && path.startsWith('/api/')) {
      const { error } = JSON.parse(text) as { error: string };
      expect(error.slice(0, 30)).toBe(expected.body_api.error.slice(0, 30));
    }
    if (name === 'file missing at existing revision')
      expect(answer.headers.get('x-repo-commit')).toMatch(/^[0-9a-f]{40}$/);
    expect(answer.headers.get('ratelimit')).toMatch(/^"(api|resolvers)";r=\d+;t=\d+$/);
  });

  it('covers the captured matrix but for the row whose sources disagree', () => {
    expect(matrix.map((row) => row.case).filter((name) => !(name in requests))).toEqual([
      'gated file, garbage token',
    ]);
  });

  it('opens gated and private repos to a token with a grant', async () => {
    expect((await small.get('/acme/gated/resolve/main/model.safetensors', bearer('hf_granted'))).status).toBe(
      302,
    );
    expect((await small.get('/api/models/acme/hidden', bearer('hf_granted'))).status).toBe(200);
  });

  it('redirects another case, a legacy name and a renamed repo by a relative 307', async () => {
    const locations = await Promise.all(
      ['/api/models/ACME/root', '/api/models/child', '/api/models/Acme/Root/tree/main?recursive=true'].map(
        async (path) => {
          const answer = await small.get(path);
          return [answer.status, answer.headers.get('location')];
        },
      ),
    );
    expect(locations).toEqual([
      [307, '/api/models/acme/root'],
      [307, '/api/models/acme/child'],
      [307, '/api/models/acme/root/tree/main?recursive=true'],
    ]);
    const own = await startSmallHub();
    const hubId = own.hub.repo('acme/child')?.hubId;
    own.hub.renameRepo('acme/child', 'acme/grown');
    expect((await own.get('/api/models/acme/child')).headers.get('location')).toBe('/api/models/acme/grown');
    expect((await own.json('/api/models/acme/grown'))._id).toBe(hubId);
    expect((await own.get('/acme/child/resolve/main/config.json')).status).toBe(307);
    await own.hub.close();
  });

  it('knows branch, HEAD, tags, pull requests, full and short shas, and old commits', async () => {
    const own = await startSmallHub();
    const old = (await own.json('/api/models/acme/root')).sha as string;
    await own.hub.touchReadme('acme/root', '# new\n');
    const now = (await own.json('/api/models/acme/root')).sha as string;
    expect(now).not.toBe(old);
    own.hub.update('acme/root', (repo) => {
      repo.refs = { 'refs/tags/v1': old, 'refs/pr/3': now };
    });
    const shaAt = async (revision: string) =>
      (await own.json(`/api/models/acme/root/revision/${revision}`)).sha;
    expect(
      await Promise.all(
        ['main', 'HEAD', 'v1', 'refs%2Fpr%2F3', 'refs/pr/3', old, old.slice(0, 7)].map(shaAt),
      ),
    ).toEqual([now, now, old, now, now, old, old]);
    const readme = async (revision: string) => {
      const hop = await own.get(`/acme/root/resolve/${revision}/README.md`);
      return (await own.get(hop.headers.get('location') ?? '')).text();
    };
    expect([await readme('main'), await readme('v1')]).toEqual(['# new\n', '# small\n']);
    const refs = await own.json('/api/models/acme/root/refs?include_prs=1');
    expect(refs.pullRequests).toEqual([{ name: '3', ref: 'refs/pr/3', targetCommit: now }]);
    const commits = await own.json('/api/models/acme/root/commits/main');
    expect(commits.map((commit: { id: string }) => commit.id)).toEqual([now, old]);
    await own.hub.close();
  });

  it('names files by git sha1 and LFS files by pointer and sha256', async () => {
    const tree = await small.json('/api/models/acme/root/tree/main?recursive=true');
    const by = (path: string) => tree.find((entry: { path: string }) => entry.path === path);
    const text = '{"model_type":"llama"}';
    const git = (body: string) =>
      createHash('sha1')
        .update(`blob ${Buffer.byteLength(body)}\0${body}`)
        .digest('hex');
    expect(by('config.json')).toEqual({
      type: 'file',
      oid: git(text),
      size: text.length,
      path: 'config.json',
    });
    const sha256 = createHash('sha256').update(WEIGHTS).digest('hex');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize 5000\n`;
    expect(by('model.safetensors')).toMatchObject({
      oid: git(pointer),
      lfs: { oid: sha256, size: 5000, pointerSize: pointer.length },
    });
    expect(by('sub')).toMatchObject({ type: 'directory', size: 0 });
    expect(tree[0].type).toBe('directory');
    expect(await (await small.get('/acme/root/raw/main/model.safetensors')).text()).toBe(pointer);
    const info = await small.json('/api/models/acme/root?blobs=true');
    expect(
      info.siblings.find((s: { rfilename: string }) => s.rfilename === 'model.safetensors'),
    ).toMatchObject({ size: 5000, lfs: { sha256 } });
    expect(info).not.toHaveProperty('baseModels');
    expect(Object.keys(info).slice(0, 3)).toEqual(['_id', 'id', 'private']);
  });

  it('pages trees with the double base64 cursor', async () => {
    const paths: string[] = [];
    let next: string | undefined = '/api/models/acme/root/tree/main?recursive=true&limit=2';
    while (next !== undefined) {
      const answer: Response = await small.get(next);
      for (const { path } of (await answer.json()) as { path: string }[]) paths.push(path);
      next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(paths).toEqual(
      (await small.json('/api/models/acme/root/tree/main?recursive=true')).map(
        (e: { path: string }) => e.path,
      ),
    );
    expect(await small.json('/api/models/acme/root/tree/main/sub')).toHaveLength(1);
  });

  it('answers paths-info for JSON and form bodies, leaving out what is missing', async () => {
    const ask = async (body: string, type: string) =>
      (
        await small.json('/api/models/acme/root/paths-info/main', {
          method: 'POST',
          body,
          headers: { 'content-type': type },
        })
      ).map((e: { path: string }) => e.path);
    expect(await ask('{"paths":["config.json","nope","sub"]}', 'application/json')).toEqual([
      'config.json',
      'sub',
    ]);
    expect(await ask('paths=config.json&paths=README.md', 'application/x-www-form-urlencoded')).toEqual([
      'config.json',
      'README.md',
    ]);
    const many = JSON.stringify({ paths: Array.from({ length: 2001 }, (_, i) => `f${i}`) });
    expect(
      (
        await small.get('/api/models/acme/root/paths-info/main', {
          method: 'POST',
          body: many,
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(400);
  });
});
