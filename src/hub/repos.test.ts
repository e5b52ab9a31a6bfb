import { describe, expect, it } from 'vitest';
import errorMatrix from '../../test/fixtures/hub/error-matrix.json' with { type: 'json' };
import treeEntries from '../../test/fixtures/hub/tree-gpt2-entries.json' with { type: 'json' };
import { COMMIT, type FakeRequest, json, send, sendBytes, sha256, toRow } from './testing/fake-hub.ts';
import { withHub } from './testing/with-hub.ts';

const text = (content: string) => new TextEncoder().encode(content);
const WEIGHTS = Uint8Array.from({ length: 3000 }, (_, i) => i & 255);
const ODD = 'dir é/odd #?%20 name\u0001.txt';
const FILES = {
  'model.safetensors': { bytes: WEIGHTS, lfs: true },
  'config.json': { bytes: text('{"a":1}') },
  'tokenizer.json': { bytes: text('{"big":"lfs"}'), lfs: true },
  empty: { bytes: text('') },
  [ODD]: { bytes: text('odd') },
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
      expect(await files.list()).toHaveLength(5);
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

describe('the files of a repo', () => {
  it('are listed with one api request, opened with one resolve each', async () => {
    await withHub({ files: FILES }, async ({ client, hub }) => {
      const files = client.openRepo('owner/name', COMMIT);
      expect(hub.requests).toHaveLength(0);
      const [listed, again] = await Promise.all([files.list(), files.list()]);
      expect(listed).toBe(again);
      for (const { path, size } of listed) expect((await files.open(path)).size).toBe(size);
      expect(hub.count('info') + hub.count('tree')).toBe(1);
      expect(hub.count('resolve')).toBe(5);
      expect(hub.count('cache')).toBe(0);
      await expect(files.open('not there')).rejects.toMatchObject({ code: 'FileMissing' });
      expect(hub.requests).toHaveLength(6);
    });
  });

  it('small ones can be read in slices and whole, empty and oddly named ones too', async () => {
    await withHub({ files: FILES }, async ({ client, hub }) => {
      const files = client.openRepo('owner/name', COMMIT);
      const odd = await files.open(ODD);
      expect(odd.size).toBe(3);
      expect(Buffer.from(await odd.read(1, 2)).toString()).toBe('dd');
      const empty = await files.open('empty');
      expect(empty.size).toBe(0);
      expect(await empty.read(0, 0)).toHaveLength(0);
      expect(await files.readSmall('empty', 0)).toHaveLength(0);
      expect(Buffer.from(await files.readSmall('tokenizer.json', 100)).toString()).toBe('{"big":"lfs"}');
      // Both hops are the endpoint's own, so the token goes along; never a range of nothing.
      expect(hub.requests.filter((r) => r.route !== 'cdn').every((r) => r.headers.authorization)).toBe(true);
      expect(hub.requests.some((r) => /-1/.test(String(r.headers.range)))).toBe(false);
    });
  });

  it('larger than asked for are refused, without their bytes where the size is told', async () => {
    await withHub({ files: FILES }, async ({ client, hub }) => {
      const files = client.openRepo('owner/name', COMMIT);
      await expect(files.readSmall('model.safetensors', 2999)).rejects.toMatchObject({
        code: 'BodyTooLarge',
      });
      await expect(files.readSmall('config.json', 6)).rejects.toMatchObject({ code: 'BodyTooLarge' });
      expect(hub.count('cdn')).toBe(0);
      expect(Buffer.from(await files.readSmall('config.json', 7)).toString()).toBe('{"a":1}');
    });
  });

  it.each(['../secrets', '/etc/passwd', 'https://evil.example/x', 'a//b', 'a/../b', './x', '', '..', 'a\\b'])(
    'named %j are never asked for',
    async (path) => {
      await withHub({ files: FILES }, async ({ client, hub }) => {
        const files = client.openRepo('owner/name', COMMIT);
        await expect(files.open(path)).rejects.toMatchObject({ code: 'FileMissing' });
        await expect(files.readSmall(path, 10)).rejects.toMatchObject({ code: 'FileMissing' });
        expect(hub.requests).toHaveLength(0);
      });
    },
  );

  it('of a gated repo are not asked for without a token', async () => {
    await withHub(
      { files: FILES },
      async ({ client, hub }) => {
        const files = client.openRepo('owner/name', COMMIT, { gated: 'auto' });
        await expect(files.open('config.json')).rejects.toMatchObject({ code: 'RepoGated' });
        expect(await files.list()).toHaveLength(5);
        expect(hub.requests.map((r) => r.route)).toEqual(['info']);
      },
      { token: null },
    );
  });

  it('of another commit than asked for are not taken', async () => {
    const other = 'd'.repeat(40);
    await withHub({ files: FILES }, async ({ client }) => {
      await expect(client.openRepo('owner/name', other).open('config.json')).rejects.toMatchObject({
        code: 'RevisionGone',
      });
      await expect(client.openRepo('owner/name', other).list()).rejects.toMatchObject({
        code: 'RevisionGone',
      });
    });
  });

  it('of a branch stay those of the first commit seen', async () => {
    await withHub({ files: FILES }, async ({ client, hub }) => {
      const files = client.openRepo('owner/name', 'main');
      await files.list();
      await files.open('config.json');
      expect(hub.requests.at(-1)!.url.pathname).toContain(`/resolve/${COMMIT}/`);
    });
  });

  it('lie about their size in one place: RevisionGone', async () => {
    const fault = ({ route, res }: FakeRequest) => {
      if (route !== 'resolve') return false;
      res
        .writeHead(302, { location: 'http://127.0.0.1:1/x', 'x-linked-size': 9, 'x-repo-commit': COMMIT })
        .end();
      return true;
    };
    await withHub({ files: FILES, fault }, async ({ client }) => {
      const files = client.openRepo('owner/name', COMMIT);
      await files.list();
      await expect(files.open('model.safetensors')).rejects.toMatchObject({ code: 'RevisionGone' });
    });
  });

  it.each([
    ['http://localhost:1/x', 'CdnUnreachable'],
    ['https://evil.hf.co.example/x', 'RedirectRefused'],
    ['http://us.aws.cdn.hf.co/x', 'RedirectRefused'],
    ['https://user:pw@us.aws.cdn.hf.co/x', 'RedirectRefused'],
    ['https://us.aws.cdn.hf.co:8443/x', 'RedirectRefused'],
    ['http://169.254.169.254/latest/meta-data', 'RedirectRefused'],
    ['data:text/plain,x', 'RedirectRefused'],
  ])('behind %s: %s', async (location, code) => {
    const fault = ({ route, res }: FakeRequest) => {
      if (route !== 'resolve') return false;
      res.writeHead(302, { location, 'x-linked-size': 9, 'x-repo-commit': COMMIT }).end();
      return true;
    };
    await withHub({ fault }, async ({ client }) => {
      const reading = client
        .openRepo('owner/name', COMMIT)
        .open('w')
        .then((source) => source.read(0, 1));
      await expect(reading).rejects.toMatchObject({ code });
    });
  });

  it('without X-Linked-Size tell their size on the CDN', async () => {
    const fault = ({ route, res, headers }: FakeRequest) => {
      if (route !== 'cdn') return false;
      sendBytes(res, WEIGHTS, headers.range);
      return true;
    };
    await withHub({ fault, files: FILES }, async ({ client, hub }) => {
      const redirecting = ({ route, res }: FakeRequest) => {
        if (route !== 'resolve') return false;
        res.writeHead(302, { location: `${hub.cdnOrigin}/x`, 'x-repo-commit': COMMIT }).end();
        return true;
      };
      await withHub({ fault: redirecting }, async (other) => {
        const source = await other.client.openRepo('owner/name', COMMIT).open('w');
        expect(source).toMatchObject({ size: 3000, sha256: null });
        expect(Buffer.from(await source.read(10, 5))).toEqual(Buffer.from(WEIGHTS.subarray(10, 15)));
      });
      expect(client.stats().retries).toBe(0);
    });
  });

  it('move to another CDN when the first is down', async () => {
    const fault = ({ route, number, res }: FakeRequest) => {
      if (route !== 'resolve' || number > 1) return false;
      res
        .writeHead(302, { location: 'http://127.0.0.1:1/x', 'x-linked-size': 3000, 'x-repo-commit': COMMIT })
        .end();
      return true;
    };
    await withHub({ files: FILES, fault }, async ({ client, hub }) => {
      const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
      expect(Buffer.from(await source.read(10, 5))).toEqual(Buffer.from(WEIGHTS.subarray(10, 15)));
      expect(hub.count('resolve')).toBe(2);
    });
  });

  it('behind a CDN whose TLS is broken: CdnUnreachable, and the Hub is still there', async () => {
    let port = '';
    const fault = ({ route, res }: FakeRequest) => {
      if (route !== 'resolve') return false;
      res
        .writeHead(302, {
          location: `https://127.0.0.1:${port}/x`,
          'x-linked-size': 9,
          'x-repo-commit': COMMIT,
        })
        .end();
      return true;
    };
    await withHub({ files: FILES, fault }, async ({ client, hub }) => {
      port = new URL(hub.cdnOrigin).port;
      const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
      await expect(source.read(0, 1)).rejects.toMatchObject({
        code: 'CdnUnreachable',
        message: expect.stringContaining('secure'),
      });
      expect((await client.modelInfo('owner/name')).repo.repo).toBe('owner/name');
    });
  });

  it('survive resets, 5xx and circles of redirects as far as they can be', async () => {
    const bursts = ({ route, number, res }: FakeRequest) => {
      if (route === 'cdn' || number > 2) return false;
      if (number === 1) res.socket!.resetAndDestroy();
      else send(res, 503, '');
      return true;
    };
    await withHub({ files: FILES, fault: bursts }, async ({ client }) => {
      const files = client.openRepo('owner/name', COMMIT);
      await files.list();
      expect(await (await files.open('model.safetensors')).read(0, 2)).toHaveLength(2);
    });
    const circle = ({ res, url }: FakeRequest) => {
      res.writeHead(307, { location: url.pathname }).end();
      return true;
    };
    await withHub({ fault: circle }, async ({ client }) => {
      const files = client.openRepo('owner/name', COMMIT);
      await expect(files.open('x')).rejects.toMatchObject({ code: 'HubBadAnswer' });
      await expect(files.readSmall('x', 9)).rejects.toMatchObject({ code: 'HubBadAnswer' });
    });
  });
});

describe('a run', () => {
  it('stops at its limits, each with its code', async () => {
    const limits = { maxRequests: null, maxBytes: null, deadlineAt: null };
    const read = async (budget: typeof limits | Record<string, number | null>) =>
      withHub(
        { files: FILES, rows: [toRow(0)] },
        async ({ client, hub }) => {
          const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
          const errors = [];
          for (let i = 0; i < 5; i++)
            errors.push(
              await source.read(i, 100).then(
                () => null,
                (error) => error.code,
              ),
            );
          return { errors, requests: hub.requests.length };
        },
        { budget: { ...limits, ...budget } },
      );
    expect(await read({ maxRequests: 3 })).toEqual({
      errors: [null, null, 'QuotaReached', 'QuotaReached', 'QuotaReached'],
      requests: 3,
    });
    expect((await read({ maxBytes: 300 })).errors).toEqual([
      null,
      null,
      null,
      'LimitReached',
      'LimitReached',
    ]);
    await expect(read({ deadlineAt: Date.now() - 1 })).rejects.toMatchObject({ code: 'DeadlineReached' });
  });

  it('does not pass its bytes with parallel reads either', async () => {
    await withHub(
      { files: FILES },
      async ({ client }) => {
        const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
        const reads = Array.from({ length: 20 }, (_, i) => source.read(i * 100, 100));
        const outcomes = await Promise.allSettled(reads);
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(7);
        expect(client.stats().bytes).toBe(700);
      },
      { budget: { maxRequests: null, maxBytes: 750, deadlineAt: null } },
    );
  });

  it('that is aborted ends at once, whatever it waits for', async () => {
    const stop = new AbortController();
    const fault = ({ route }: FakeRequest) => route === 'cdn' || route === 'list';
    await withHub(
      { files: FILES, fault },
      async ({ client }) => {
        const source = await client.openRepo('owner/name', COMMIT).open('model.safetensors');
        const waiting = [
          source.read(0, 1),
          source.read(1, 1),
          client.listModels({ sort: 'createdAt', direction: 1, limit: 1 }).next(),
        ];
        const outcomes = Promise.allSettled(waiting);
        setTimeout(() => stop.abort(), 20);
        for (const outcome of await outcomes)
          expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'Interrupted' } });
        await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'Interrupted' });
      },
      { signal: stop.signal },
    );
  });

  it('with an endpoint that is none does not start', async () => {
    const { createHubClient } = await import('./client.ts');
    for (const endpoint of ['', 'huggingface.co', 'ftp://x', 'https://a:b@c/']) {
      expect(() => createHubClient({ endpoint, userAgent: 't' })).toThrow(/not the address of a Hub/);
    }
  });
});
