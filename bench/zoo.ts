/**
 * Runs the whole pipeline on a zoo served by minihub and prints how it did against the zoo's truth.json.
 * Usage: npm run bench:zoo -- PATH [--json] [--method NAME] [--keep FOLDER]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/config/index.ts';
import { startMinihub } from '../src/minihub/index.ts';
import { runStages, STAGES } from '../src/refresh/index.ts';
import { openStore } from '../src/store/index.ts';
import { scoreCalibration, scoreEdges, scoreFamilies, scoreVerdicts } from './lib/score-pipeline.ts';
import { percent, table } from './lib/table.ts';
import { readTruth } from './lib/truth.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, method: { type: 'string' }, keep: { type: 'string' } },
});
const zoo = positionals[0];
if (zoo === undefined) {
  console.error('usage: npm run bench:zoo -- PATH [--json] [--method NAME] [--keep FOLDER]');
  process.exit(64);
}

const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'bench-zoo-'));
// a database of an earlier run would hide what reading costs
for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `zoo.sqlite${suffix}`), { force: true });
const truth = readTruth(zoo);
const hub = await startMinihub({ dir: zoo });
const { config } = loadConfig({
  cwd: folder,
  flags: {
    hub: { endpoint: hub.url },
    database: { file: join(folder, 'zoo.sqlite') },
    report: { directory: folder },
    ...(values.method ? { lineage: { method: values.method } } : {}),
  },
  env: { HF_TOKEN_PATH: '/nonexistent' },
});
const startedAt = performance.now();
const stageMs: Record<string, number> = {};
const outcome = await runStages({
  config,
  stages: STAGES,
  name: 'refresh',
  emit: (event) => {
    if (event.type === 'stage-end') stageMs[event.stage] = event.elapsedMs;
    if (event.type === 'failure') console.error(`${event.repo}: ${event.code} ${event.message}`);
  },
  signal: new AbortController().signal,
});
const wallMs = performance.now() - startedAt;
await hub.close();

const store = await openStore(config.database.file, { readonly: true });
const edges = await store.loadEdges();
const verdicts = await store.loadVerdicts();
const rootOf = new Map((await store.loadFamilies()).map((member) => [member.repo, member.root]));
const statuses = Map.groupBy(await store.readView('models'), (model) => model.status);
await store.close();
if (values.keep === undefined) rmSync(folder, { recursive: true });

const models = outcome.counts.fingerprinted;
const result = {
  zoo: zoo.split('/').at(-1),
  method: config.lineage.method,
  edges: scoreEdges(truth, edges),
  families: scoreFamilies(truth, rootOf),
  verdicts: scoreVerdicts(truth, verdicts),
  calibration: scoreCalibration(truth, edges),
  statuses: Object.fromEntries([...statuses].map(([status, rows]) => [status, rows.length])),
  spending: { ...outcome.spending, modelsRead: models },
  wallMs,
  stageMs,
  peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
};

if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  const { byRelation, total, mergeF1 } = result.edges;
  console.log(`Parents found, method ${result.method}\n`);
  console.log(
    table(
      ['relation', 'models', 'parent right', 'strict', 'relation right', 'in tie set'],
      [...byRelation, total].map((row) => [
        row.relation,
        row.models,
        percent(row.right),
        percent(row.strict),
        percent(row.relationRight),
        percent(row.inTieSet),
      ]),
    ),
  );
  console.log(`\nmerge parents F1: ${mergeF1?.toFixed(3) ?? 'no merges'}`);
  const { families, calibration, spending } = result;
  console.log(
    `families: ${families.exact} of ${families.trueFamilies} exact; pairs precision ${percent(families.pairPrecision)}, recall ${percent(families.pairRecall)}`,
  );
  console.log(
    `calibration: expected error ${calibration.calibrationError.toFixed(3)} over ${calibration.edges} chosen edges`,
  );
  console.log(
    `\n${table(
      ['probability', 'edges', 'mean', 'right'],
      calibration.rows.map((bin) => [
        `${bin.from.toFixed(1)}-${bin.to.toFixed(1)}`,
        bin.edges,
        bin.claimed.toFixed(3),
        percent(bin.right),
      ]),
    )}`,
  );
  const kinds = [...new Set(verdicts.map((row) => row.verdict))].sort();
  console.log(`\nVerdicts (rows: how the declaration was made)\n`);
  console.log(
    table(
      ['declared', ...kinds],
      Object.entries(result.verdicts.table).map(([status, row]) => [
        status,
        ...kinds.map((kind) => row[kind] ?? 0),
      ]),
    ),
  );
  const { contradicted } = result.verdicts;
  console.log(
    `\ncontradicted: precision ${contradicted.precision === null ? '-' : percent(contradicted.precision)} (${contradicted.said} said), recall ${contradicted.recall === null ? '-' : percent(contradicted.recall)} (${contradicted.wrong} wrong)`,
  );
  for (const repo of contradicted.falselyAccused) console.log(`  falsely accused: ${repo}`);
  for (const repo of contradicted.missed)
    console.log(`  missed: ${repo} (${verdicts.find((row) => row.repo === repo)?.verdict})`);
  console.log(
    `\na model read: ${(spending.requestsApi / models).toFixed(2)} api, ${(spending.requestsResolvers / models).toFixed(2)} resolve, ${(spending.requestsCdn / models).toFixed(1)} range requests, ${(spending.bytes / models / 1000).toFixed(0)} kB`,
  );
  console.log(
    `wall time ${(wallMs / 1000).toFixed(1)} s (${Object.entries(stageMs)
      .map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(1)}`)
      .join(', ')}), peak memory ${(result.peakMemoryBytes / 1e6).toFixed(0)} MB`,
  );
}
