import type { ViewRows } from '../store/index.ts';
import type { Edge, Evidence, Relatedness } from '../types/lineage.ts';
import { formatCount, formatTable, toPrintable } from './format.ts';

const SHOWN_RELATIVES = 10;

const percent = (share: number) => `${Number((100 * share).toPrecision(3))} %`;

export const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

/** `finetune, probability 0.981` */
export function describeEdge(edge: Edge): string {
  const share = edge.weight === null ? '' : `, share ${percent(edge.weight)}`;
  return `${edge.relation}, probability ${edge.probability.toFixed(3)}${share} (by ${edge.method})`;
}

/** How two models compare, as a sentence. */
export function describeRelatedness(found: Relatedness): string {
  if (found.outcome === 'incomparable') return 'They have no matrices of equal shape in common.';
  const words = {
    related: 'Their weights are related far beyond chance',
    unrelated: 'Their weights are not related beyond chance',
    undecided: 'Whether their weights are related cannot be told',
  }[found.outcome];
  const cosine =
    found.cosine === null
      ? ''
      : `cosine ${found.cosine.toFixed(4)} where 0 ± ${(found.nullSd ?? 0).toFixed(4)} is chance`;
  const distance =
    found.relativeDistance === null ? '' : `relative distance ${percent(found.relativeDistance)}`;
  const equal = found.equalShare === null ? '' : `${percent(found.equalShare)} of values bit-equal`;
  const numbers = [cosine, distance, equal].filter((text) => text !== '').join('; ');
  return `${words}: ${numbers} (${formatCount(found.commonTensors)} tensors, ${formatCount(found.commonValues)} values compared).`;
}

/** The arithmetic from log-odds to the probability: one line a probe, strongest first, and the sum. */
export function describeSum(edge: Edge, terms: readonly Evidence[]): string {
  const sorted = [...terms].sort((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds));
  const sum = terms.reduce((total, row) => total + row.logOdds, 0);
  const lines = sorted.map((row) => `${signed(row.logOdds).padStart(8)}  ${row.probe}`);
  const probability = 1 / (1 + Math.exp(-sum));
  const stored =
    Math.abs(probability - edge.probability) < 0.002
      ? ''
      : `   (stored: ${edge.probability.toFixed(3)}, kept within bounds)`;
  return [
    ...lines,
    `${'─'.repeat(8)}`,
    `${signed(sum).padStart(8)}  sum of log-odds → probability 1 / (1 + e^−sum) = ${probability.toFixed(3)}${stored}`,
  ].join('\n');
}

/** Probes with something to say as a table; the silent ones named in a line. */
export function describeProbes(probes: readonly Evidence[]): string {
  const speaking = probes.filter(
    ({ outcome }) => outcome !== 'not_applicable' && outcome !== 'not_available',
  );
  const silent = probes.filter(({ outcome }) => outcome === 'not_applicable' || outcome === 'not_available');
  const rows = [...speaking]
    .sort((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds))
    .map((row) => [
      row.probe,
      row.outcome,
      row.value === null ? null : Number(row.value.toPrecision(4)),
      row.logOdds === 0 ? null : signed(row.logOdds),
      row.detail,
    ]);
  const table = formatTable(['probe', 'outcome', 'value', 'log-odds', 'what it says'], rows, 160);
  return silent.length === 0
    ? table
    : `${table}\nNothing to say: ${silent.map((row) => row.probe).join(', ')}.`;
}

export function blocks(parts: readonly (string | null)[]): string {
  return `${parts.filter((part) => part !== null && part !== '').join('\n\n')}\n`;
}

/** Nearest models of an index, nearest first. */
export function describeRelatives(
  nearest: readonly { repo: string; distance: number; cosine: number }[],
): string {
  return formatTable(
    ['model', 'distance', 'cosine'],
    nearest
      .slice(0, SHOWN_RELATIVES)
      .map((row) => [row.repo, `${(100 * row.distance).toPrecision(3)} %`, row.cosine.toFixed(4)]),
  );
}

/** Over every list of models that answer alike: behaviour must not be read as lineage. */
export const BEHAVIOUR_TITLE = 'Nearest by behaviour: who answers alike, not who was made from whom';

/** Models compared by their answers, most alike first. */
export function describeBehaviour(rows: readonly ViewRows['behaviour'][]): string {
  return formatTable(
    ['model', 'similarity', 'shared prompts', 'compared', 'from'],
    rows.map((row) => [
      row.other,
      Number(row.similarity.toFixed(4)),
      row.shared_prompts,
      row.compared_at.slice(0, 10),
      row.source,
    ]),
    90,
  );
}

/** A list of sentences; texts from cards and files cannot write to the terminal. */
export function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${toPrintable(line)}`).join('\n');
}
