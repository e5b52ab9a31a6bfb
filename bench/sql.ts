/**
 * How fast the cookbook is on a large index: makes a database of 1,000,000 models and edges (once, then reused), runs every saved query
 * and prints p50 and p95. `node bench/sql.ts [--models N] [--json] [--db FILE] [--runs N]`.
 */
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { bindParameters, listQueries, openStore, type SqlValue } from '../src/store/index.ts';
import { generateIndex } from './generate-index.ts';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
    db: { type: 'string' },
  },
});
const models = Number(values.models);
const runs = Number(values.runs);
const path = values.db ?? join(tmpdir(), `hublineage-bench-sql-${models}.sqlite`);

async function makeDatabase(): Promise<number | null> {
  if (existsSync(path)) return null;
  const partial = `${path}.partial`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(partial + suffix, { force: true });
  const start = performance.now();
  await generateIndex(partial, models);
  const { renameSync } = await import('node:fs');
  renameSync(partial, path);
  return (performance.now() - start) / 1000;
}

const seconds = await makeDatabase();
if (seconds !== null) console.error(`made ${path} in ${seconds.toFixed(1)} s`);
await (await openStore(path)).close();

const db = new Sqlite(path, { readonly: true });
db.pragma('cache_size = -65536');
db.pragma('temp_store = MEMORY');
/** Models typical of what is asked about: the root of the largest tree, a deep one, one in the middle. */
const subjects = {
  root: db.prepare('SELECT root FROM roots ORDER BY models DESC LIMIT 1').pluck().get() as string,
  middle: db.prepare('SELECT repo FROM ancestors WHERE depth = 3 LIMIT 1').pluck().get() as string,
};

interface Measurement {
  query: string;
  rows: number;
  p50Ms: number;
  p95Ms: number;
}

function measure(query: string, sql: string, params: Record<string, SqlValue>): Measurement {
  const times: number[] = [];
  let rows = 0;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    rows = db.prepare(sql).all(params).length;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)]!;
  return { query, rows, p50Ms: at(0.5), p95Ms: at(0.95) };
}

const measured: Measurement[] = [];
for (const query of await listQueries()) {
  const needsRepo = query.parameters.some((parameter) => parameter.name === 'repo');
  for (const [kind, repo] of needsRepo ? Object.entries(subjects) : [['', '']])
    measured.push(
      measure(
        needsRepo ? `${query.name} (${kind})` : query.name,
        query.sql,
        bindParameters(query, needsRepo ? { repo: repo! } : {}),
      ),
    );
}
measured.push(
  measure('all ancestors of one model', 'SELECT * FROM ancestors WHERE repo = :repo', {
    repo: subjects.middle,
  }),
  measure('50,000 descendants', 'SELECT repo, depth FROM ancestors WHERE ancestor = :repo LIMIT 50000', {
    repo: subjects.root,
  }),
);
db.close();
if (values.json) {
  console.log(JSON.stringify({ models, runs, secondsToMake: seconds, queries: measured }, null, 2));
} else {
  console.log(`${'query'.padEnd(36)} ${'rows'.padStart(7)} ${'p50 ms'.padStart(9)} ${'p95 ms'.padStart(9)}`);
  for (const row of measured)
    console.log(
      `${row.query.padEnd(36)} ${String(row.rows).padStart(7)} ${row.p50Ms.toFixed(2).padStart(9)} ${row.p95Ms.toFixed(2).padStart(9)}`,
    );
}
