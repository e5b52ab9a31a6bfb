import { describe, expect, it } from 'vitest';
import errorMatrix from '../../test/fixtures/hub/error-matrix.json' with { type: 'json' };
import treeEntries from '../../test/fixtures/hub/tree-gpt2-entries.json' with { type: 'json' };
import { COMMIT, type FakeRequest, json, send, sha256 } from './testing/fake-hub.ts';
import { withHub } from './testing/with-hub.ts';

const text = (content: string) => new TextEncoder().encode(content);
const WEIGHTS = Uint8Array.from({ length: 3000 }, (_, i) => i & 255);
const FILES = {
  'model.safetensors': { bytes: WEIGHTS, lfs: true },
  'config.json': { bytes: text('{"a":1}') },
};

describe('model info', () => {
  it('is one request, with sizes and hashes', async () => {
    await withHub({ files: FILES }, async ({ client, hub }) => {
      const info = await client.modelInfo('owner/name', { revision: 'refs/pr/1' });
      expect(info.repo).toMatchObject({ repo: 'owner/name', sha: COMMIT });
      expect(info.files[0]).toEqual({
        path: 'model.safetensors',
        size: 3000,
        oid: 'b'.repeat(40),
        sha256: sha256(WEIGHTS),
      });
      expect(info.filesTruncated).toBe(false);
      expect(hub.requests).toHaveLength(1);
      expect(hub.requests[0]!.url.pathname).toBe('/api/models/owner/name/revision/refs%2Fpr%2F1');
      expect(hub.requests[0]!.url.searchParams.get('blobs')).toBe('true');
    });
  });

  it('follows a rename inside the endpoint and says the new name', async () => {
    const fault = ({ url, res }: FakeRequest) => {
      if (!url.pathname.startsWith('/api/models/old/name')) return false;
      res.writeHead(307, { location: url.pathname.replace('old/name', 'owner/name') + url.search }).end();
      return true;
    };
    await withHub({ files: FILES, fault }, async ({ client, events }) => {
      expect((await client.modelInfo('old/name')).repo.repo).toBe('owner/name');
      expect(events).toContainEqual({ type: 'renamed', from: 'old/name', to: 'owner/name' });
      const files = client.openRepo('old/name', COMMIT);
      expect(await files.list()).toHaveLength(2);
      expect(Buffer.from(await files.readSmall('config.json', 100)).toString()).toBe('{"a":1}');
    });
  });

  it.each([
    ['RedirectRefused', 307, 'https://huggingface.co/api/models/x/y'],
    ['RedirectRefused', 307, 'http://evil.example/api/models/x/y'],
    ['HubBadAnswer', 308, '/api/models/owner/name'],
    ['HubBadAnswer', 308, '?again'],
    ['RedirectRefused', 301, 'ftp://127.0.0.1/x'],
    ['HubBadAnswer', 302, ''],
  ])('%s for status %i to %j', async (code, status, location) => {
    const fault = ({ res }: FakeRequest) => {
      res.writeHead(status, location === '' ? {} : { location }).end();
      return true;
    };
    await withHub({ fault }, async ({ client, hub }) => {
      await expect(client.modelInfo('owner/name')).rejects.toMatchObject({ code, where: 'owner/name' });
      expect(hub.requests.length).toBeLessThan(20);
    });
  });

  it('refuses ids that are none without asking', async () => {
    await withHub({}, async ({ client, hub }) => {
      for (const id of ['../x', 'a/b/c', 'a b', '', 'x/..', 'https://huggingface.co/a/b', 'a%2Fb']) {
        await expect(async () => client.modelInfo(id)).rejects.toMatchObject({ code: 'ModelUnknown' });
      }
      expect(hub.requests).toHaveLength(0);
    });
  });
});

