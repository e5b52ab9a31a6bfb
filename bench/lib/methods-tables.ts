import { METRICS } from '../../src/lineage/methods/similarity/metrics.ts';
import type { SpeedRow } from './clusterer-speed.ts';
import type { compareWithRunning } from './compare-with-running.ts';
import type { PairScore } from './pair-score.ts';
import { NEURAL_LINEAGE } from './paper-figures.ts';
import { table } from './table.ts';
import type { measureToyNetworks, ToyKind, ToyRow } from './toy-networks.ts';

export const percent = (share: number) => (share * 100).toFixed(1);
export const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / Math.max(1, xs.length);
export const spread = (xs: readonly number[]) => Math.sqrt(mean(xs.map((x) => (x - mean(xs)) ** 2)));

/** Neural Lineage's task on whole Llamas of one population, beside its sampled form. */
export function runTable(
  population: string,
  { rows, backend, seconds }: Awaited<ReturnType<typeof compareWithRunning>>,
): string {
  const own = rows.filter((row) => row.population === population);
  const cell = (levels: PairScore['ancestors']) =>
    levels.map((share) => (share === null ? '-' : percent(share))).join(' / ');
  return [
    `\n### ${population}: Neural Lineage's task, candidates given, networks run on bytes; parent / grandparent / great-grandparent, % (${own[0]?.models} models, ${backend}, ${seconds.toFixed(0)} s for all)\n`,
    table(
      [
        'metric',
        'from samples',
        'run, plain',
        'run, alpha .01',
        'run, alpha 1',
        'paper, ResNet18: plain, approx',
      ],
      own.map(({ metric, sampled, run }) => [
        metric,
        cell(sampled),
        ...run.map(cell),
        NEURAL_LINEAGE[metric] ?? '',
      ]),
    ),
  ].join('\n');
}

export function toyTable(kind: ToyKind, toys: Awaited<ReturnType<typeof measureToyNetworks>>[]): string {
  const across = (pick: (row: ToyRow) => number, metric: string) => {
    const found = toys.map(({ rows }) => pick(rows.find((row) => row.metric === metric) as ToyRow));
    return `${percent(mean(found))} ± ${percent(spread(found))}`;
  };
  return [
    `\n### Neural Lineage on networks that run: 6 parents, 30 children, 30 grandchildren, ${kind}, ${toys.length} seeds, % (${toys[0]?.backend}, ${mean(toys.map(({ seconds }) => seconds)).toFixed(0)} s a seed)\n`,
    table(
      [
        'metric',
        'parent, plain',
        'approx, alpha .01',
        'approx, alpha 1',
        'grandparent, plain',
        'approx, alpha .01',
        'approx, alpha 1',
        'paper, ResNet18 G1-G2: plain, approx',
      ],
      METRICS.map((metric) => [
        metric,
        across((row) => row.parent.plain, metric),
        across((row) => row.parent.approximated['0.01'] ?? 0, metric),
        across((row) => row.parent.approximated['1'] ?? 0, metric),
        across((row) => row.grandparent.plain, metric),
        across((row) => row.grandparent.approximated['0.01'] ?? 0, metric),
        across((row) => row.grandparent.approximated['1'] ?? 0, metric),
        NEURAL_LINEAGE[metric] ?? '',
      ]),
    ),
  ].join('\n');
}

export function speedTable(rows: readonly SpeedRow[]): string {
  return [
    '\n### Speed of the clusterers\n',
    table(
      ['clusterer', 'points', 'ours, CPU s', 'library, CPU s', 'library', 'times faster', 'agreement'],
      rows.map((row) => [
        row.clusterer,
        row.points,
        row.ours.toFixed(2),
        row.theirs?.toFixed(2) ?? '-',
        row.library,
        row.theirs === null ? '-' : (row.theirs / row.ours).toFixed(1),
        row.agree,
      ]),
    ),
  ].join('\n');
}
