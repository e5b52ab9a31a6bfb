import { RELATIONS } from '../types/lineage.ts';
import { MODEL_STATUSES, VERDICTS } from '../types/verdict.ts';
import { VERSION } from '../types/version.ts';
import { byText } from './compare.ts';

/** A run as the store keeps it. */
export interface MetricsRun {
  runId: number;
  stage: string;
  status: string;
  /** ISO 8601 */
  startedAt: string;
  finishedAt: string | null;
  reposSeen: number;
  reposNew: number;
  reposChanged: number;
  reposGone: number;
  fingerprinted: number;
  shared: number;
  failed: number;
  requestsApi: number;
  requestsResolvers: number;
  requestsPages: number;
  requestsCdn: number;
  bytes: number;
}

export interface MetricsInput {
  /** newest first; the newest of each stage is told */
  runs: readonly MetricsRun[];
  /** by status; what is missing counts as 0, so that a series never vanishes */
  models: Readonly<Record<string, number>>;
  /** by verdict */
  verdicts: Readonly<Record<string, number>>;
  /** models with a chosen parent, by relation */
  children: Readonly<Record<string, number>>;
  failures: readonly { stage: string; code: string; count: number }[];
}

interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/** Ends that leave the index whole: `partial` is a run that finished while some repos failed. */
const GOOD_ENDS = new Set(['done', 'partial']);
const RUN_STATUSES = ['running', 'done', 'partial', 'stopped', 'interrupted', 'failed'];
const COUNTS: readonly (keyof MetricsRun & string)[] = [
  'reposSeen',
  'reposNew',
  'reposChanged',
  'reposGone',
  'fingerprinted',
  'shared',
  'failed',
];

/**
 * The state of the index and of its last runs in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), for
 * node_exporter's textfile collector or a scrape. Everything is a gauge: a file written once a night has no counters.
 */
export function renderMetrics(input: MetricsInput): string {
  const latest = newestByStage(input.runs);
  const good = newestByStage(input.runs.filter((run) => GOOD_ENDS.has(run.status)));
  const perRun = (pick: (run: MetricsRun) => Sample[]) =>
    latest.flatMap((run) => pick(run).map((sample) => withLabel('stage', run.stage, sample)));
  const finished = (run: MetricsRun) => (run.finishedAt === null ? [] : [{ value: seconds(run.finishedAt) }]);
  return [
    metric('build_info', 'Version of the program that wrote this.', [
      { labels: { version: VERSION }, value: 1 },
    ]),
    metric(
      'last_run_status',
      'How the last run of a stage ended: 1 for its status, 0 for the others.',
      perRun((run) =>
        RUN_STATUSES.map((status) => ({ labels: { status }, value: Number(status === run.status) })),
      ),
    ),
    metric(
      'last_run_started_timestamp_seconds',
      'When the last run of a stage began.',
      perRun((run) => [{ value: seconds(run.startedAt) }]),
    ),
    metric('last_run_finished_timestamp_seconds', 'When the last run of a stage ended.', perRun(finished)),
    metric(
      'last_success_timestamp_seconds',
      'When a run of a stage last finished its work.',
      good.flatMap((run) => finished(run).map((sample) => withLabel('stage', run.stage, sample))),
    ),
    metric(
      'last_run_models',
      'What the last run of a stage counted.',
      perRun((run) =>
        COUNTS.map((count) => ({ labels: { count: toSnake(count) }, value: Number(run[count]) })),
      ),
    ),
    metric(
      'last_run_requests',
      'Requests of the last run of a stage, by rate-limit bucket.',
      perRun((run) => [
        { labels: { bucket: 'api' }, value: run.requestsApi },
        { labels: { bucket: 'resolvers' }, value: run.requestsResolvers },
        { labels: { bucket: 'pages' }, value: run.requestsPages },
        { labels: { bucket: 'cdn' }, value: run.requestsCdn },
      ]),
    ),
    metric(
      'last_run_received_bytes',
      'Bytes the last run of a stage received.',
      perRun((run) => [{ value: run.bytes }]),
    ),
    metric('models', 'Models of the index, by status.', tally('status', MODEL_STATUSES, input.models)),
    metric('verdicts', 'Models of the index, by verdict.', tally('verdict', VERDICTS, input.verdicts)),
    metric(
      'children',
      'Models with a parent that was found, by relation.',
      tally('relation', RELATIONS, input.children),
    ),
    metric(
      'failures',
      'Repos that could not be finished, by stage and error code.',
      [...input.failures]
        .sort((a, b) => byText(a.stage, b.stage) || byText(a.code, b.code))
        .map(({ stage, code, count }) => ({ labels: { stage, code }, value: count })),
    ),
  ].join('');
}

function newestByStage(runs: readonly MetricsRun[]): MetricsRun[] {
  const newest = new Map<string, MetricsRun>();
  for (const run of runs) {
    const known = newest.get(run.stage);
    if (known === undefined || run.runId > known.runId) newest.set(run.stage, run);
  }
  return [...newest.values()].sort((a, b) => byText(a.stage, b.stage));
}

const withLabel = (name: string, value: string, sample: Sample): Sample => ({
  labels: { [name]: value, ...sample.labels },
  value: sample.value,
});

const tally = (name: string, keys: readonly string[], counts: Readonly<Record<string, number>>): Sample[] =>
  keys.map((key) => ({ labels: { [name]: key }, value: counts[key] ?? 0 }));

function metric(name: string, help: string, samples: readonly Sample[]): string {
  const full = `hublineage_${name}`;
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${full}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
  });
  return `${[`# HELP ${full} ${help}`, `# TYPE ${full} gauge`, ...lines].join('\n')}\n`;
}

const escapeLabel = (text: string) => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

const seconds = (iso: string) => Date.parse(iso) / 1000;

const toSnake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
