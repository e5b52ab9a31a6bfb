/**
 * `node bench/families.ts [--quick] [--json]`: generated families. Directed accuracy as a function of values a model and of relative change,
 * ours beside the baselines, and beside the bound n = 16 (d_PC / d_PQ)^2 of what distances can tell at all.
 */
import { inferLineage, LINEAGE_METHODS } from '../src/lineage/index.ts';
import { type FamiliesOptions, generateFamilies } from './lib/families.ts';
import { roundTripBlocks } from './lib/ggml-round-trip.ts';
import { type LineageScore, printScore, scoreLineage } from './lib/score.ts';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const only = args.includes('--methods')
  ? args[args.indexOf('--methods') + 1]!.split(',')
  : [...LINEAGE_METHODS];

export async function scoreFamilies(method: string, options: FamiliesOptions): Promise<LineageScore> {
  const hub = generateFamilies(options);
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
        const n = options.valuesPerTensor;
        return {
          rows: Int32Array.from({ length: n }, (_, i) => Math.floor(i / cols)),
          cols: Int32Array.from({ length: n }, (_, i) => i % cols),
        };
      },
    },
  );
  return scoreLineage(hub.truth, result);
}

if (import.meta.main || process.argv[1]?.endsWith('families.ts')) {
  const rows: Record<string, unknown>[] = [];
  const sizes = quick ? [64, 512] : [8, 32, 128, 512, 2048];
  for (const valuesPerTensor of sizes)
    for (const method of only) {
      const score = await scoreFamilies(method, {
        seed: 7,
        families: quick ? 3 : 6,
        size: 40,
        valuesPerTensor,
      });
      rows.push({ method, values: valuesPerTensor * 30, ...score });
      if (!args.includes('--json'))
        process.stdout.write(`${printScore(`${method}, ${valuesPerTensor * 30} values a model`, score)}\n\n`);
    }
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
}
