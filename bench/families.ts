/**
 * `node bench/families.ts [--quick] [--json] [--methods a,b] [--seed N] [--seeds A-B]`: generated families. First directed accuracy of plain fine-tunes as
 * a function of values a model and of relative change, ours beside the baselines and beside the bound: two candidates, a parent P and
 * its child Q, can be told apart as the parent of C from n > 16 (d_PC / d_PQ)^2 values (97.7 %), so no method that looks at distances
 * gets more than the mean of Phi(sqrt(n) d_PQ / (2 d_PC)) over each C's lightest sibling Q. Then everything people do to models at once.
 *
 * `node bench/families.ts --merges [--seeds 101-110] [--nested]`: merges alone, over many seeds, over all of them and over those that show
 * above rounding; `--nested` lets merges be parents of merges.
 */
import { DEFAULT_MIN_PROBABILITY } from '../src/config/index.ts';
import { inferLineage, LINEAGE_METHODS } from '../src/lineage/index.ts';
import type { LineageResult } from '../src/types/lineage.ts';
import {
  type FamiliesOptions,
  type GeneratedHub,
  generateFamilies,
  ONLY_FINETUNES,
  positionsOfGenerated,
} from './lib/families.ts';
import { roundTripBlocks } from './lib/ggml-round-trip.ts';
import { loaderOf } from './lib/loader-of.ts';
import { countMergeParents, findDecidableMerges, type MergeCounts } from './lib/merge-visibility.ts';
import { type LineageScore, printScore, scoreLineage } from './lib/score.ts';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const flag = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
/** Ours, and what every report shows beside it. */
const SHOWN = ['hublineage', 'nearest-earlier', 'model-atlas', 'mother', 'kmeans-along', 'majority-hub'];
const methods = flag('--methods')?.split(',') ?? SHOWN.filter((m) => LINEAGE_METHODS.includes(m));
const seed = Number(flag('--seed') ?? 7);

/** Matrices of a generated model. */
const MATRICES = 30;
const VALUES = quick ? [1024, 16_384] : [256, 1024, 4096, 16_384, 65_536];
const STEPS = quick ? [0.003, 0.03] : [0.001, 0.003, 0.01, 0.03, 0.1];

async function scoreFamilies(
  method: string,
  hub: GeneratedHub,
  valuesPerTensor: number,
): Promise<LineageScore> {
  return scoreLineage(hub.truth, await inferFamilies(method, hub, valuesPerTensor));
}

function inferFamilies(method: string, hub: GeneratedHub, valuesPerTensor: number): Promise<LineageResult> {
  return inferLineage(hub.models, loaderOf(hub.samples), {
    method,
    seed: 1,
    minProbability: DEFAULT_MIN_PROBABILITY,
    roundTrip: roundTripBlocks,
    positions: positionsOfGenerated(valuesPerTensor),
  });
}

/** Standard normal distribution function (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
function phi(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}

/** What distances over `values` values can tell at best: each child against its lightest sibling. */
function boundOf(hub: GeneratedHub, values: number): number {
  const children = new Map<string, { repo: string; step: number }[]>();
  for (const [repo, { parents, step }] of hub.truth)
    if (parents[0] !== undefined && step)
      children.set(parents[0], [...(children.get(parents[0]) ?? []), { repo, step }]);
  let sum = 0;
  let count = 0;
  for (const siblings of children.values())
    for (const { repo, step } of siblings) {
      const lightest = Math.min(...siblings.filter((s) => s.repo !== repo).map((s) => s.step));
      sum += lightest === Number.POSITIVE_INFINITY ? 1 : phi((Math.sqrt(values) * lightest) / (2 * step));
      count++;
    }
  return count > 0 ? sum / count : 1;
}

