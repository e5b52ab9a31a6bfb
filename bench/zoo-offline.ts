/**
 * `node bench/zoo-offline.ts DIR [--cache FILE] [--json] [--methods a,b]`: lineage on a zoo's fingerprints, without a Hub in between.
 * Prints every method's scores on the same fingerprints, ours first.
 */
import { DEFAULT_MIN_PROBABILITY } from '../src/config/index.ts';
import { DEFAULT_SAMPLING } from '../src/fingerprint/index.ts';
import { inferLineage } from '../src/lineage/index.ts';
import { createPositionsOf } from '../src/refresh/positions-of.ts';
import type { LineageModel } from '../src/types/lineage.ts';
import { ROUND_TRIP } from '../src/weights/index.ts';
import { loaderOf } from './lib/loader-of.ts';
import { printScore, scoreLineage } from './lib/score.ts';
import { loadZoo } from './lib/zoo.ts';

const args = process.argv.slice(2);
const flag = (name: string) => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
};
const dir = args[0];
if (dir === undefined || dir.startsWith('--')) {
  process.stderr.write('usage: node bench/zoo-offline.ts DIR [--cache FILE] [--json] [--methods a,b]\n');
  process.exit(64);
}
const cacheFile = flag('--cache');
const { models, truth } = await loadZoo(dir, cacheFile === undefined ? {} : { cacheFile });
const known = new Map(Object.entries(truth));
const samples = new Map(
  models.flatMap((m) => (m.fingerprint ? [[m.repo, m.fingerprint.tensors] as const] : [])),
);
const lineageModels: LineageModel[] = models.flatMap(({ repo, owner, createdAt, fingerprint }) =>
  fingerprint ? [{ repo, owner, createdAt, fingerprint }] : [],
);
/** Ours, and the baselines every report shows; any other method by name. */
const SHOWN = 'hublineage,nearest-earlier,model-atlas,mother,kmeans-after,kmeans-along,majority-hub';
const methods = (flag('--methods') ?? SHOWN).split(',');
const results: Record<string, unknown> = {};
for (const method of methods) {
  const started = performance.now();
  const result = await inferLineage(lineageModels, loaderOf(samples), {
    method,
    seed: 1,
    minProbability: DEFAULT_MIN_PROBABILITY,
    roundTrip: ROUND_TRIP,
    positions: createPositionsOf(DEFAULT_SAMPLING),
  });
  const score = scoreLineage(known, result);
  results[method] = { seconds: (performance.now() - started) / 1000, ...score };
  if (!args.includes('--json')) process.stdout.write(`${printScore(method, score)}\n\n`);
}
if (args.includes('--json')) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
