import { HublineageError, isHublineageError } from '../types/errors.ts';
import { type Assets, loadAssets } from './assets.ts';
import type {
  Explorer,
  ExplorerOptions,
  ExplorerRequest,
  ExplorerResponse,
  Page,
  PageRequest,
} from './contract.ts';
import { type Answer, toResponse } from './headers.ts';
import { html } from './html.ts';
import { renderDocument } from './layout.ts';
import { splitEdge } from './links.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { errorPage, notFoundPage } from './pages/error.ts';
import { readParams } from './params.ts';
import { type Match, matchRoutes } from './router.ts';
import { createSnapshots, type Snapshot } from './snapshot.ts';

/** Characters of path and query; a request line beyond it is no page of ours. */
export const MAX_URL_CHARS = 8_192;

const HTML_TYPE = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** The explorer without its sockets: requests in, responses out. */
export function createExplorer(options: ExplorerOptions): Explorer {
  const now = options.now ?? (() => new Date());
  const assets = loadAssets();
  const metrics = createMetrics();
  const snapshots = createSnapshots(options, now);
  const maxConcurrent = options.maxConcurrent ?? 64;
  let working = 0;

  async function answer(request: ExplorerRequest): Promise<{ kind: string; answer: Answer }> {
    const refused = refuse(request, options, working > maxConcurrent);
    if (refused !== null)
      return { kind: 'refused', answer: { ...toAnswer(refused, null, options, assets), ...refused.extra } };
    const url = parseUrl(request.url);
    if (url === null) {
      const page = errorPage(400, 'This address cannot be read', 'Check it for stray percent signs.');
      return { kind: 'refused', answer: toAnswer({ page, url: '/' }, null, options, assets) };
    }
    const asset = answerAsset(url.path, assets);
    if (asset !== null) return { kind: 'asset', answer: asset };
    if (url.path === '/health') return { kind: 'health', answer: await answerHealth(snapshots, now()) };
    if (url.path === '/metrics')
      return { kind: 'metrics', answer: await answerMetrics(snapshots, metrics, now()) };
    const snapshot = await snapshots();
    const context = { store: options.store, options, snapshot, now: now(), isStatic: false };
    const { page, kind, asJson } = await findPage(url, context);
    return { kind, answer: toAnswer({ page, url: request.url, asJson }, snapshot, options, assets) };
  }

  return {
    async handle(request) {
      const started = performance.now();
      working++;
      let kind = 'error';
      let result: Answer;
      try {
        const done = await answer(request);
        kind = done.kind;
        result = done.answer;
      } catch (error) {
        result = toAnswer(explain(error, request.url, options), null, options, assets);
      } finally {
        working--;
      }
      metrics.observe(kind, result.status, (performance.now() - started) / 1000);
      const ifNoneMatch = request.headers?.['if-none-match'];
      return toResponse(result, {
        method: request.method,
        ifNoneMatch: typeof ifNoneMatch === 'string' ? ifNoneMatch : undefined,
      });
    },
  };
}

export interface ParsedUrl {
  /** decoded */
  path: string;
  search: URLSearchParams;
}

/** null when the percent signs make no sense. */
export function parseUrl(url: string): ParsedUrl | null {
  const at = url.indexOf('?');
  try {
    return {
      path: decodeURIComponent(at < 0 ? url : url.slice(0, at)),
      search: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
    };
  } catch {
    return null;
  }
}

/**
 * The page at an address. Of two readings of a path the one that is found is taken; a mistake in the parameters is told on a page too.
 */
export async function findPage(
  url: ParsedUrl,
  context: Omit<PageRequest, 'subject' | 'params'>,
): Promise<{ page: Page; kind: string; asJson: boolean }> {
  const matches = matchRoutes(url.path);
  let last: { page: Page; kind: string; asJson: boolean } | null = null;
  for (const match of matches) {
    if (matches.length > 1 && !match.asJson && !(await isNamed(match, context))) continue;
    const page = await runRoute(match, url, context);
    last = { page, kind: match.route.kind, asJson: match.asJson };
    if (page.status !== 404) return last;
  }
  if (last !== null) return last;
  const names = await context.store.suggestRepos(url.path.replace(/^\/+/, '').slice(0, 200), 8);
  return {
    page: notFoundPage(url.path.slice(0, 200), names, context.isStatic),
    kind: 'not-found',
    asJson: url.path.endsWith('.json'),
  };
}

/** Whether a repo's name really ends in `.json`: asked first, because a page that is not found looks for names nearby, which takes time. */
async function isNamed({ route, subject }: Match, { store }: Pick<PageRequest, 'store'>): Promise<boolean> {
  const name = route.kind === 'edge' ? splitEdge(subject)?.parent : subject;
  return name !== undefined && (await store.findRepo(name)) !== null;
}