/** Precision, recall and F1 of merge parents over seeds, by values a model. */
async function scoreMerges(seeds: readonly number[], nested: boolean): Promise<void> {
  process.stdout.write(
    `merge parents, seeds ${seeds[0]}-${seeds.at(-1)}${nested ? ', merges of merges too' : ''}\n`,
  );
  for (const values of quick ? [4096] : [1024, 4096, 16_384]) {
    const sums = { all: emptyCounts(), decidable: emptyCounts() };
    for (const each of seeds) {
      const hub = generateFamilies({
        seed: each,
        families: 3,
        size: 40,
        valuesPerTensor: Math.round(values / MATRICES),
        nestedMerges: nested,
      });
      const decidable = findDecidableMerges(hub);
      const result = await inferFamilies('hublineage', hub, Math.round(values / MATRICES));
      addCounts(sums.all, countMergeParents(hub, result));
      addCounts(sums.decidable, countMergeParents(hub, result, decidable));
    }
    for (const [name, sum] of Object.entries(sums)) {
      const precision = sum.found > 0 ? sum.both / sum.found : 1;
      const recall = sum.true > 0 ? sum.both / sum.true : 1;
      process.stdout.write(
        `${String(values).padStart(6)} values, ${name.padEnd(9)} (${sum.merges} merges): precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, F1 ${((2 * precision * recall) / (precision + recall || 1)).toFixed(3)}\n`,
      );
    }
  }
}

function emptyCounts(): MergeCounts {
  return { found: 0, true: 0, both: 0, merges: 0 };
}

function addCounts(sum: MergeCounts, more: MergeCounts): void {
  for (const key of ['found', 'true', 'both', 'merges'] as const) sum[key] += more[key];
}

const seeds = flag('--seeds')?.split('-').map(Number) ?? [seed, seed];
const seedList = Array.from({ length: (seeds[1] ?? seeds[0]!) - seeds[0]! + 1 }, (_, i) => seeds[0]! + i);
if (args.includes('--merges')) {
  await scoreMerges(seedList, args.includes('--nested'));
  process.exit(0);
}

const json = args.includes('--json');
const print = (line: string) => {
  if (!json) process.stdout.write(`${line}\n`);
};
const sweep: Record<string, string | number>[] = [];
print(`directed accuracy of fine-tunes, per cent (seeds ${seedList.join(', ')})`);
print(['change', 'values', ...methods, 'bound'].map((h) => h.padStart(Math.max(7, h.length))).join('  '));
for (const step of STEPS)
  for (const values of VALUES) {
    const valuesPerTensor = Math.max(4, Math.round(values / MATRICES));
    const options: FamiliesOptions = { seed, families: quick ? 2 : 4, size: 30, valuesPerTensor, step };
    const hubs = seedList.map((each) => generateFamilies({ ...options, seed: each, shares: ONLY_FINETUNES }));
    const row: Record<string, string | number> = { change: step, values };
    for (const method of methods) {
      let right = 0;
      let total = 0;
      for (const hub of hubs) {
        const score = await scoreFamilies(method, hub, valuesPerTensor);
        const tuned = score.relations.find((r) => r.relation === 'finetune');
        right += tuned?.right ?? 0;
        total += tuned?.total ?? 0;
      }
      row[method] = Number(((100 * right) / Math.max(1, total)).toFixed(1));
    }
    const bounds = hubs.map((hub) => boundOf(hub, values));
    row.bound = Number(((100 * bounds.reduce((a, b) => a + b, 0)) / bounds.length).toFixed(1));
    sweep.push(row);
    print(
      [`${100 * step} %`, values, ...methods.map((m) => row[m]!), row.bound]
        .map((cell, i) => String(cell).padStart(Math.max(7, ['', '', ...methods][i]?.length ?? 0)))
        .join('  '),
    );
  }
print('');
const mixed: Record<string, unknown>[] = [];
for (const values of quick ? [4096] : [1024, 4096, 16_384]) {
  const valuesPerTensor = Math.round(values / MATRICES);
  const hub = generateFamilies({ seed, families: quick ? 3 : 6, size: 40, valuesPerTensor });
  for (const method of methods) {
    const score = await scoreFamilies(method, hub, valuesPerTensor);
    mixed.push({ method, values, ...score });
    print(`${printScore(`${method}, everything at once, ${values} values a model`, score)}\n`);
  }
}
if (json) process.stdout.write(`${JSON.stringify({ seed, sweep, mixed }, null, 2)}\n`);
