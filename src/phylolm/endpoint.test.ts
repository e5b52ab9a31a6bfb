import { describe, expect, it } from 'vitest';
import { connect, serve, text } from './testing/fake-endpoint.ts';

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
      message: 'The endpoint answered with something that is not JSON ("<html>").',
      hint: expect.stringContaining('/v1'),
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

  it('passes on what a refusal says, and nothing that could steer a terminal', async () => {
    const hub = await serve(() => ({
      status: 400,
      body: { error: { message: `no\u001b[31m completions for chat models ${'x'.repeat(9999)}` } },
    }));
    const refused = connect(hub.url).endpoint.complete('a', 'p', 0);
    await expect(refused).rejects.toThrow(
      /^The endpoint answered with status 400 \("no \[31m completions for chat/,
    );
    await expect(refused).rejects.toSatisfy((error: Error) => error.message.length < 300);
  });

  it('that drips its answer is hung up on', async () => {
    const hub = await serve(() => ({ body: '', drip: 20 }));
    const { endpoint } = connect(hub.url, { timeoutMs: 100, tries: 2 });
    await expect(endpoint.complete('a', 'p', 0)).rejects.toMatchObject({ code: 'HubTimeout' });
    expect(hub.asked.length).toBe(2);
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
