import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export const COMMIT = 'c'.repeat(40);
export type Route = 'list' | 'info' | 'tree' | 'resolve' | 'cache' | 'cdn';

export interface FakeRequest {
  route: Route;
  /** from 1, per route */
  number: number;
  url: URL;
  headers: IncomingMessage['headers'];
  res: ServerResponse;
}

export interface FakeHubOptions {
  /** rows of the listing, oldest first */
  rows?: unknown[];
  /** of the one repo `owner/name`; `lfs` files live on the CDN */
  files?: Record<string, { bytes: Uint8Array; lfs?: boolean }>;
  /** Answers a request itself and returns true: that is what goes wrong. */
  fault?: (request: FakeRequest) => boolean | undefined;
  /** seconds a signed address lives */
  signatureSeconds?: number;
  gzip?: boolean;
}

export interface FakeHub {
  origin: string;
  cdnOrigin: string;
  requests: FakeRequest[];
  count: (route: Route) => number;
  close: () => Promise<void>;
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export function toRow(number: number, fields: Record<string, unknown> = {}) {
  const id = (0x60000000 + number).toString(16) + '0'.repeat(16);
  return { _id: id, id: `owner/model-${number}`, sha: COMMIT, tags: [], ...fields };
}

/** Two origins on loopback that answer as the Hub and its CDN do, as far as these tests look. Everything else is minihub's business. */
export async function startFakeHub(options: FakeHubOptions = {}): Promise<FakeHub> {
  const requests: FakeRequest[] = [];
  const files = options.files ?? {};
  const signatures = new Map<string, { path: string; expiresMs: number }>();
  let cdnOrigin = '';
  let origin = '';

  const hub = createServer((req, res) => {
    const url = new URL(req.url ?? '/', origin);
    const route = toRoute(url.pathname);
    if (route === null) return void send(res, 404, 'Sorry');
    serve(route, url, req, res);
  });
  const cdn = createServer((req, res) => serve('cdn', new URL(req.url ?? '/', cdnOrigin), req, res));

  function serve(route: Route, url: URL, req: IncomingMessage, res: ServerResponse): void {
    const number = requests.filter((earlier) => earlier.route === route).length + 1;
    const request = { route, number, url, headers: req.headers, res };
    requests.push(request);
    if (route !== 'cdn') {
      const bucket = route === 'resolve' || route === 'cache' ? 'resolvers' : 'api';
      res.setHeader('RateLimit', `"${bucket}";r=400;t=100`);
      res.setHeader('RateLimit-Policy', `"fixed window";"${bucket}";q=500;w=300`);
    }
    if (options.fault?.(request)) return;
    answers[route](request);
  }

  const answers: Record<Route, (request: FakeRequest) => void> = {
    list: ({ url, res, headers }) => {
      const rows = options.rows ?? [];
      const start = Number(url.searchParams.get('cursor') ?? 0);
      const end = start + Number(url.searchParams.get('limit') ?? 1000);
      if (end < rows.length) {
        url.searchParams.set('cursor', String(end));
        res.setHeader('Link', `<${url.href}>; rel="next"`);
      }
      json(res, rows.slice(start, end), options.gzip && /gzip/.test(String(headers['accept-encoding'])));
    },
    info: ({ res }) => {
      const siblings = Object.entries(files).map(([rfilename, { bytes, lfs }]) => ({
        rfilename,
        size: bytes.length,
        blobId: 'b'.repeat(40),
        ...(lfs ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
      }));
      json(res, { ...toRow(1), id: 'owner/name', siblings });
    },
    tree: ({ res }) => {
      json(
        res,
        Object.entries(files).map(([path, { bytes }]) => ({ type: 'file', path, size: bytes.length })),
      );
    },
    resolve: ({ url, res }) => {
      const path = decodeURIComponent(url.pathname.split('/').slice(5).join('/'));
      const file = files[path];
      res.setHeader('X-Repo-Commit', COMMIT);
      if (file === undefined) {
        res.setHeader('X-Error-Code', 'EntryNotFound');
        res.setHeader('X-Error-Message', 'Entry not found');
        return send(res, 404, 'Entry not found');
      }
      if (!file.lfs) {
        res.setHeader(
          'Location',
          `/api/resolve-cache/models/owner/name/${COMMIT}/${encodeURIComponent(path)}`,
        );
        return send(res, 307, 'Temporary Redirect');
      }
      const signature = String(signatures.size);
      const lifeMs = (options.signatureSeconds ?? 3600) * 1000;
      signatures.set(signature, { path, expiresMs: Date.now() + lifeMs });
      const expires = Math.floor((Date.now() + lifeMs) / 1000);
      res.setHeader('Location', `${cdnOrigin}/xet/${signature}?Expires=${expires}&Signature=s~${signature}`);
      res.setHeader('X-Linked-Size', file.bytes.length);
      res.setHeader('X-Linked-ETag', `"${sha256(file.bytes)}"`);
      send(res, 302, 'Found. Redirecting');
    },
    cache: ({ url, res, headers }) => {
      const path = decodeURIComponent(url.pathname.split('/').slice(7).join('/'));
      sendBytes(res, files[path]!.bytes, headers.range);
    },
    cdn: ({ url, res, headers }) => {
      const signature = signatures.get(url.pathname.split('/')[2] ?? '');
      if (headers.authorization !== undefined) return send(res, 400, 'a token came to the CDN');
      if (signature === undefined || signature.expiresMs < Date.now()) return send(res, 403, 'expired');
      sendBytes(res, files[signature.path]!.bytes, headers.range);
    },
  };

  origin = await listen(hub);
  cdnOrigin = await listen(cdn);
  return {
    origin,
    cdnOrigin,
    requests,
    count: (route) => requests.filter((request) => request.route === route).length,
    close: async () => {
      for (const server of [hub, cdn]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

export function json(res: ServerResponse, value: unknown, gzip?: boolean): void {
  const body = Buffer.from(JSON.stringify(value));
  res.setHeader('content-type', 'application/json; charset=utf-8');
  if (gzip) res.setHeader('content-encoding', 'gzip');
  res.end(gzip ? gzipSync(body) : body);
}

export function send(res: ServerResponse, status: number, text: string): void {
  res.statusCode = status;
  res.end(text);
}

export function sendBytes(res: ServerResponse, bytes: Uint8Array, range: string | undefined): void {
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? '');
  if (match === null) {
    res.setHeader('content-length', bytes.length);
    res.end(bytes);
    return;
  }
  const [start, end] = [Number(match[1]), Math.min(Number(match[2]), bytes.length - 1)];
  if (start >= bytes.length) {
    res.writeHead(416, { 'content-range': `bytes */${bytes.length}` });
    res.end();
    return;
  }
  res.writeHead(206, {
    'content-range': `bytes ${start}-${end}/${bytes.length}`,
    'content-length': end - start + 1,
  });
  res.end(bytes.subarray(start, end + 1));
}

function toRoute(path: string): Route | null {
  if (path === '/api/models') return 'list';
  if (path.startsWith('/api/resolve-cache/')) return 'cache';
  if (path.includes('/tree/')) return 'tree';
  if (path.startsWith('/api/models/')) return 'info';
  return path.includes('/resolve/') ? 'resolve' : null;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
