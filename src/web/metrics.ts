import { renderMetrics } from '../report/index.ts';
import type { Snapshot } from './snapshot.ts';

/** Upper bounds of the latency buckets, seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Requests counted by page and status, and how long they took. */
export interface Metrics {
  observe(page: string, status: number, seconds: number): void;
  render(snapshot: Snapshot | null, now: Date): string;
}

type WriteFamily = (name: string, type: string, help: string, samples: readonly string[]) => void;

const label = (text: string) => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

export function createMetrics(): Metrics {
  const requests = new Map<string, number>();
  const latency = new Map<string, { buckets: number[]; sum: number; count: number }>();
  return {
    observe(page, status, seconds) {
      const key = `page="${label(page)}",status="${status}"`;
      requests.set(key, (requests.get(key) ?? 0) + 1);
      const row = latency.get(page) ?? { buckets: BUCKETS.map(() => 0), sum: 0, count: 0 };
      row.sum += seconds;
      row.count++;
      BUCKETS.forEach((bound, i) => {
        if (seconds <= bound) row.buckets[i]!++;
      });
      latency.set(page, row);
    },
    render(snapshot, now) {
      const out: string[] = [];
      const family: WriteFamily = (name, type, help, samples) => {
        if (samples.length > 0) out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples);
      };
      family('hublineage_database_readable', 'gauge', '1 when the index could be read.', [
        `hublineage_database_readable ${snapshot === null ? 0 : 1}`,
      ]);
      const index = snapshot === null ? '' : renderIndex(snapshot, now, family);
      family(
        'hublineage_explorer_requests_total',
        'counter',
        'Requests answered since the start.',
        [...requests].map(([key, count]) => `hublineage_explorer_requests_total{${key}} ${count}`),
      );
      family(
        'hublineage_explorer_request_seconds',
        'histogram',
        'Time to answer, seconds.',
        [...latency].flatMap(([page, row]) => [
          ...BUCKETS.map(
            (bound, i) =>
              `hublineage_explorer_request_seconds_bucket{page="${label(page)}",le="${bound}"} ${row.buckets[i]}`,
          ),
          `hublineage_explorer_request_seconds_bucket{page="${label(page)}",le="+Inf"} ${row.count}`,
          `hublineage_explorer_request_seconds_sum{page="${label(page)}"} ${row.sum.toFixed(6)}`,
          `hublineage_explorer_request_seconds_count{page="${label(page)}"} ${row.count}`,
        ]),
      );
      return `${index}${out.join('\n')}\n`;
    },
  };
}

/** What the file written after each run holds as well, and how old the conclusions shown are. */
function renderIndex(snapshot: Snapshot, now: Date, family: WriteFamily): string {
  const tally = (subject: string) =>
    Object.fromEntries((snapshot.counts.get(subject) ?? []).map((row) => [row.label, row.models]));
  const done = snapshot.lastDone?.finishedAt ?? null;
  if (done !== null) {
    const at = Date.parse(done);
    family('hublineage_conclusions_timestamp_seconds', 'gauge', 'When conclusions were last rebuilt.', [
      `hublineage_conclusions_timestamp_seconds ${at / 1000}`,
    ]);
    family('hublineage_conclusions_age_seconds', 'gauge', 'How long ago that was.', [
      `hublineage_conclusions_age_seconds ${Math.max(0, Math.round((now.getTime() - at) / 1000))}`,
    ]);
  }
  return renderMetrics({
    runs: snapshot.runs,
    models: tally('status'),
    verdicts: tally('verdict'),
    children: tally('relation'),
    failures: snapshot.failures.map(({ stage, code, models }) => ({ stage, code, count: models })),
  });
}
