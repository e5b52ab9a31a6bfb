/**
 * The literature's methods beside ours on the same models: one table a kind of family, and the speed of the clusterers.
 * Usage: npm run bench:methods -- ZOO [--seeds N] [--cache FILE] [--only tables|run|toy|speed] [--json]
 */
import { parseArgs } from 'node:util';
import { DEFAULT_MIN_PROBABILITY } from '../src/config/index.ts';
import { DEFAULT_SAMPLING } from '../src/fingerprint/index.ts';
import { inferLineage, LINEAGE_METHODS } from '../src/lineage/index.ts';
import { PAIR_SCORERS, type PairScorer, type ScoredPair } from '../src/lineage/methods/index.ts';
import { loadDetectors } from '../src/refresh/detector/load-detectors.ts';
import { createPositionsOf } from '../src/refresh/positions-of.ts';
import type { SampleLoader, TensorSample } from '../src/types/fingerprint.ts';
import type { LineageModel } from '../src/types/lineage.ts';
import { measureClusterers } from './lib/clusterer-speed.ts';
import { compareWithRunning } from './lib/compare-with-running.ts';
import { generateFamilies, ONLY_FINETUNES } from './lib/families.ts';
import { loaderOf } from './lib/loader-of.ts';
import { mean, percent, runTable, speedTable, spread, toyTable } from './lib/methods-tables.ts';
import { closeOverPaths, type PairScore, scorePairs, type TrueParents } from './lib/pair-score.ts';
import { NEURAL_PHYLOGENY } from './lib/paper-figures.ts';
import { table } from './lib/table.ts';
import { measureToyNetworks, TOY_KINDS } from './lib/toy-networks.ts';
import { createOriginalOf, type Truth } from './lib/truth.ts';
import { loadZoo } from './lib/zoo.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '10' },
    cache: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const [dir] = positionals;
if (dir === undefined) {
  console.error(
    'usage: npm run bench:methods -- ZOO [--seeds N] [--cache FILE] [--only tables|run|toy|speed] [--json]',
  );
  process.exit(64);
}
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);

const positions = createPositionsOf(DEFAULT_SAMPLING);

/** Models of one kind with what is true of them. */
interface Population {
  name: string;
  kind: string;
  models: LineageModel[];
  samples: ReadonlyMap<string, TensorSample[]>;
  truth: TrueParents;
  originalOf: (repo: string) => string;
}

interface Row {
  method: string;
  runs: PairScore[];
  /** ms a run */
  wallMs: number;
}

/** Every readable full model of a family, and of those the kinds of models the papers look at: roots and what was tuned from them. */
async function readZoo(path: string): Promise<Population[]> {
  const zoo = await loadZoo(path, values.cache === undefined ? {} : { cacheFile: values.cache });
  const originalOf = createOriginalOf(zoo.truth as Truth);
  return (['llama', 'stable-diffusion'] as const).flatMap((kind) =>
    [false, true].map((tunedOnly) => {
      const own = zoo.models.flatMap(({ repo, owner, createdAt, fingerprint }) =>
        fingerprint?.family === kind &&
        fingerprint.kind === 'full' &&
        (!tunedOnly || ['root', 'finetune'].includes(zoo.truth[repo]?.relation ?? ''))
          ? [{ repo, owner, createdAt, fingerprint }]
          : [],
      );
      return {
        name: `${kind === 'llama' ? 'Llama' : 'Stable Diffusion'}, ${tunedOnly ? 'roots and fine-tunes only' : 'everything'}`,
        kind,
        models: own.map(({ fingerprint: { tensors: _, ...fingerprint }, ...model }) => ({
          ...model,
          fingerprint,
        })),
        samples: new Map(own.map(({ repo, fingerprint }) => [repo, fingerprint.tensors])),
        truth: new Map(own.map(({ repo }) => [repo, zoo.truth[repo]?.parents ?? []])),
        originalOf,
      };
    }),
  );
}

/** Small stars, every child one step from its base: what DreamBooth families look like. */
function growStars(): Population {
  const hub = generateFamilies({
    seed: 5,
    families: 8,
    size: 7,
    valuesPerTensor: 512,
    attachment: 200,
    wrongTimes: 0,
    shares: ONLY_FINETUNES,
  });
  return {
    name: 'generated small stars, DreamBooth-like',
    kind: 'dreambooth',
    models: hub.models,
    samples: hub.samples,
    truth: new Map([...hub.truth].map(([repo, { parents }]) => [repo, parents])),
    originalOf: (repo) => repo,
  };
}

