/**
 * `node bench/families.ts [--quick] [--json] [--methods a,b] [--seed N]`: generated families. First directed accuracy of plain fine-tunes as
 * a function of values a model and of relative change, ours beside the baselines and beside the bound: two candidates, a parent P and
 * its child Q, can be told apart as the parent of C from n > 16 (d_PC / d_PQ)^2 values (97.7 %), so no method that looks at distances
 * gets more than the mean of Phi(sqrt(n) d_PQ / (2 d_PC)) over each C's lightest sibling Q. Then everything people do to models at once.
 */
import { inferLineage, LINEAGE_METHODS } from '../src/lineage/index.ts';
import { type FamiliesOptions, type GeneratedHub, generateFamilies } from './lib/families.ts';
import { roundTripBlocks } from './lib/ggml-round-trip.ts';
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
const NOTHING_ELSE = {
  duplicate: 0,
  cast: 0,
  quantized: 0,
  merge: 0,
  upscaled: 0,
  pruned: 0,
  transformed: 0,
  adapter: 0,
};

async function scoreFamilies(
  method: string,
  hub: GeneratedHub,
  valuesPerTensor: number,
): Promise<LineageScore> {
  const cols = 64;
  const result = await inferLineage(
    hub.models,
    async (repos) =>
      new Map(repos.flatMap((r) => (hub.samples.has(r) ? [[r, hub.samples.get(r)!] as const] : []))),
    {
      method,
      seed: 1,
      minProbability: 0.5,
      roundTrip: roundTripBlocks,
      positions: (_, shape) => {
        if (shape.length < 2) return null;
        const n = valuesPerTensor;
        return {
          rows: Int32Array.from({ length: n }, (_, i) => Math.floor(i / cols)),
          cols: Int32Array.from({ length: n }, (_, i) => i % cols),
        };
      },
    },
  );
  return scoreLineage(hub.truth, result);
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

const json = args.includes('--json');
const print = (line: string) => {
  if (!json) process.stdout.write(`${line}\n`);
};
const sweep: Record<string, string | number>[] = [];
print(`directed accuracy of fine-tunes, per cent (seed ${seed})`);
print(['change', 'values', ...methods, 'bound'].map((h) => h.padStart(Math.max(7, h.length))).join('  '));
for (const step of STEPS)
  for (const values of VALUES) {
    const valuesPerTensor = Math.max(4, Math.round(values / MATRICES));
    const options: FamiliesOptions = { seed, families: quick ? 2 : 4, size: 30, valuesPerTensor, step };
    const hub = generateFamilies({ ...options, shares: NOTHING_ELSE });
    const row: Record<string, string | number> = { change: step, values };
    for (const method of methods) {
      const score = await scoreFamilies(method, hub, valuesPerTensor);
      const tuned = score.relations.find((r) => r.relation === 'finetune');
      row[method] = tuned ? Number(((100 * tuned.right) / tuned.total).toFixed(1)) : 0;
    }
    row.bound = Number((100 * boundOf(hub, values)).toFixed(1));
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
