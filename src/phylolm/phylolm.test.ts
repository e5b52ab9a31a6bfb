import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { askModels } from './ask-models.ts';
import { compareByBehaviour } from './compare.ts';
import { drawTree } from './draw-tree.ts';
import { createEndpoint, type EndpointOptions } from './endpoint.ts';
import { readCompletions, readGenes } from './read-completions.ts';

interface Asked {
  path: string;
  body: Record<string, unknown>;
  authorization: string | undefined;
}
type Answer = { status?: number; headers?: Record<string, string>; body: unknown };

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A loopback inference service; `answer` sees each request with its number. */
async function serve(answer: (asked: Asked, number: number) => Answer) {
  const asked: Asked[] = [];
  let open = 0;
  const seen = { most: 0 };
  const server: Server = createServer((request, response) => {
    open++;
    seen.most = Math.max(seen.most, open);
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        body: JSON.parse(text) as Record<string, unknown>,
        authorization: request.headers.authorization,
      };
      asked.push(one);
      const { status = 200, headers = {}, body } = answer(one, asked.length);
      setTimeout(() => {
        open--;
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      }, 2);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, seen };
}

function connect(url: string, options: Partial<EndpointOptions> = {}) {
  const waits: number[] = [];
  const endpoint = createEndpoint({
    url,
    kind: 'openai',
    key: null,
    maxTokens: 5,
    temperature: 0.7,
    timeoutMs: 2000,
    tries: 3,
    signal: new AbortController().signal,
    wait: async (ms) => {
      waits.push(ms);
    },
    ...options,
  });
  return { endpoint, waits };
}

const text = (completion: string): Answer => ({ body: { choices: [{ text: completion }] } });

describe('an OpenAI-compatible endpoint', () => {
  it('is asked for a completion of the prompt, with the key', async () => {
    const hub = await serve(() => text(' hello'));
    const { endpoint } = connect(`${hub.url}/v1/`, { key: 'secret' });
    expect(await endpoint.complete('org/a', 'Once', 7)).toBe(' hello');
    expect(hub.asked).toEqual([
      {
        path: '/v1/completions',
        body: { model: 'org/a', prompt: 'Once', max_tokens: 5, temperature: 0.7, seed: 7 },
        authorization: 'Bearer secret',
      },
    ]);
  });

  it('is waited for as long as it says, at no cost in tries', async () => {
    const hub = await serve((_, number) =>
      number <= 6 ? { status: 429, headers: { 'retry-after': '3' }, body: {} } : text('x'),
    );
    const { endpoint, waits } = connect(hub.url);
    expect(await endpoint.complete('a', 'p', 0)).toBe('x');
    expect(waits).toEqual([3000, 3000, 3000, 3000, 3000, 3000]);
  });

  it('gets longer and longer pauses when it says nothing', async () => {
    const hub = await serve((_, number) => (number <= 3 ? { status: 429, body: {} } : text('x')));
    const { endpoint, waits } = connect(hub.url);
    await endpoint.complete('a', 'p', 0);
    expect(waits).toEqual([1000, 2000, 4000]);
  });

  it('is tried again when it fails, and given up after its tries', async () => {
    const flaky = await serve((_, number) => (number < 3 ? { status: 500, body: 'oops' } : text('x')));
    expect(await connect(flaky.url).endpoint.complete('a', 'p', 0)).toBe('x');
    const broken = await serve(() => ({ body: '<html>' }));
    await expect(connect(broken.url).endpoint.complete('a', 'p', 0)).rejects.toMatchObject({
      code: 'HubBadAnswer',
    });
    expect(broken.asked.length).toBe(3);
  });

  it.each([
    [401, 'HubAuth'],
    [404, 'ModelUnknown'],
    [400, 'HubBadAnswer'],
    [302, 'HubBadAnswer'],
  ])('is not asked again after a %d', async (status, code) => {
    const hub = await serve(() => ({ status, headers: { location: 'http://127.0.0.1:1/' }, body: {} }));
    await expect(connect(hub.url).endpoint.complete('a', 'p', 0)).rejects.toMatchObject({ code });
    expect(hub.asked.length).toBe(1);
  });

  it('cannot fill the memory', async () => {
    const hub = await serve(() => ({ body: 'x'.repeat(1_100_000) }));
    await expect(connect(hub.url).endpoint.complete('a', 'p', 0)).rejects.toMatchObject({
      code: 'BodyTooLarge',
    });
  });

  it.each(['ftp://x', 'nonsense', 'http://user:pw@host/'])('cannot be at %s', (url) => {
    expect(() => connect(url)).toThrow(expect.objectContaining({ code: 'UsageInvalid' }));
  });

  it('leaves no hanging request when stopped', async () => {
    const stop = new AbortController();
    const hub = await serve(() => {
      stop.abort();
      return text('late');
    });
    await expect(
      connect(hub.url, { signal: stop.signal }).endpoint.complete('a', 'p', 0),
    ).rejects.toMatchObject({ code: 'Interrupted' });
  });
});