/** The true number of clusters of the papers: models with children, among those of one shape. */
const countParents = (truth: TrueParents) => (repos: readonly string[]) =>
  new Set(repos.flatMap((repo) => truth.get(repo) ?? []).filter((parent) => repos.includes(parent))).size;

async function run(
  population: Population,
  method: string,
  scorer: PairScorer | undefined,
  given: boolean,
): Promise<Row> {
  const load = loaderOf(population.samples);
  const runs: PairScore[] = [];
  const from = performance.now();
  for (const seed of seeds) {
    const pairs = scorer
      ? await scorer.score(population.models, load, {
          seed,
          repeats: 1,
          positions,
          ...(given ? { clusters: countParents(population.truth) } : {}),
        })
      : await inferPairs(population, method, load, seed);
    runs.push(scorePairs(pairs, population.truth, population.originalOf));
    // without chance every further seed is the same run
    if (!scorer || /^similarity-/.test(method)) break;
  }
  return {
    method: given ? `${method}, number given` : method,
    runs,
    wallMs: (performance.now() - from) / runs.length,
  };
}

async function inferPairs(
  population: Population,
  method: string,
  load: SampleLoader,
  seed: number,
): Promise<ScoredPair[]> {
  const { edges } = await inferLineage(population.models, load, {
    method,
    seed,
    minProbability: DEFAULT_MIN_PROBABILITY,
    ...(await loadDetectors(method)),
  });
  return closeOverPaths(
    edges
      .filter(({ rank }) => rank === 1)
      .map(({ parent, child, probability }) => ({ parent, child, score: probability })),
  );
}

const averaged = (runs: readonly PairScore[], level: 0 | 1 | 2) => {
  const known = runs.flatMap(({ ancestors }) => ancestors[level] ?? []);
  return known.length === 0 ? '-' : percent(mean(known));
};

const report: object[] = [];
const wanted = (part: string) => values.only === undefined || values.only === part;
const populations = wanted('tables') || wanted('run') ? await readZoo(dir) : [];
if (wanted('tables'))
  for (const population of [...populations, growStars()]) {
    const scorers = new Map(PAIR_SCORERS.map((scorer) => [scorer.name, scorer]));
    const rows: Row[] = [];
    for (const method of LINEAGE_METHODS) {
      rows.push(await run(population, method, scorers.get(method), false));
      if (/^(kmeans|gmm)-/.test(method)) rows.push(await run(population, method, scorers.get(method), true));
    }
    report.push({ population: population.name, models: population.models.length, rows });
    if (values.json) continue;
    console.log(
      `\n### ${population.name}: ${population.models.length} models, strict accuracy over ${seeds.length} seeds, %\n`,
    );
    console.log(
      table(
        [
          'method',
          'average ± spread',
          'best',
          'of those named',
          'parent',
          'grandparent',
          'great-grandparent',
          'ms a run',
          'paper, on its own models',
        ],
        rows.map(({ method, runs, wallMs }) => {
          const strict = runs.map((score) => score.strict);
          return [
            method,
            runs.length === 1
              ? percent(strict[0] ?? 0)
              : `${percent(mean(strict))} ± ${percent(spread(strict))}`,
            percent(Math.max(...strict)),
            percent(mean(runs.map(({ precision }) => precision))),
            averaged(runs, 0),
            averaged(runs, 1),
            averaged(runs, 2),
            wallMs.toFixed(0),
            NEURAL_PHYLOGENY[population.kind]?.[method.replace(/, number given$/, '')] ?? '',
          ];
        }),
      ),
    );
  }

if (wanted('run')) {
  const llamas = populations.filter(({ kind }) => kind === 'llama');
  const compared = await compareWithRunning(dir, llamas, positions);
  report.push(compared);
  for (const { name } of values.json ? [] : llamas) console.log(runTable(name, compared));
}

if (wanted('toy'))
  for (const kind of TOY_KINDS) {
    const runs: Awaited<ReturnType<typeof measureToyNetworks>>[] = [];
    for (const seed of [1, 2, 3]) runs.push(await measureToyNetworks(kind, seed));
    report.push({ toy: kind, runs });
    if (!values.json) console.log(toyTable(kind, runs));
  }

if (wanted('speed')) {
  const rows = measureClusterers(20_000, 256);
  report.push({ speed: rows });
  if (!values.json) console.log(speedTable(rows));
}
if (values.json) console.log(JSON.stringify(report, null, 2));
