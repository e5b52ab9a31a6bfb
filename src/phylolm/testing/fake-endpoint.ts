import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { createEndpoint, type Endpoint, type EndpointOptions } from '../endpoint.ts';
import type { Clock } from '../pace.ts';

export interface Asked {
  path: string;
  body: Record<string, unknown>;
  authorization: string | undefined;
}
/** `drip`: the body one character a so many ms, for ever. */
export type Answer = { status?: number; headers?: Record<string, string>; body: unknown; drip?: number };

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A loopback inference service; `answer` sees each request with its number. */
export async function serve(answer: (asked: Asked, number: number) => Answer) {
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
      const { status = 200, headers = {}, body, drip } = answer(one, asked.length);
      setTimeout(() => {
        open--;
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        if (drip === undefined) response.end(typeof body === 'string' ? body : JSON.stringify(body));
        else {
          const timer = setInterval(() => response.write(' '), drip);
          response.on('close', () => clearInterval(timer));
        }
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

/** A clock that sleeping alone moves, and what was slept. */
export function createFakeClock(): Clock & { slept: number[]; at(): number } {
  let now = Date.UTC(2026, 0, 1);
  const start = now;
  const slept: number[] = [];
  return {
    slept,
    at: () => now - start,
    now: () => now,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      slept.push(ms);
      const until = now + ms;
      // others go on meanwhile, as they would
      await new Promise((resolve) => setImmediate(resolve));
      now = Math.max(now, until);
    },
  };
}

export function connect(url: string, options: Partial<EndpointOptions> = {}) {
  const clock = createFakeClock();
  const waits: number[] = [];
  const endpoint: Endpoint = createEndpoint({
    url,
    kind: 'openai',
    key: null,
    maxTokens: 5,
    temperature: 0.7,
    timeoutMs: 2000,
    tries: 3,
    signal: new AbortController().signal,
    clock,
    onWait: (ms) => waits.push(ms),
    ...options,
  });
  return { endpoint, clock, waits };
}

export const text = (completion: string): Answer => ({ body: { choices: [{ text: completion }] } });
