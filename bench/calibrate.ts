/**
 * `node bench/calibrate.ts [--train DIR]... [--test DIR]... [--cache SUFFIX] [--priors] [--keep] [--write]`: fits the numbers of
 * src/lineage/calibration.ts and tests them on what the fit did not see.
 *
 * The map is fitted on the zoos given with `--train` (without any, on generated families), priors on both; tested on generated families of
 * other seeds and on the zoos given with `--test`.
 * With one zoo and no other, half of its families are for the fit and half for the test. Every hub is seen whole and in random parts, as a
 * real index always lacks some parents: the nearest ancestor present is right there.
 *
 * Line, cap and root support are fitted to what was inferred, for the least log loss of tree edges. With `--priors` the priors that shape
 * trees are tried first, one by one, each with its own fit. `--keep` only tests what is in use; `--write` puts the result into data/calibration/hublineage.json.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { type Calibration, DEFAULT_CALIBRATION } from '../src/lineage/index.ts';
import {
  generatedProblem,
  halfOf,
  inferOutcomes,
  type Outcome,
  type Problem,
  partsOf,
  zooProblem,
} from './lib/calibration-problems.ts';
import { fitMap, meanLogLoss } from './lib/fit-calibration.ts';
import { measureReliability, type Reliability } from './lib/reliability.ts';
import { table } from './lib/table.ts';

const { values } = parseArgs({
  options: {
    train: { type: 'string', multiple: true, default: [] },
    test: { type: 'string', multiple: true, default: [] },
    /** fingerprints of DIR are kept in DIR + this */
    cache: { type: 'string' },
    priors: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

/** One large hub in each set: small families alone would call attachment worthless. */
const LARGE_HUB = { families: 1, size: 140 };
const generateHubs = (): Problem[] => [
  ...[101, 102, 103, 104].flatMap((seed) => {
    const whole = generatedProblem(seed);
    return [whole, ...partsOf(whole, [seed])];
  }),
  generatedProblem(106, LARGE_HUB),
];
const generated = values.priors || values.train.length === 0 ? generateHubs() : [];
const trained: Problem[] = [];
const test: Problem[] = [
  ...[201, 202, 203].map((seed) => generatedProblem(seed)),
  generatedProblem(206, LARGE_HUB),
];
const testParts: Problem[] = [201, 202].flatMap((seed) => partsOf(generatedProblem(seed), [seed]));

const cacheOf = (dir: string) => (values.cache === undefined ? undefined : `${dir}${values.cache}`);
const zoos = async (dirs: readonly string[]) =>
  Promise.all(dirs.map((dir) => zooProblem(basename(dir), dir, cacheOf(dir))));
let fitOn = await zoos(values.train);
let testOn = await zoos(values.test);
if (fitOn.length === 1 && testOn.length === 0)
  [fitOn, testOn] = [[halfOf(fitOn[0]!, 0)], [halfOf(fitOn[0]!, 1)]];
for (const zoo of fitOn) trained.push(zoo, ...partsOf(zoo, [11, 12]), ...partsOf(zoo, [13], [0.5]));
for (const zoo of testOn) {
  test.push(zoo);
  testParts.push(...partsOf(zoo, [21, 22]), ...partsOf(zoo, [23], [0.5]));
}

async function infer(problems: readonly Problem[], calibration: Calibration, unfitted: boolean) {
  const outcomes: Outcome[] = [];
  for (const problem of problems) outcomes.push(...(await inferOutcomes(problem, calibration, unfitted)));
  return outcomes;
}

/**
 * Least log loss that any map could reach with these priors. The map is that of trained models: how sure to be is a property of real weights,
 * and a fit that took generated ones along was further off on zoos that neither had seen. Priors are judged by both.
 */
async function fitWith(priors: Calibration) {
  const real = await infer(trained, priors, true);
  const outcomes = [...real, ...(await infer(generated, priors, true))];
  const map = fitMap(real.length > 0 ? real : outcomes);
  return { calibration: { ...priors, ...map }, loss: meanLogLoss(outcomes, map), edges: outcomes.length };
}

let calibration = DEFAULT_CALIBRATION;
let fitted: { loss: number; edges: number } | null = null;
if (!values.keep) {
  const grid: [keyof Calibration, number[]][] = [
    ['hiddenRoot', [-3.5, -2.5, -1.5]],
    ['hiddenHub', [-2.5, -1.5, -0.5]],
    // below .5 light children of a hub of hundreds take each other for parents (85 against 100 % right at 140 members)
    ['rootHub', [1.5, 2, 3]],
  ];
  let best = await fitWith(DEFAULT_CALIBRATION);
  for (const [key, choices] of values.priors ? grid : [])
    for (const value of choices) {
      if (best.calibration[key] === value) continue;
      const tried = await fitWith({ ...best.calibration, [key]: value });
      process.stderr.write(`${key} ${value}: log loss ${tried.loss.toFixed(4)}\n`);
      if (tried.loss < best.loss) best = tried;
    }
  calibration = {
    ...best.calibration,
    source: `fitted on ${best.edges} edges of ${trained.length || generated.length} hubs, whole and in parts`,
  };
  fitted = { loss: best.loss, edges: best.edges };
}

const held: { name: string; outcomes: Outcome[] }[] = [];
for (const problem of test)
  held.push({ name: problem.name, outcomes: await inferOutcomes(problem, calibration, false) });
held.push({ name: 'parts of these', outcomes: await infer(testParts, calibration, false) });

const outcomes = held.flatMap((h) => h.outcomes);
const all = measureReliability(outcomes);
const report = held.map((h) => ({ name: h.name, ...measureReliability(h.outcomes) }));
const byMethod = [...Map.groupBy(outcomes, (o) => `${o.method} ${o.relation}`)].map(([name, of]) => ({
  name,
  ...measureReliability(of),
}));
const { source: _, ...numbers } = calibration;
process.stdout.write(`${JSON.stringify(numbers)}\n\n`);
process.stdout.write(
  `${table(
    ['held out', 'edges', 'claimed', 'right', 'wrong though sure (> 0.95)', 'calibration error'],
    [...report, ...byMethod].map(toRow),
  )}\n\n`,
);
process.stdout.write(
  `${table(
    ['probability, all', 'edges', 'claimed', 'right'],
    all.rows.map((r) => [r.from.toFixed(1), r.edges, r.claimed.toFixed(3), r.right.toFixed(3)]),
  )}\n`,
);

function toRow(r: Reliability & { name: string }) {
  const mean = (of: 'claimed' | 'right') =>
    r.rows.reduce((sum, row) => sum + row.edges * row[of], 0) / Math.max(1, r.edges);
  return [
    r.name,
    r.edges,
    mean('claimed').toFixed(3),
    mean('right').toFixed(3),
    r.wrongThoughSure.toFixed(3),
    r.calibrationError.toFixed(3),
  ];
}

if (values.write) {
  const document = { calibration, train: fitted, test: { all, sets: report } };
  await mkdir('data/calibration', { recursive: true });
  await writeFile('data/calibration/hublineage.json', `${JSON.stringify(document, null, 2)}\n`);
}