describe('the error matrix', () => {
  const EXPECTED: Record<string, string> = {
    'repo missing or private, anonymous': 'RepoGone',
    'repo missing or private, valid token without access': 'RepoGone',
    'bad token': 'HubAuth',
    'gated file, anonymous': 'RepoGated',
    'gated file, garbage token': 'RepoGated',
    'gated file, token without access': 'RepoGated',
    'file missing at existing revision': 'FileMissing',
    'revision missing': 'RevisionGone',
    'repo disabled': 'RepoDisabled',
    'unknown API route': 'FileMissing',
    'owner%2Fname in one segment': 'HubBadAnswer',
  };
  it.each(errorMatrix.filter((row) => row.case in EXPECTED))('$case', async (row) => {
    const fault = ({ res }: FakeRequest) => {
      if (row['x-error-code']) res.setHeader('X-Error-Code', row['x-error-code']);
      if (row['x-error-message']) res.setHeader('X-Error-Message', row['x-error-message']);
      send(res, row.status, row.body_resolve ?? JSON.stringify(row.body_api ?? {}));
      return true;
    };
    await withHub({ files: FILES, fault }, async ({ client, hub }) => {
      const opening = client.openRepo('owner/name', COMMIT).open('config.json');
      await expect(opening).rejects.toMatchObject({ code: EXPECTED[row.case] });
      expect(hub.requests).toHaveLength(1);
    });
  });

  it('quotes a server in one short line', async () => {
    const fault = ({ res }: FakeRequest) => {
      send(res, 400, JSON.stringify({ error: `a\u001b[31m\nb${'é'.repeat(2000)}` }));
      return true;
    };
    await withHub({ fault }, async ({ client }) => {
      const error = await client.modelInfo('a/b').catch((caught: Error) => caught);
      expect((error as Error).message).toMatch(/^status 400: a \[31m bé+\.\.\.$/);
      expect((error as Error).message.length).toBeLessThan(620);
    });
  });
});

describe('tree', () => {
  it('reads captured entries: the sha256 is lfs.oid', async () => {
    const fault = ({ res }: FakeRequest) => json(res, treeEntries) === undefined;
    await withHub({ fault }, async ({ client }) => {
      expect(await client.listTree('openai-community/gpt2', 'main')).toEqual([
        { path: 'config.json', size: 665, oid: '10c66461e4c109db5a2196bff4bb59be30396ed8', sha256: null },
        {
          path: 'model.safetensors',
          size: 548105171,
          oid: '44b36d6e32d13c8fb28b0feab0ac8bfefa7efeda',
          sha256: '248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707',
        },
      ]);
    });
  });

  it('follows all pages', async () => {
    const fault = ({ url, res }: FakeRequest) => {
      const at = Number(url.searchParams.get('cursor') ?? 0);
      if (at < 2)
        res.setHeader('Link', `<${url.origin}${url.pathname}?recursive=true&cursor=${at + 1}>; rel="next"`);
      json(res, [
        { type: 'file', path: `f${at}`, size: at },
        { type: 'file', path: 'x', size: -1 },
      ]);
      return true;
    };
    await withHub({ fault }, async ({ client }) => {
      expect((await client.listTree('a/b', 'main')).map((file) => file.path)).toEqual(['f0', 'f1', 'f2']);
    });
  });

  it('goes folder by folder where the whole is too much, and never up', async () => {
    const folders: Record<string, unknown[]> = {
      '': [
        { type: 'directory', path: 'a' },
        { type: 'directory', path: '..' },
        { type: 'file', path: 'r', size: 1 },
      ],
      a: [
        { type: 'directory', path: 'a/b c' },
        { type: 'directory', path: '' },
        { type: 'directory', path: 'a' },
      ],
      'a/b c': [
        { type: 'file', path: 'a/b c/w', size: 2 },
        { type: 'directory', path: 'a' },
      ],
      '..': [],
    };
    const fault = ({ url, res }: FakeRequest) => {
      if (url.searchParams.get('recursive') === 'true') send(res, 504, '');
      else json(res, folders[decodeURIComponent(url.pathname.split('/main')[1]!.slice(1))]);
      return true;
    };
    await withHub({ fault }, async ({ client, hub }) => {
      expect((await client.listTree('o/n', 'main')).map((file) => file.path)).toEqual(['a/b c/w', 'r']);
      expect(hub.requests.filter((r) => r.url.searchParams.get('recursive') === 'false').length).toBeLessThan(
        6,
      );
    });
  });
});
