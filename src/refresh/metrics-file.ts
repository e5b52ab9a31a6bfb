import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type MetricsInput, renderMetrics } from '../report/index.ts';
import type { Store } from '../store/index.ts';
import type { Config } from '../types/config.ts';
import { MODEL_STATUSES, VERDICTS } from '../types/verdict.ts';

/** Runs looked at: enough to hold the last of every stage on any machine that also runs single stages. */
const RUNS = 500;

/** What the metrics are made of, counted from the public views. */
async function readMetrics(store: Store): Promise<MetricsInput> {
  const tally = async (view: 'models' | 'verdicts', column: string, values: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (const value of values)
      counts[value] = await store.countView(view, { where: `${column} = ?`, params: [value] });
    return counts;
  };
  const children = await store.readView('counts', { where: "subject = 'relation'" });
  const failures = Map.groupBy(await store.listFailures(), ({ stage, code }) => `${stage} ${code}`);
  return {
    runs: await store.listRuns(RUNS),
    models: await tally('models', 'status', MODEL_STATUSES),
    verdicts: await tally('verdicts', 'verdict', VERDICTS),
    children: Object.fromEntries(children.map(({ label, models }) => [label, models])),
    failures: [...failures.values()].flatMap((rows) => {
      const [first] = rows;
      return first ? [{ stage: first.stage, code: first.code, count: rows.length }] : [];
    }),
  };
}

/** Writes the configured metrics file, whole or not at all: a collector may read it at any moment. */
export async function writeMetrics(store: Store, config: Config): Promise<void> {
  if (config.report.metricsFile === null) return;
  const path = resolve(config.report.metricsFile);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, renderMetrics(await readMetrics(store)));
  renameSync(`${path}.tmp`, path);
}
