import { describe, expect, it } from 'vitest';
import { COMMIT, type FakeRequest, send, sendBytes } from './testing/fake-hub.ts';
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
