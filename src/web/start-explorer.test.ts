import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../store/index.ts';
import { makePath } from '../store/testing/sample-index.ts';
import { isLoopback, type RunningExplorer, startExplorer } from './start-explorer.ts';
import { fillSampleExplorer, SAMPLE_OPTIONS, WRONG } from './testing/sample-explorer.ts';

let store: Store;
let running: RunningExplorer;

beforeAll(async () => {
  const path = makePath();
  await fillSampleExplorer(path);
  store = await openStore(path, { readonly: true });
  running = await startExplorer({ store, ...SAMPLE_OPTIONS, hosts: ['127.0.0.1'] });
});
afterAll(async () => {
  await running.close();
  await store.close();
});

/** fetch sets Host itself, so a foreign one needs a request of its own. */
function ask(headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(running.url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('startExplorer', () => {
  it('serves pages, assets and JSON over HTTP, on loopback when nothing else is asked for', async () => {
    expect(running.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const page = await fetch(`${running.url}/models/${WRONG}`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Wrong-Card')]);
    const icon = await fetch(`${running.url}/assets/icon.svg`);
    expect(await icon.text()).toContain('<svg');
    const head = await fetch(running.url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1000);
  });

  it('takes no bodies, no huge headers, no names that are not its own', async () => {
    expect((await fetch(running.url, { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(405);
    expect(await ask({ 'x-large': 'x'.repeat(20_000) })).toBe(431);
    expect(await ask({ host: 'attacker.example' })).toBe(421);
  });

  it('says what to do when the port is taken', async () => {
    const port = Number(new URL(running.url).port);
    await expect(startExplorer({ store, ...SAMPLE_OPTIONS, port })).rejects.toMatchObject({
      code: 'UsageInvalid',
      hint: 'Choose another --port, or 0 for any free one.',
    });
  });

  it('knows what only this machine can reach', () => {
    for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', '::1']) expect(isLoopback(host)).toBe(true);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', ''])
      expect(isLoopback(host)).toBe(false);
  });
});
