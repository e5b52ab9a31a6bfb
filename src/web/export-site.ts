import { createHash } from 'node:crypto';
import { loadAssets } from './assets.ts';
import type { ExplorerOptions } from './contract.ts';
import { findPage, parseUrl } from './create-explorer.ts';
import { renderDocument } from './layout.ts';
import { jsonPath, modelPath } from './links.ts';
import { matchRoutes } from './router.ts';
import { createSnapshots } from './snapshot.ts';

export interface SiteOptions extends Omit<ExplorerOptions, 'sql' | 'hosts' | 'maxConcurrent' | 'onError'> {
  /** models that get a page for certain, the most downloaded first; 5,000 when absent */
  maxModels?: number;
  /** pages in all, models included; 40,000 when absent. Links beyond are left out of the pages, not left dangling. */
  maxPages?: number;
  onPage?: (written: number, waiting: number) => void;
  signal?: AbortSignal;
}

export interface SiteSummary {
  pages: number;
  /** two a page (HTML and JSON) and the assets */
  files: number;
  models: number;
  /** models of the index that were not asked for, beyond `maxModels` */
  modelsLeftOut: number;
  /** true when links had to be left out */
  isCut: boolean;
}

const START = ['/', '/flagged', '/families', '/runs', '/failures', '/about'];
/** Pages that answer questions, and lists for which every owner would be another page. */
const NOT_EXPORTED = /^\/(?:search|sql|health|metrics)\b|^\/flagged\?.*\bowner=/;
const MAX_QUERY_CHARS = 80;

/**
 * The explorer as files that work from any folder, also from file://: every page with its JSON twin, links relative, nothing that needs a
 * server. Pages are found by following links from the first ones and from the models; each is written as soon as it is drawn.
 *
 * @param writeFile path inside the site, of plain segments (letters, digits, `_`, `.`, `-`, never beginning with a dot), and its content
 */
export async function exportSite(
  options: SiteOptions,
  writeFile: (path: string, content: string | Uint8Array) => Promise<void>,
): Promise<SiteSummary> {
  const now = options.now ?? (() => new Date());
  const maxModels = options.maxModels ?? 5_000;
  const maxPages = options.maxPages ?? 40_000;
  const assets = loadAssets();
  const explorerOptions: ExplorerOptions = { ...options, sql: null };
  const snapshot = await createSnapshots(explorerOptions, now)();
  const context = { store: options.store, options: explorerOptions, snapshot, now: now(), isStatic: true };

  const models = await options.store.readView('models', { order: 'downloads DESC, repo', limit: maxModels });
  const queue = [...START, ...models.map((model) => modelPath(model.repo))].slice(0, maxPages);
  const known = new Set(queue);
  let isCut = false;
  /** The file a link leads to; null when there will be none. */
  const follow = (url: string): string | null => {
    const page = url.replace(/#.*$/s, '');
    const isJson = known.has(withoutJson(page));
    if (isJson) return toFile(withoutJson(page), 'json');
    if (!known.has(page)) {
      const path = parseUrl(page)?.path;
      if (path === undefined || NOT_EXPORTED.test(page) || matchRoutes(path).length === 0) return null;
      if (known.size >= maxPages) {
        isCut = true;
        return null;
      }
      known.add(page);
      queue.push(page);
    }
    return toFile(page, 'html');
  };

  for (const [name, { body }] of assets.files) await writeFile(`assets/${name}`, body);
  let written = 0;
  for (let i = 0; i < queue.length; i++) {
    const url = queue[i]!;
    options.signal?.throwIfAborted();
    const parsed = parseUrl(url);
    if (parsed === null) continue;
    const { page } = await findPage(parsed, context);
    const frame = {
      url,
      options: explorerOptions,
      snapshot,
      isStatic: true,
      assetVersion: assets.version,
    };
    const file = toFile(url, 'html');
    await writeFile(file, relink(renderDocument(page, frame).text, file, follow));
    await writeFile(toFile(url, 'json'), `${JSON.stringify(page.data, null, 2)}\n`);
    written++;
    options.onPage?.(written, queue.length - i - 1);
  }
  const all = await options.store.countRepos({ presentOnly: false });
  return {
    pages: written,
    files: 2 * written + assets.files.size,
    models: models.length,
    modelsLeftOut: Math.max(0, all - models.length),
    isCut,
  };
}

/** `/models/a/b.json` -> `/models/a/b`, the query kept; anything else unchanged. */
function withoutJson(url: string): string {
  const [path = '', ...query] = url.split('?');
  if (path === '/index.json') return '/';
  const page = [path.replace(/\.json$/, ''), ...query].join('?');
  return page !== url && jsonPath(page) === url ? page : '';
}

/** The name of a page's file: what a file system or a URL could take for something else is spelled out. */
export function toFile(url: string, extension: 'html' | 'json'): string {
  const parsed = parseUrl(url);
  const path = parsed?.path ?? '/';
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(toSegment);
  const query = parsed?.search.toString() ?? '';
  const name = segments.length === 0 ? 'index' : segments.join('/');
  if (query === '') return `${name}.${extension}`;
  const plain = toSegment(query);
  const short =
    plain.length <= MAX_QUERY_CHARS ? plain : createHash('sha256').update(query).digest('hex').slice(0, 24);
  return `${name}--${short}.${extension}`;
}

function toSegment(text: string): string {
  return text
    .replace(/[^A-Za-z0-9.-]/gu, (char) => `_${char.codePointAt(0)!.toString(16)}_`)
    .replace(/^\./, '_2e_')
    .slice(0, 200);
}

/**
 * Links of a page as relative ones. Attribute values are quoted and quotes in text are escaped, so nothing but an attribute can look
 * like one here.
 */
function relink(text: string, file: string, follow: (url: string) => string | null): string {
  const up = '../'.repeat(file.split('/').length - 1);
  return text.replace(/ (href|src)="(\/[^"]*)"/g, (_, attribute: string, value: string) => {
    const url = value.replaceAll('&amp;', '&');
    if (url.startsWith('/assets/')) return ` ${attribute}="${up}${url.slice(1).replace(/\?.*$/, '')}"`;
    const target = follow(url);
    // an anchor without a target is plain text to everybody
    if (target === null) return '';
    return ` ${attribute}="${up}${target}${/#.*$/s.exec(url)?.[0] ?? ''}"`;
  });
}