it('a Hugging Face endpoint is asked under the name of the model', async () => {
  const hub = await serve(() => ({ body: [{ generated_text: 'yes' }] }));
  const { endpoint } = connect(hub.url, { kind: 'hf' });
  expect(await endpoint.complete('org/a b', 'p', 1)).toBe('yes');
  expect(hub.asked[0]).toMatchObject({
    path: '/models/org/a%20b',
    body: { inputs: 'p', parameters: { return_full_text: false, max_new_tokens: 5 } },
  });
});

describe('asking models', () => {
  it('asks every model every gene, never more at once than allowed', async () => {
    const hub = await serve(({ body }) => text(`${String(body.model)}!`));
    const { endpoint } = connect(hub.url);
    const genes = ['1', '2', '3', '4', '5'];
    const found = await askModels(endpoint, { models: ['a', 'b'], genes, probes: 4, concurrency: 3 });
    expect(found.length).toBe(40);
    expect(hub.seen.most).toBeLessThanOrEqual(3);
    expect(found.every(({ model, completion }) => completion === `${model}!`)).toBe(true);
  });

  it('asks only for what an earlier run has not got', async () => {
    const hub = await serve(() => text('new'));
    const { endpoint } = connect(hub.url);
    const known = [
      { model: 'a', prompt: '1', completion: 'old' },
      { model: 'a', prompt: '1', completion: 'old' },
      { model: 'a', prompt: '2', completion: 'old' },
    ];
    await askModels(endpoint, { models: ['a'], genes: ['1', '2'], probes: 2, concurrency: 1, known });
    expect(hub.asked.map(({ body }) => [body.prompt, body.seed])).toEqual([['2', 1]]);
  });

  it('stops at the first failure', async () => {
    const hub = await serve((_, number) => (number === 3 ? { status: 404, body: {} } : text('x')));
    const { endpoint } = connect(hub.url);
    const told: string[] = [];
    await expect(
      askModels(endpoint, {
        models: ['a'],
        genes: ['1'],
        probes: 50,
        concurrency: 1,
        onCompletion: ({ completion }) => told.push(completion),
      }),
    ).rejects.toMatchObject({ code: 'ModelUnknown' });
    expect(told).toEqual(['x', 'x']);
    expect(hub.asked.length).toBe(3);
  });
});

describe('files', () => {
  const file = (content: string) => {
    const dir = mkdtempSync(join(tmpdir(), 'phylolm-'));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'rows');
    writeFileSync(path, content);
    return path;
  };
  const read = async (path: string) => {
    const rows = [];
    for await (const row of readCompletions(path)) rows.push(row);
    return rows;
  };

  it('of completions are read line by line', async () => {
    const row = { model: 'a', prompt: 'p\n', completion: 'c' };
    expect(await read(file(`${JSON.stringify(row)}\r\n\n${JSON.stringify(row)}`))).toEqual([row, row]);
  });

  it.each([
    '{',
    '[]',
    '{"model":"a","prompt":1,"completion":""}',
    '{"model":"","prompt":"","completion":""}',
  ])('with %s in them are refused, with the line', async (line) => {
    const good = '{"model":"a","prompt":"p","completion":"c"}';
    await expect(read(file(`${good}\n${line}`))).rejects.toMatchObject({
      code: 'UsageInvalid',
      where: expect.stringMatching(/line 2$/),
    });
  });

  it('that are missing or one endless line are refused', async () => {
    await expect(read('/nonexistent/file')).rejects.toMatchObject({ code: 'UsageInvalid' });
    await expect(read(file('x'.repeat(2_000_000)))).rejects.toMatchObject({ code: 'UsageInvalid' });
  });

  it('of genes hold texts, strings or objects', async () => {
    const genes = await readGenes(
      file('plain text\n"quoted\\n"\n{"prompt": "from JSON"}\n{ not JSON\nplain text\n'),
    );
    expect(genes).toEqual(['plain text', 'quoted\n', 'from JSON', '{ not JSON']);
  });
});

describe('comparing by behaviour', () => {
  it('puts together those that answer alike, and claims no parents', async () => {
    const answers = { a: 'same', b: 'same', c: 'other', d: 'other' };
    const completions = Object.entries(answers).flatMap(([model, completion]) =>
      Array.from({ length: 40 }, (_, gene) => ({
        model,
        prompt: String(gene),
        // one gene in four is answered by everybody alike, so that nothing is at the floor
        completion: gene % 4 === 0 ? 'common' : completion,
      })),
    );
    const document = await compareByBehaviour(completions);
    expect(document.distance[0]![1]).toBe(0);
    expect(document.distance[0]![2]).toBeCloseTo(-Math.log(10 / 40), 9);
    expect(document.newick).toBe('((a:0,b:0):1.386294,c:0,d:0);');
    expect(document.notes.join(' ')).toMatch(/not who was made from whom/);
  });

  it('needs two models', async () => {
    await expect(compareByBehaviour([{ model: 'a', prompt: 'p', completion: 'c' }])).rejects.toMatchObject({
      code: 'UsageInvalid',
    });
  });

  it('draws names as text, whatever they hold', () => {
    const leaf = (name: string) => ({ name, length: 1, children: [] });
    const svg = drawTree({ name: null, length: 0, children: [leaf('<script>&"'), leaf('b'), leaf('c')] });
    expect(svg).toContain('&lt;script&gt;&amp;&quot;');
    expect(svg).not.toContain('<script');
  });
});
