import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, runQuery, type Store } from '../store/index.ts';
import { makePath } from '../store/testing/sample-index.ts';
import { HublineageError } from '../types/errors.ts';
import type { ExplorerOptions, ExplorerRequest } from './contract.ts';
import { createExplorer, MAX_URL_CHARS } from './create-explorer.ts';
import { edgePath, modelPath } from './links.ts';
import { ROUTES } from './router.ts';
import {
  fillSampleExplorer,
  HOSTILE_REPO,
  HOSTILE_TEXT,
  QUANTIZED,
  ROOT,
  SAMPLE_OPTIONS,
  VIRTUAL,
  WRONG,
} from './testing/sample-explorer.ts';

let store: Store;
const path = makePath();

beforeAll(async () => {
  await fillSampleExplorer(path);
  store = await openStore(path, { readonly: true });
});
afterAll(() => store.close());

const explorer = (change: Partial<ExplorerOptions> = {}) =>
  createExplorer({
    store,
    ...SAMPLE_OPTIONS,
    sql: (query, params) => runQuery(path, query, { params }),
    ...change,
  });

async function get(url: string, change: Partial<ExplorerRequest> = {}, options?: Partial<ExplorerOptions>) {
  const response = await explorer(options).handle({ method: 'GET', url, ...change });
  return { ...response, text: String(response.body) };
}

async function getJson<T = Record<string, unknown>>(url: string): Promise<T> {
  const response = await get(url);
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  return JSON.parse(response.text) as T;
}

const PAGES = [
  '/',
  '/search',
  '/search?q=base',
  modelPath(WRONG),
  modelPath(HOSTILE_REPO),
  modelPath(VIRTUAL),
  edgePath(WRONG, ROOT),
  edgePath(HOSTILE_REPO, ROOT),
  `/children/${ROOT}`,
  `/children/${ROOT}?relation=quantized`,
  '/families',
  `/families/${ROOT}`,
  `/families/${VIRTUAL}`,
  `/maps/${ROOT}`,
  '/flagged',
  '/flagged?verdict=contradicted&verdict=unresolved&family=llama&sort=newest',
  '/runs',
  '/runs/3',
  '/failures',
  '/failures?stage=fingerprint&code=HeaderInvalid',
  '/sql',
  '/about',
];

