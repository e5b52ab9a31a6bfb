import { describe, expect, it } from 'vitest';
import { type MetricsInput, type MetricsRun, renderMetrics } from './render-metrics.ts';

const run = (overrides: Partial<MetricsRun>): MetricsRun => ({
  runId: 1,
  stage: 'refresh',
  status: 'done',
  startedAt: '2024-05-01T00:00:00.000Z',
  finishedAt: '2024-05-01T01:00:00.000Z',
  reposSeen: 10,
  reposNew: 2,
  reposChanged: 0,
  reposGone: 0,
  fingerprinted: 2,
  shared: 0,
  failed: 0,
  requestsApi: 3,
  requestsResolvers: 4,
  requestsPages: 0,
  requestsCdn: 5,
  bytes: 1234,
  ...overrides,
});

const input: MetricsInput = {
  runs: [
    run({
      runId: 3,
      status: 'stopped',
      startedAt: '2024-05-02T00:00:00.000Z',
      finishedAt: '2024-05-02T00:10:00.000Z',
    }),
    run({}),
    run({ runId: 2, stage: 'infer' }),
  ],
  models: { fingerprinted: 7 },
  verdicts: { contradicted: 2 },
  children: { finetune: 5 },
  failures: [{ stage: 'fingerprint', code: 'He said "no"\\\n', count: 1 }],
};

describe('renderMetrics', () => {
  const text = renderMetrics(input);
  const lines = text.split('\n');

  it('is well-formed exposition text: every sample belongs to the metric declared above it, and none comes twice', () => {
    let declared = '';
    const seen = new Set<string>();
    for (const line of lines.slice(0, -1)) {
      const type = /^# TYPE (\S+) gauge$/.exec(line);
      if (type) declared = type[1] ?? '';
      if (line.startsWith('#')) continue;
      const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (-?[\d.e+]+)$/.exec(line);
      expect(sample, line).not.toBeNull();
      expect(sample?.[1]).toBe(declared);
      expect(seen.has(`${sample?.[1]}${sample?.[2] ?? ''}`)).toBe(false);
      seen.add(`${sample?.[1]}${sample?.[2] ?? ''}`);
    }
    expect(text.endsWith('\n')).toBe(true);
  });

  it('tells the newest run of each stage, and when one last succeeded', () => {
    expect(lines).toContain('hublineage_last_run_status{stage="refresh",status="stopped"} 1');
    expect(lines).toContain('hublineage_last_run_status{stage="refresh",status="done"} 0');
    expect(lines).toContain(
      `hublineage_last_success_timestamp_seconds{stage="refresh"} ${Date.UTC(2024, 4, 1, 1) / 1000}`,
    );
    expect(lines).toContain('hublineage_last_run_requests{stage="infer",bucket="cdn"} 5');
  });

  it('keeps series whose count is zero, and escapes labels', () => {
    expect(lines).toContain('hublineage_models{status="gone"} 0');
    expect(lines).toContain('hublineage_verdicts{verdict="contradicted"} 2');
    expect(lines).toContain(String.raw`hublineage_failures{stage="fingerprint",code="He said \"no\"\\\n"} 1`);
  });

  it('has something to say about an empty index', () => {
    expect(renderMetrics({ runs: [], models: {}, verdicts: {}, children: {}, failures: [] })).toContain(
      'hublineage_models{status="pending"} 0',
    );
  });
});
