import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallSeeds, startSmallHub } from './testing/small-hub.ts';

type Started = Awaited<ReturnType<typeof startSmallHub>>;
const nextOf = (answer: Response) => /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];

describe('listing', () => {
  let small: Started;
  beforeAll(async () => {
    small = await startSmallHub();
  });
  afterAll(() => small.hub.close());
  const ids = async (query: string) =>
    (await small.json(`/api/models?${query}`)).map((row: { id: string }) => row.id);

  it('has the default shape, keys in the order the Hub serves them, undeclared ones absent', async () => {
    const rows = await small.json('/api/models');
    const root = rows.find((row: { id: string }) => row.id === 'acme/root');
    expect(Object.keys(root)).toEqual([
      '_id',
      'id',
      'likes',
      'trendingScore',
      'private',
      'downloads',
      'tags',
      'pipeline_tag',
      'library_name',
      'createdAt',
      'modelId',
    ]);
    const disabled = rows.find((row: { id: string }) => row.id === 'acme/disabled');
    expect(disabled).not.toHaveProperty('library_name');
    expect(disabled).not.toHaveProperty('pipeline_tag');
  });

  it('gives the long shape for full, whatever its value', async () => {
    const [row] = await small.json('/api/models?full=false&author=zeta');
    expect(row).toMatchObject({ author: 'zeta', gated: false, disabled: false });
    expect(row.siblings).toContainEqual({ rfilename: 'config.json' });
    expect(row).not.toHaveProperty('config');
  });

  it('expands exactly what is asked, in both spellings', async () => {
    const [row] = await small.json(
      '/api/models?author=zeta&expand[]=sha&expand=baseModels&expand[]=gguf&expand=model-index',
    );
    expect(Object.keys(row)).toEqual(
      ['_id', 'id', 'sha', 'baseModels', 'model-index'].sort(
        (a, b) => Object.keys(row).indexOf(a) - Object.keys(row).indexOf(b),
      ),
    );
    expect(row['model-index']).toBeNull();
    expect(row).not.toHaveProperty('gguf');
  });

  it.each(['usedStorage', 'childrenModelCount', 'nonsense'])(
    'refuses expand=%s on the list',
    async (field) => {
      const answer = await small.get(`/api/models?expand=${field}`);
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { error: string }).error).toMatch(
        /^"expand" must be one of \[author, baseModels, /,
      );
    },
  );

  it('derives base models: case folded, several = merge, tags beside', async () => {
    const rows = await small.json('/api/models?expand=baseModels&expand=tags');
    const by = (id: string) => rows.find((row: { id: string }) => row.id === id);
    expect(by('acme/child').baseModels).toEqual({
      relation: 'finetune',
      models: [{ _id: by('acme/root')._id, id: 'acme/root' }],
    });
    expect(by('acme/child').tags).toEqual(
      expect.arrayContaining(['base_model:acme/root', 'base_model:finetune:acme/root']),
    );
    expect(by('zeta/old').baseModels.relation).toBe('merge');
    expect(by('acme/root')).not.toHaveProperty('baseModels');
    expect(await ids('filter=base_model:finetune:acme/root')).toEqual(['acme/child']);
  });

  it('filters by tags (all of them), author, search, pipeline and gating; private repos are not there', async () => {
    expect(await ids('filter=llama&filter=license:mit&author=zeta')).toEqual(['zeta/old']);
    expect(await ids('filter=llama,license:none')).toEqual([]);
    expect(await ids('search=CHIL')).toEqual(['acme/child']);
    expect(await ids('pipeline_tag=text-generation')).toEqual(['acme/root']);
    expect(await ids('gated=true')).toEqual(['acme/gated']);
    expect(await ids('limit=1000')).not.toContain('acme/hidden');
  });

  it('keys _id on the creation second, with the floor of March 2022', async () => {
    const [row] = await small.json('/api/models?author=zeta');
    expect(row.createdAt).toBe('2022-03-02T23:29:04.000Z');
    expect(Number.parseInt(row._id.slice(0, 8), 16) * 1000).toBe(Date.parse(row.createdAt));
    expect(row._id).toMatch(/^[0-9a-f]{24}$/);
  });

  it.each([
    ['createdAt', 1, ['zeta/old', 'acme/root', 'acme/child', 'acme/gated', 'acme/disabled']],
    ['createdAt', -1, ['acme/disabled', 'acme/gated', 'acme/child', 'acme/root', 'zeta/old']],
    ['downloads', -1, ['acme/root', 'acme/child', 'acme/gated', 'zeta/old', 'acme/disabled']],
  ])(
    'walks %s in direction %i page by page through Link, on its own origin',
    async (sort, direction, expected) => {
      const seen: string[] = [];
      let next: string | undefined = `/api/models?sort=${sort}&direction=${direction}&limit=2&expand[]=sha`;
      let pages = 0;
      while (next !== undefined) {
        const answer: Response = await small.get(next);
        for (const row of (await answer.json()) as { id: string; sha: string }[]) seen.push(row.id);
        next = nextOf(answer);
        if (next !== undefined) expect(next.startsWith(`${small.hub.url}/api/models?`)).toBe(true);
        pages++;
      }
      expect(seen).toEqual(expected);
      expect(pages).toBe(3);
    },
  );

  it('writes cursors as the Hub does and refuses tampered ones', async () => {
    const first = await small.get('/api/models?sort=createdAt&direction=1&limit=1');
    const url = new URL(nextOf(first) ?? '');
    const condition = JSON.parse(Buffer.from(url.searchParams.get('cursor') ?? '', 'base64').toString());
    expect(condition).toEqual({ _id: { $gt: ((await first.json()) as { _id: string }[])[0]?._id } });
    for (const bad of [
      'x',
      Buffer.from('{"_id":{"$ne":1}}').toString('base64'),
      Buffer.from('{"_id":{"$gt":"zz"}}').toString('base64'),
    ]) {
      expect(
        (await small.get(`/api/models?sort=createdAt&direction=1&cursor=${encodeURIComponent(bad)}`)).status,
      ).toBe(400);
    }
    // a cursor belongs to its sort
    expect(
      (
        await small.get(
          `/api/models?sort=downloads&cursor=${encodeURIComponent(url.searchParams.get('cursor') ?? '')}`,
        )
      ).status,
    ).toBe(400);
  });

  it('has no snapshot: a key that moves between pages moves its row', async () => {
    const own = await startSmallHub();
    const first = await own.get('/api/models?sort=downloads&limit=1');
    expect(((await first.json()) as { id: string }[])[0]?.id).toBe('acme/root');
    own.hub.update('acme/child', (repo) => {
      repo.downloads = 1000;
    });
    const second = (await (await own.get(nextOf(first) ?? '')).json()) as { id: string }[];
    expect(second[0]?.id).toBe('acme/gated');
    await own.hub.close();
  });

  it('refuses unknown sorts and silly limits; caps the rest', async () => {
    expect((await small.get('/api/models?sort=trending')).status).toBe(400);
    expect((await small.get('/api/models?limit=0')).status).toBe(400);
    expect(await ids('limit=5000')).toHaveLength(smallSeeds().length - 1);
  });
});
