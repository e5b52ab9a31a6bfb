/**
 * `node bench/detector.ts [ZOO_DIR [--cache FILE]] [--only generated|zoo] [--json]`: what the learned detector adds to the engine. The same families with the
 * detector as one more probe, at several weights, on generated families of seeds it was never trained on, and on a zoo's families; how
 * many of those were in training is told.
 */
import { DEFAULT_MIN_PROBABILITY } from '../src/config/index.ts';
import { DEFAULT_SAMPLING } from '../src/fingerprint/index.ts';
import { inferLineage, type LineageOptions } from '../src/lineage/index.ts';
import { DETECTOR_FOLDER, readSets } from '../src/refresh/detector/files.ts';
import { readPhylogenyModel } from '../src/refresh/index.ts';
import { createPositionsOf } from '../src/refresh/positions-of.ts';
import type { TensorSample } from '../src/types/fingerprint.ts';
import type { LineageModel } from '../src/types/lineage.ts';
import { ROUND_TRIP } from '../src/weights/index.ts';
import { drawFamilies } from './lib/detector-sets.ts';
import { type GeneratedHub, generateFamilies } from './lib/families.ts';
import { roundTripBlocks } from './lib/ggml-round-trip.ts';
import { loaderOf } from './lib/loader-of.ts';
import { type KnownLineage, scoreLineage } from './lib/score.ts';
import { percent, table } from './lib/table.ts';
import { type Truth, trueRoot } from './lib/truth.ts';
import { loadZoo } from './lib/zoo.ts';

interface Problem {
  name: string;
  models: LineageModel[];
  samples: ReadonlyMap<string, TensorSample[]>;
  truth: ReadonlyMap<string, KnownLineage>;
  options: Partial<LineageOptions>;
}

const WEIGHTS = [0, 0.1, 0.25, 0.5, 1];
const args = process.argv.slice(2);
const detector = await readPhylogenyModel();
const problems: Problem[] = [];
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
for (let seed = 300_001; seed <= 300_030 && only !== 'zoo'; seed++) {
  const hub: GeneratedHub = generateFamilies({ ...drawFamilies(seed), missingRoots: 0 });
  problems.push({
    name: 'generated, as trained on',
    ...hub,
    options: { roundTrip: roundTripBlocks },
  });
}
for (let seed = 300_101; seed <= 300_106 && only !== 'zoo'; seed++)
  problems.push({
    name: 'generated, larger and of another recipe',
    ...generateFamilies({
      seed,
      families: 2,
      size: 60,
      valuesPerTensor: 256,
      attachment: seed % 2 ? 1.5 : 0.3,
    }),
    options: { roundTrip: roundTripBlocks },
  });
const [dir] = args;
if (dir !== undefined && !dir.startsWith('--') && only !== 'generated') {
  const at = args.indexOf('--cache');
  const zoo = await loadZoo(dir, at < 0 ? {} : { cacheFile: args[at + 1]! });
  const read = zoo.models.filter((m) => m.fingerprint !== null);
  const trainedOn = new Set(
    (await readSets(DETECTOR_FOLDER, 'phylogeny-zoo-train')).map((set) => set.family),
  );
  const roots = new Set(read.map(({ repo }) => trueRoot(zoo.truth as Truth, repo)));
  const seen = [...roots].filter((root) => trainedOn.has(root)).length;
  problems.push({
    name: `zoo (${seen} of its ${roots.size} families were trained on)`,
    models: read.map(({ repo, owner, createdAt, fingerprint }) => ({
      repo,
      owner,
      createdAt,
      fingerprint: fingerprint!,
    })),
    samples: new Map(read.map((m) => [m.repo, m.fingerprint!.tensors])),
    truth: new Map(Object.entries(zoo.truth)),
    options: { roundTrip: ROUND_TRIP, positions: createPositionsOf(DEFAULT_SAMPLING) },
  });
}

const rows = [];
for (const [name, group] of Map.groupBy(problems, (p) => p.name))
  for (const weight of WEIGHTS) {
    let right = 0;
    let strict = 0;
    let total = 0;
    const started = performance.now();
    for (const { models, samples, truth, options } of group) {
      const result = await inferLineage(models, loaderOf(samples), {
        method: 'hublineage',
        seed: 1,
        minProbability: DEFAULT_MIN_PROBABILITY,
        ...options,
        ...(weight > 0 ? { detectors: { phylogeny: detector, weight } } : {}),
      });
      const { all } = scoreLineage(truth, result);
      right += all.right;
      strict += all.strict;
      total += all.total;
    }
    rows.push({
      families: name,
      weight,
      children: total,
      right: right / total,
      strict: strict / total,
      seconds: (performance.now() - started) / 1000,
    });
  }
if (args.includes('--json')) console.log(JSON.stringify(rows, null, 2));
else
  console.log(
    table(
      ['families', 'weight of the detector', 'children', 'parent right', 'strict', 'seconds'],
      rows.map((r) => [
        r.families,
        r.weight === 0 ? 'off' : r.weight,
        r.children,
        percent(r.right),
        percent(r.strict),
        r.seconds.toFixed(1),
      ]),
    ),
  );