describe('every page', () => {
  it.each(PAGES)('%s is a whole document with its landmarks, and its JSON twin', async (url) => {
    const { status, headers, text } = await get(url);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    for (const landmark of [
      '<a class="skip" href="#content">',
      '<nav aria-label="Main">',
      '<main id="content"',
    ])
      expect(text).toContain(landmark);
    expect(text.match(/<h1>/g)).toHaveLength(1);
    const twin = /<link rel="alternate" type="application\/json" href="([^"]+)">/
      .exec(text)![1]!
      .replaceAll('&amp;', '&');
    const json = await get(twin);
    expect(json.status).toBe(200);
    expect(JSON.parse(json.text)).toBeTypeOf('object');
  });

  it.each(PAGES)('%s says what may run and lets nothing else run', async (url) => {
    const { headers, text } = await get(url);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    // what stands inside quotes is a value, whatever it spells
    expect(text.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\s(?:on\w+|style)=/);
    expect(text).not.toMatch(/<script(?![^>]*src="\/assets\/)/);
    expect(text.replaceAll('\n', '').replaceAll('\t', '')).not.toMatch(/[\u0000-\u001f\u202e\ud800-\udfff]/);
  });

  it.each(PAGES)('%s closes what it opens', async (url) => {
    const { text } = await get(url);
    const open: string[] = [];
    const isVoid = /^(?:meta|link|input|img|br|!doctype|path|rect|circle)$/;
    for (const [tag, end, name] of text.matchAll(/<(\/?)([a-z1-6!]+)(?:"[^"]*"|[^">])*>/g)) {
      if (isVoid.test(name!) || tag.endsWith('/>')) continue;
      if (end === '') open.push(name!);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  it.each(PAGES)(
    '%s links to nothing that is not there',
    async (url) => {
      const { text } = await get(url);
      const ids = new Set([...text.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!));
      expect(ids.size).toBe([...text.matchAll(/\sid="/g)].length);
      const links = new Set(
        [...text.matchAll(/href="([^"]+)"/g)].map((match) => match[1]!.replaceAll('&amp;', '&')),
      );
      for (const link of links) {
        if (link.startsWith('#')) expect([...ids]).toContain(link.slice(1));
        else if (link.startsWith('https://')) expect(text).toContain(`href="${link}" rel="noopener`);
        else expect(`${link.split('#')[0]} ${(await get(link.split('#')[0]!)).status}`).toMatch(/ 200$/);
      }
    },
    60_000,
  );
});

describe('hostile text', () => {
  it('stays text wherever a card can put it', async () => {
    const { text } = await get(modelPath(HOSTILE_REPO));
    expect(text).not.toContain('<img');
    expect(text).not.toContain('<script>');
    expect(text).toContain('&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;');
    const evidence = await get(edgePath(HOSTILE_REPO, ROOT));
    expect(evidence.text).toContain('&lt;img src=x onerror=&quot;');
    expect(evidence.text).not.toContain('<img');
  });

  it('is told in JSON as it is, in JSON only', async () => {
    const json = await getJson<{ claims: { raw: string }[] }>(`${modelPath(HOSTILE_REPO)}.json`);
    expect(json.claims.map((claim) => claim.raw)).toContain(HOSTILE_TEXT.toWellFormed());
  });

  it.each([
    '/search?q=%3Cscript%3Ealert(1)%3C/script%3E',
    '/models/%22%3E%3Cimg%20src=x%3E',
    '/%22onload=%22alert(1)',
    '/flagged?owner=%22%3E%3Csvg/onload=alert(1)%3E',
    '/sql?sql=%3C/textarea%3E%3Cscript%3Ealert(1)%3C/script%3E',
  ])('in an address: %s', async (url) => {
    const { text } = await get(url);
    expect(text).not.toMatch(/<script(?! src="\/assets)|<img|<svg\/|"onload/);
  });

  it('never chooses a file', async () => {
    for (const url of [
      '/assets/../create-explorer.ts',
      '/assets/..%2fcreate-explorer.ts',
      '/assets/%2e%2e/index.ts',
      '/assets/',
    ])
      expect((await get(url)).status).toBe(404);
  });
});

describe('a model page', () => {
  it('puts declared and inferred side by side under the verdict', async () => {
    const { text } = await get(modelPath(WRONG));
    expect(text).toContain('<h3>Declared</h3>');
    expect(text).toContain('<h3>Weights point to</h3>');
    expect(text).toMatch(/contradicted<\/span>/);
    expect(text).toContain(`href="${edgePath(WRONG, ROOT)}"`);
    expect(text).toContain('Is this wrong?');
  });

  it('tells the history of the verdict, newest first', async () => {
    const { history } = await getJson<{ history: { from: string | null; to: string }[] }>(
      `${modelPath(WRONG)}.json`,
    );
    expect(history.map((row) => [row.from, row.to])).toEqual([
      ['consistent', 'contradicted'],
      [null, 'consistent'],
    ]);
  });

  it('folds a crowd of children into a line that leads to all of them', async () => {
    const { text } = await get(modelPath(ROOT));
    const more = /href="([^"]+)"[^>]*class="group".*?>and (\d+) more quantized</.exec(text);
    const drawn = [...text.matchAll(/class="node"><circle[^>]*\/><text[^>]*><tspan class="owner">packer\//g)];
    expect(Number(more![2]) + drawn.length).toBe(QUANTIZED);
    const list = await get(more![1]!.replaceAll('&amp;', '&'));
    expect([...list.text.matchAll(/class="repo" href="\/models\/packer\//g)]).toHaveLength(QUANTIZED);
  });

  it('follows case and says what else a wrong name could be', async () => {
    expect((await get('/models/ALPACA/base-7b')).text).toContain('Base-7B');
    const missing = await get('/models/alpaca/Bose-7B');
    expect(missing.status).toBe(404);
    expect(missing.text).toContain(`href="${modelPath(ROOT)}"`);
    expect(await getJson('/models/alpaca/Bose-7B.json')).toMatchObject({
      error: { status: 404, nearest: expect.arrayContaining([ROOT]) },
    });
  });
});

describe('an edge page', () => {
  it('adds the findings up to the probability of the edge', async () => {
    const data = await getJson<{
      logOdds: number;
      probabilityOfSum: number;
      edge: { probability: number };
      evidence: { logOdds: number }[];
    }>(`${edgePath(WRONG, ROOT)}.json`);
    expect(data.logOdds).toBeCloseTo(
      data.evidence.reduce((sum, row) => sum + row.logOdds, 0),
      9,
    );
    expect(data.probabilityOfSum).toBeCloseTo(data.edge.probability, 9);
    const { text } = await get(edgePath(WRONG, ROOT));
    expect(text).toContain('the probability of the edge.');
    expect(text).toContain('For it: The distance is 1 %. Against it: It is younger than the child.');
  });

  it('says so when the findings do not add up to it', async () => {
    const { text } = await get(edgePath(WRONG, 'guanaco/Other-Base'));
    expect(text).toContain('is not ruled out');
    const adds = await get(edgePath(HOSTILE_REPO, ROOT));
    expect(adds.text).toContain('does not make its probability from these findings alone');
  });

  it('shows the candidates that lost, also those without an edge', async () => {
    const { candidates } = await getJson<{ candidates: { parent: string; edge: unknown }[] }>(
      `${edgePath(WRONG, ROOT)}.json`,
    );
    expect(candidates.map((row) => [row.parent, row.edge !== null])).toEqual([
      [ROOT, true],
      ['guanaco/Other-Base', true],
      ['kestrel/Orphan', false],
    ]);
    expect((await get(edgePath(WRONG, 'kestrel/Orphan'))).text).toContain('and lost.');
    expect((await get(edgePath(WRONG, 'packer/Base-7B-Q0'))).status).toBe(404);
  });
});

describe('behaviour', () => {
  interface Compared {
    other: string;
    similarity: number;
  }

  it('stands apart from the findings, and adds nothing to them', async () => {
    const data = await getJson<{
      behaviour: Compared;
      evidence: unknown[];
      candidates: { findings: number }[];
    }>(`${edgePath(HOSTILE_REPO, ROOT)}.json`);
    expect(data.behaviour.similarity).toBe(0.5);
    expect([data.evidence.length, data.candidates[0]!.findings]).toEqual([1, 1]);
    expect((await get(edgePath(HOSTILE_REPO, ROOT))).text).toContain('Behaviour, apart from the arithmetic');
    expect((await get(edgePath(WRONG, ROOT))).text).not.toContain('Behaviour');
  });

  it('is what is known of a model whose weights were not read', async () => {
    const { nearestByBehaviour } = await getJson<{ nearestByBehaviour: Compared[] }>(
      '/models/kestrel/Broken.json',
    );
    expect(nearestByBehaviour).toMatchObject([{ other: ROOT, similarity: 0.75 }]);
    const { text } = await get('/models/kestrel/Broken');
    expect(text).toContain('not who was made from whom');
    // a comparison is no edge: there is no page that would say so
    expect((await get(edgePath('kestrel/Broken', ROOT))).status).toBe(404);
  });
});

describe('what is turned away', () => {
  it('is told on a page with a status: parameters, addresses, methods, names', async () => {
    expect((await get('/flagged?verdict=contradictd')).text).toContain('Did you mean contradicted?');
    const cases: [string, number, Partial<ExplorerRequest>?, Partial<ExplorerOptions>?][] = [
      ['/flagged?verdict=nope', 400],
      ['/flagged?verdicts=contradicted', 400],
      ['/flagged?minDownloads=-1', 400],
      ['/flagged?minDownloads=1e9', 400],
      ['/flagged?after=x', 400],
      ['/families?page=0', 400],
      ['/failures?stage=fingerprint', 400],
      ['/%E0%A4%A', 400],
      ['/runs/first', 404],
      ['/runs/999', 404],
      ['/nothing/here', 404],
      ['/edges/a/b', 404],
      [`/${'a'.repeat(MAX_URL_CHARS)}`, 414],
      ['/', 405, { method: 'POST' }],
      ['/', 421, { headers: { host: 'attacker.example' } }, { hosts: ['localhost'] }],
      ['/', 200, { headers: { host: 'localhost:7878' } }, { hosts: ['localhost'] }],
    ];
    for (const [url, status, request, options] of cases) {
      const response = await get(url, request, options);
      expect(`${url.slice(0, 40)} ${response.status}`).toBe(`${url.slice(0, 40)} ${status}`);
      expect(response.headers['content-security-policy']).toContain("default-src 'none'");
      expect(response.text).toContain('<h1>');
    }
    expect((await get('/', { method: 'POST' })).headers.allow).toBe('GET, HEAD');
  });

  it('no address makes it fail', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        'a',
        'from',
        '..',
        '.',
        '',
        '.json',
        'virtual',
        'alpaca',
        'Base-7B',
        '%00',
        '%',
        '~',
        '1e9',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
    );
    const base = fc.constantFrom(...ROUTES.map((route) => route.path), '/assets/', '/x/');
    const names = fc.constantFrom(...ROUTES.flatMap((route) => route.params), 'p.x', 'other');
    const query = fc.array(fc.tuple(names, word), { maxLength: 3 });
    const quiet = explorer({
      // the SQL page has its own tests; a process a query is too slow for hundreds
      sql: null,
      onError: (error) => {
        throw error;
      },
    });
    await fc.assert(
      fc.asyncProperty(base, fc.array(word, { maxLength: 5 }), query, async (path, parts, pairs) => {
        const url = `${path}${parts.join('/')}${pairs.length === 0 ? '' : '?'}${pairs.map(([k, v]) => `${k}=${v}`).join('&')}`;
        const { status } = await quiet.handle({ method: 'GET', url });
        expect([200, 400, 404]).toContain(status);
      }),
      { numRuns: 400 },
    );
  });

  it('more requests at once than allowed are asked to come again', async () => {
    let release = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const busy = createExplorer({
      ...SAMPLE_OPTIONS,
      maxConcurrent: 1,
      store: {
        ...store,
        listRuns: async (...args) => {
          await slow;
          return store.listRuns(...args);
        },
      },
    });
    const first = busy.handle({ method: 'GET', url: '/' });
    const second = await busy.handle({ method: 'GET', url: '/' });
    expect([second.status, second.headers['retry-after']]).toEqual([503, '2']);
    release();
    expect((await first).status).toBe(200);
    expect((await busy.handle({ method: 'GET', url: '/' })).status).toBe(200);
  });

  it('an error is told to the operator and not to the reader', async () => {
    const errors: unknown[] = [];
    const broken = {
      ...store,
      readView: async () => {
        throw new Error('secret detail');
      },
    };
    const response = await get('/flagged', {}, { store: broken, onError: (error) => errors.push(error) });
    expect(response.status).toBe(500);
    expect(response.text).not.toContain('secret');
    expect(errors).toHaveLength(1);
  });
});

describe('HTTP', () => {
  it('HEAD has the headers and no body; a known ETag is answered 304', async () => {
    const full = await get('/about');
    const head = await get('/about', { method: 'HEAD' });
    expect(head.headers).toEqual(full.headers);
    expect(head.text).toBe('');
    expect(Number(full.headers['content-length'])).toBe(Buffer.byteLength(full.text));
    const again = await get('/about', { headers: { 'if-none-match': full.headers.etag! } });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('assets may be kept, under a version that changes with them', async () => {
    const { text } = await get('/');
    const href = /href="(\/assets\/explorer\.css\?v=[\w-]+)"/.exec(text)![1]!;
    const css = await get(href);
    expect(css.headers['content-type']).toBe('text/css; charset=utf-8');
    expect(css.headers['cache-control']).toContain('max-age');
  });
});

describe('lists', () => {
  it('go on where the page before ended, without losing or repeating a model', async () => {
    const seen: string[] = [];
    let url: string | null = '/flagged?verdict=confirmed&verdict=unresolved';
    while (url !== null) {
      const [path_, query] = url.split('?');
      const page: { rows: { repo: string }[]; nextUrl: string | null } = await getJson(
        `${path_}.json?${query}`,
      );
      seen.push(...page.rows.map((row) => row.repo));
      url = page.nextUrl;
    }
    expect(seen).toHaveLength(QUANTIZED + 2);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('search finds what begins with the words and what is spelled alike', async () => {
    const names = async (q: string) =>
      (await getJson<{ results: { repo: string }[] }>(`/search.json?q=${encodeURIComponent(q)}`)).results.map(
        (row) => row.repo,
      );
    expect(await names('north')).toEqual([WRONG]);
    expect((await names('alpaca/base'))[0]).toBe(ROOT);
    expect((await names('base-7')).slice(0, 2)).toContain(ROOT);
  });

  it('a family is shown by its root, whoever is asked for', async () => {
    const data = await getJson<{ root: string; members: unknown[] }>(`/families/${WRONG}.json`);
    expect(data.root).toBe(ROOT);
    expect(data.members).toHaveLength(QUANTIZED + 4);
  });
});

describe('SQL', () => {
  it('answers one reading statement, and tells what is refused', async () => {
    const ok = await get('/sql?sql=SELECT%20repo%20FROM%20models%20ORDER%20BY%20repo%20LIMIT%201');
    expect(ok.text).toContain(`href="${modelPath(ROOT)}"`);
    const refused = await get('/sql?sql=DROP%20TABLE%20t_repos');
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('role="alert"');
  });

  it('runs saved queries with their parameters', async () => {
    const { text } = await get(`/sql?saved=ancestors&p.repo=${encodeURIComponent(WRONG)}`);
    expect(text).toContain(`href="${modelPath(ROOT)}"`);
    const form = await get('/sql?saved=ancestors');
    expect(form.status).toBe(200);
    expect(form.text).toContain('name="p.repo"');
    expect((await get('/sql?saved=ancestor')).text).toContain('did you mean @ancestors?');
  });

  it('is not there when it is off', async () => {
    const off = await get('/sql?sql=SELECT%201', {}, { sql: null });
    expect(off.status).toBe(404);
    expect((await get('/', {}, { sql: null })).text).not.toContain('href="/sql"');
  });
});

describe('for machines', () => {
  it('health tells the last run and how old the conclusions are', async () => {
    const health = await getJson('/health');
    expect(health).toMatchObject({ status: 'ok', lastRun: { status: 'done' } });
    expect(health.conclusionsAgeSeconds).toBeGreaterThan(0);
    const failing = await get(
      '/health',
      {},
      {
        store: {
          ...store,
          listRuns: async () => {
            throw new HublineageError('DatabaseInvalid', 'the index is damaged');
          },
        },
      },
    );
    expect(failing.status).toBe(503);
    expect(JSON.parse(failing.text)).toMatchObject({ status: 'failing', message: 'the index is damaged' });
  });

  it('metrics are Prometheus text: help, type, samples, and the requests so far', async () => {
    const one = explorer();
    await one.handle({ method: 'GET', url: '/about' });
    const text = String((await one.handle({ method: 'GET', url: '/metrics' })).body);
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? -?[\d.e+-]+)$/,
      );
    expect(text).toContain('hublineage_verdicts{verdict="contradicted"} 1');
    expect(text).toContain('hublineage_explorer_requests_total{page="about",status="200"} 1');
  });
});