async function runRoute(
  { route, subject }: Match,
  url: ParsedUrl,
  context: Omit<PageRequest, 'subject' | 'params'>,
): Promise<Page> {
  try {
    return await route.handler({ ...context, subject, params: readParams(url.search, route.params) });
  } catch (error) {
    if (isHublineageError(error, 'UsageInvalid') || isHublineageError(error, 'SqlRefused'))
      return errorPage(400, error.message, error.hint ?? 'Check the address.', { code: error.code });
    throw error;
  }
}

interface Drawn {
  page: Page;
  url: string;
  asJson?: boolean;
}

function toAnswer(
  { page, url, asJson = false }: Drawn,
  snapshot: Snapshot | null,
  options: ExplorerOptions,
  assets: Assets,
): Answer {
  const status = page.status ?? 200;
  if (asJson) return { status, type: JSON_TYPE, body: `${JSON.stringify(page.data, null, 2)}\n` };
  const frame = { url: withoutJson(url), options, snapshot, isStatic: false, assetVersion: assets.version };
  return { status, type: HTML_TYPE, body: renderDocument(page, frame).text };
}

/** Error pages of JSON twins are HTML only for people; the footer's own link must not grow. */
const withoutJson = (url: string) => url.slice(0, MAX_URL_CHARS);

/** What is turned away before any work is done. */
function refuse(
  request: ExplorerRequest,
  options: ExplorerOptions,
  isFull: boolean,
): (Drawn & { extra: { headers?: Record<string, string> } }) | null {
  const no = (page: Page, headers?: Record<string, string>) => ({
    page,
    url: '/',
    extra: headers === undefined ? {} : { headers },
  });
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return no(errorPage(405, 'Only reading is possible here', 'Use GET or HEAD.'), { allow: 'GET, HEAD' });
  if (request.url.length > MAX_URL_CHARS)
    return no(errorPage(414, 'This address is too long', `It may have ${MAX_URL_CHARS} characters.`));
  if (options.hosts !== undefined && !options.hosts.includes(hostOf(request)))
    return no(
      errorPage(
        421,
        'This server does not answer to that name',
        html`It answers to ${options.hosts.join(', ')}; <code>--allow-host NAME</code> adds another.`,
      ),
    );
  if (isFull)
    return no(errorPage(503, 'Too many requests at once', 'Try again in a moment.'), { 'retry-after': '2' });
  return null;
}

/** `localhost:8080` -> `localhost`, `[::1]:8080` -> `[::1]` */
function hostOf(request: ExplorerRequest): string {
  const host = request.headers?.host;
  return typeof host === 'string' ? host.replace(/:\d+$/, '').toLowerCase() : '';
}

function answerAsset(path: string, assets: Assets): Answer | null {
  const prefix = '/assets/';
  const file = path.startsWith(prefix) ? assets.files.get(path.slice(prefix.length)) : undefined;
  if (file === undefined) return null;
  return {
    status: 200,
    type: file.type,
    body: file.body,
    headers: { 'cache-control': 'public, max-age=86400' },
  };
}

async function answerHealth(snapshots: () => Promise<Snapshot>, now: Date): Promise<Answer> {
  const reply = (status: number, data: unknown): Answer => ({
    status,
    type: JSON_TYPE,
    body: `${JSON.stringify(data, null, 2)}\n`,
    headers: { 'cache-control': 'no-store' },
  });
  try {
    const { lastRun, lastDone } = await snapshots();
    const ageSeconds = (iso: string | null | undefined) =>
      iso == null ? null : Math.max(0, Math.round((now.getTime() - Date.parse(iso)) / 1000));
    return reply(200, {
      status: 'ok',
      database: 'readable',
      lastRun,
      conclusionsAt: lastDone?.finishedAt ?? null,
      conclusionsAgeSeconds: ageSeconds(lastDone?.finishedAt),
    });
  } catch (error) {
    return reply(503, {
      status: 'failing',
      database: 'unreadable',
      message: error instanceof HublineageError ? error.message : 'the index cannot be read',
    });
  }
}

async function answerMetrics(
  snapshots: () => Promise<Snapshot>,
  metrics: Metrics,
  now: Date,
): Promise<Answer> {
  const snapshot = await snapshots().catch(() => null);
  return {
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    body: metrics.render(snapshot, now),
    headers: { 'cache-control': 'no-store' },
  };
}

/** Coded errors are told, anything unforeseen goes to the operator and not to the reader. */
function explain(error: unknown, url: string, options: ExplorerOptions): Drawn {
  if (isHublineageError(error, 'DatabaseInvalid'))
    return { page: errorPage(503, 'The index cannot be read', error.message), url: '/' };
  options.onError?.(error, url);
  return {
    page: errorPage(500, 'Something went wrong', 'The operator has been told. The other pages may work.'),
    url: '/',
  };
}

export type { ExplorerResponse };
