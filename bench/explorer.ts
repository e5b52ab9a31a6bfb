/**
 * How fast the explorer's pages are on a large index: makes a database of 1,000,000 models and edges (once, then reused; the one of
 * bench/sql.ts), asks for many pages of each kind without a socket between, and prints p50 and p95.
 * `node bench/explorer.ts [--models N] [--requests N] [--json] [--db FILE]`. The subjects are drawn by a seeded generator: roots of the
 * largest trees, models with thousands of children, deep ones and ordinary ones.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { openStore } from '../src/store/index.ts';
import { createExplorer } from '../src/web/index.ts';
import { generateIndex } from './generate-index.ts';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
    db: { type: 'string' },
  },
});
const models = Number(values.models);
const requests = Number(values.requests);
const path = values.db ?? join(tmpdir(), `hublineage-bench-sql-${models}.sqlite`);

if (!existsSync(path)) {
  const partial = `${path}.partial`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(partial + suffix, { force: true });
  await generateIndex(partial, models);
  renameSync(partial, path);
}
await (await openStore(path)).close();

const db = new Sqlite(path, { readonly: true });
const pluck = (sql: string) => db.prepare(sql).pluck().all() as string[];
const total = db.prepare('SELECT max(node_id) FROM t_nodes').pluck().get() as number;
const ids = Array.from({ length: requests }, (_, i) => Math.floor(((i * 0.618034) % 1) * total) + 1);
const ordinary = pluck(
  `SELECT name FROM t_nodes WHERE node_id IN (${ids.join()}) AND name NOT LIKE 'virtual/%'`,
);
const roots = pluck('SELECT root FROM roots ORDER BY models DESC LIMIT 10');
const busy = pluck(
  `SELECT parent FROM edges WHERE rank = 1 GROUP BY parent ORDER BY count(*) DESC LIMIT ${requests}`,
);
const deep = pluck(`SELECT repo FROM families WHERE family = 'llama' ORDER BY depth DESC LIMIT ${requests}`);
const edges = db
  .prepare(
    `SELECT '/edges/' || child || '/from/' || parent FROM edges WHERE rank = 1 AND parent_kind = 'repo' LIMIT ${requests}`,
  )
  .pluck()
  .all() as string[];
db.close();

const cycle = (urls: readonly string[]) =>
  Array.from({ length: requests }, (_, i) => urls[i % urls.length] ?? '/');
const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const kinds: Record<string, string[]> = {
  home: cycle(['/']),
  'search, beginning of a name': cycle(letters.map((_, i) => `/search?q=owner-${i * 37}`)),
  'search, no such name': cycle(letters.map((letter) => `/search?q=${letter}zzyx-${letter}`)),
  'suggestions while typing': cycle(letters.map((_, i) => `/search.json?limit=8&q=model-${i}`)),
  'model, ordinary': cycle(ordinary.map((repo) => `/models/${repo}`)),
  'model, deep': cycle(deep.map((repo) => `/models/${repo}`)),
  'model, thousands of children': cycle(busy.map((repo) => `/models/${repo}`)),
  'model, root of a large family': cycle(roots.map((repo) => `/models/${repo}`)),
  'model as JSON': cycle(ordinary.map((repo) => `/models/${repo}.json`)),
  edge: cycle(edges),
  children: cycle(busy.map((repo) => `/children/${repo}`)),
  families: cycle(['/families', '/families?page=20', '/families?family=llama']),
  'family, large': cycle(roots.map((repo) => `/families/${repo}`)),
  'family, large, a later page': cycle(roots.map((repo) => `/families/${repo}?after=4~owner-5`)),
  'map, large family': cycle(roots.map((repo) => `/maps/${repo}`)),
  flagged: cycle(['/flagged', '/flagged?sort=newest', '/flagged?sort=name', '/flagged?after=100~owner-1']),
  'flagged, filtered': cycle([
    '/flagged?verdict=contradicted',
    '/flagged?verdict=contradicted&sort=newest',
    '/flagged?verdict=confirmed&relation=finetune&minDownloads=100',
    '/flagged?owner=owner-3',
    '/flagged?family=stable-diffusion',
    '/flagged?verdict=original&minDownloads=500000',
    '/flagged?verdict=undeclared&after=0~owner-5',
  ]),
  runs: cycle(['/runs', '/runs/1']),
  failures: cycle(['/failures', '/failures?stage=fingerprint&code=NoWeights&page=20']),
  about: cycle(['/about']),
  'no such model': cycle(ordinary.map((repo) => `/models/${repo}x`)),
  health: cycle(['/health']),
  metrics: cycle(['/metrics']),
};

interface Measurement {
  page: string;
  requests: number;
  p50Ms: number;
  p95Ms: number;
  /** processor time, which other programs on the machine cannot lengthen */
  cpuP95Ms: number;
  kilobytes: number;
}

const store = await openStore(path, { readonly: true });
const explorer = createExplorer({
  store,
  hubUrl: 'https://huggingface.co',
  method: 'hublineage',
  contradictionPValue: 1e-6,
  onError: (error) => {
    throw error;
  },
});
// the first request reads what is shared by all pages
await explorer.handle({ method: 'GET', url: '/' });

const measured: Measurement[] = [];
for (const [page, urls] of Object.entries(kinds)) {
  const times: number[] = [];
  const cpu: number[] = [];
  let bytes = 0;
  for (const url of urls) {
    const cpuStart = process.cpuUsage();
    const start = performance.now();
    const response = await explorer.handle({ method: 'GET', url });
    times.push(performance.now() - start);
    const { user, system } = process.cpuUsage(cpuStart);
    cpu.push((user + system) / 1000);
    if (response.status >= 500) throw new Error(`${response.status} at ${url}`);
    bytes = Math.max(bytes, response.body.length);
  }
  const at = (list: number[], share: number) =>
    list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.ceil(share * list.length) - 1)]!;
  measured.push({
    page,
    requests: urls.length,
    p50Ms: at(times, 0.5),
    p95Ms: at(times, 0.95),
    cpuP95Ms: at(cpu, 0.95),
    kilobytes: Math.round(bytes / 1000),
  });
}
await store.close();
if (values.json) {
  console.log(JSON.stringify({ models, requests, pages: measured }, null, 2));
} else {
  console.log(
    `${'page'.padEnd(32)} ${'p50 ms'.padStart(8)} ${'p95 ms'.padStart(8)} ${'cpu p95'.padStart(8)} ${'kB'.padStart(5)}`,
  );
  for (const row of measured)
    console.log(
      `${row.page.padEnd(32)} ${row.p50Ms.toFixed(1).padStart(8)} ${row.p95Ms.toFixed(1).padStart(8)} ${row.cpuP95Ms.toFixed(1).padStart(8)} ${String(row.kilobytes).padStart(5)}`,
    );
}
