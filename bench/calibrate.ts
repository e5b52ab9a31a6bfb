/**
 * `node bench/calibrate.ts [ZOO_DIR [--cache FILE]] [--keep]`: fits the numbers of src/lineage/calibration.ts on generated families and on half of a
 * zoo (the families whose root's name hashes even), tests them on other seeds and the other half, and writes data/calibration/hublineage.json.
 * Each hub is seen whole and in random parts, as a real index always lacks some parents: there the nearest ancestor present is right.
 * Search: coordinate-wise over the weights for the least log loss of rank-1 edges; then a Platt line from raw to honest log-odds among the
 * candidates (times the chance that the real parent is one of them), and a cap at what the number of edges seen can vouch for.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { DEFAULT_SAMPLING } from '../src/fingerprint/index.ts';
import { type Calibration, DEFAULT_CALIBRATION, inferLineage } from '../src/lineage/index.ts';
import { createRandom, hashText } from '../src/lineage/numeric/random.ts';
import { calibrate } from '../src/lineage/probability.ts';
import { createPositionsOf } from '../src/refresh/positions-of.ts';
import type { SampleLoader, TensorSample } from '../src/types/fingerprint.ts';
import type { LineageModel } from '../src/types/lineage.ts';
import { ROUND_TRIP } from '../src/weights/index.ts';
import { generateFamilies } from './lib/families.ts';
import { roundTripBlocks } from './lib/ggml-round-trip.ts';
import { type KnownLineage, type LineageScore, scoreLineage } from './lib/score.ts';
import { loadZoo } from './lib/zoo.ts';

interface Problem {
  models: LineageModel[];
  samples: ReadonlyMap<string, TensorSample[]>;
  truth: ReadonlyMap<string, KnownLineage>;
  zoo: boolean;
}

interface Outcome {
  /** log-odds of the chosen among its rivals */
  raw: number;
  /** probability that the real parent, or an ancestor, is among them at all */
  rightWay: number;
  right: boolean;
  /** the child is a merge that was not seen as one: counts for the cap, tells nothing about the slope */
  missedMerge: boolean;
}

const VALUES = 256;
/** Booked after the candidates have been weighed against one another. */
const NOT_RAW = new Set(['calibration', 'direction', 'same-after-permutation']);

function generated(seed: number, families = 3, size = 30): Problem {
  const hub = generateFamilies({
    seed,
    families,
    size,
    valuesPerTensor: VALUES,
    attachment: seed % 2 === 0 ? 1.5 : 0.5,
    // a third of generated merges leave nothing to see; more of them would make every other edge look unsure
    shares: { merge: 0.03 },
  });
  return { ...hub, zoo: false };
}

async function halvesOfZoo(dir: string, cacheFile: string | undefined): Promise<[Problem, Problem]> {
  const { models, truth } = await loadZoo(dir, cacheFile === undefined ? {} : { cacheFile });
  const rootOf = (repo: string): string =>
    truth[repo]!.parents[0] ? rootOf(truth[repo]!.parents[0]!) : repo;
  const half = (odd: number): Problem => {
    const kept = models.filter((m) => m.fingerprint && hashText(rootOf(m.repo)) % 2 === odd);
    return {
      models: kept.map(({ repo, owner, createdAt, fingerprint }) => ({
        repo,
        owner,
        createdAt,
        fingerprint: fingerprint!,
      })),
      samples: new Map(kept.map((m) => [m.repo, m.fingerprint!.tensors])),
      truth: new Map(kept.map((m) => [m.repo, truth[m.repo]!])),
      zoo: true,
    };
  };
  return [half(0), half(1)];
}

async function run(problem: Problem, calibration: Calibration) {
  const load: SampleLoader = async (repos) =>
    new Map(repos.flatMap((r) => (problem.samples.has(r) ? [[r, problem.samples.get(r)!] as const] : [])));
  const result = await inferLineage(problem.models, load, {
    method: 'hublineage',
    seed: 1,
    minProbability: 0,
    calibration,
    roundTrip: problem.zoo ? ROUND_TRIP : roundTripBlocks,
    positions: problem.zoo
      ? createPositionsOf(DEFAULT_SAMPLING)
      : (_, shape) =>
          shape.length < 2
            ? null
            : {
                rows: Int32Array.from({ length: VALUES }, (_, i) => Math.floor(i / 64)),
                cols: Int32Array.from({ length: VALUES }, (_, i) => i % 64),
              },
  });
  const rawOf = new Map<string, number>();
  for (const e of result.evidence) {
    if (NOT_RAW.has(e.probe)) continue;
    const key = `${e.child} ${e.parent}`;
    rawOf.set(key, (rawOf.get(key) ?? 0) + e.logOdds);
  }
  const originalOf = (repo: string): string => {
    const known = problem.truth.get(repo);
    return known && (known.relation === 'duplicate' || known.relation === 'cast') && known.parents[0]
      ? originalOf(known.parents[0])
      : repo;
  };
  const present = new Set(problem.models.map((m) => originalOf(m.repo)));
  const nearestAncestors = (repo: string): string[] => {
    const above = (problem.truth.get(originalOf(repo))?.parents ?? []).map(originalOf);
    const here = above.filter((p) => present.has(p));
    return here.length > 0 ? here : above.flatMap(nearestAncestors);
  };
  const outcomes = result.edges
    .filter(
      (e) =>
        e.rank === 1 &&
        e.parentKind === 'repo' &&
        (e.method === 'tree' || e.method === 'layers') &&
        e.relation !== 'quantized',
    )
    .map((e): Outcome => {
      const raw = rawOf.get(`${e.child} ${e.parent}`) ?? 0;
      const attached = 1 / (1 + Math.exp(-calibrate(raw, calibration)));
      return {
        raw,
        rightWay: Math.max(1e-6, Math.min(1, e.probability / attached)),
        right:
          originalOf(e.parent) === originalOf(e.child) ||
          nearestAncestors(e.child).includes(originalOf(e.parent)),
        missedMerge: problem.truth.get(e.child)?.relation === 'merge',
      };
    });
  return { outcomes, score: scoreLineage(problem.truth, result) };
}

interface Line {
  slope: number;
  intercept: number;
}

const probabilityOf = ({ raw, rightWay }: Outcome, { slope, intercept }: Line, cap = 6): number =>
  rightWay / (1 + Math.exp(-Math.max(-cap, Math.min(cap, slope * raw + intercept))));

/** Least mean log loss by a grid over the line: two parameters, and no step size to go wrong. */
function fitLine(all: readonly Outcome[]): Line {
  const outcomes = all.filter((o) => !o.missedMerge);
  let best = { slope: 1, intercept: 0, loss: Number.POSITIVE_INFINITY };
  for (let slope = 0.2; slope <= 1.5; slope += 0.05)
    for (let intercept = -1; intercept <= 2; intercept += 0.1) {
      const loss =
        meanLogLoss(outcomes, { slope, intercept }) + 0.002 * (slope - 1) ** 2 + 0.002 * intercept ** 2;
      if (loss < best.loss) best = { slope, intercept, loss };
    }
  return { slope: Math.round(best.slope * 100) / 100, intercept: Math.round(best.intercept * 100) / 100 };
}

function meanLogLoss(outcomes: readonly Outcome[], line: Line): number {
  let sum = 0;
  for (const o of outcomes) {
    const p = Math.max(1e-6, Math.min(1 - 1e-6, probabilityOf(o, line)));
    sum -= Math.log(o.right ? p : 1 - p);
  }
  return sum / Math.max(1, outcomes.length);
}

/** Among edges surer than 4 and with little doubt that the parent is there, the share that is right, by the rule of succession. */
function fitCap(outcomes: readonly Outcome[], line: { slope: number; intercept: number }): number {
  const sure = outcomes.filter((o) => line.slope * o.raw + line.intercept > 4 && o.rightWay > 0.97);
  const right = sure.filter((o) => o.right).length;
  const p = (right + 1) / (sure.length + 2);
  return Math.log(p / (1 - p));
}

/** Expected calibration error over all rank-1 edges of several hubs, ten bins. */
function pooledError(scores: readonly LineageScore[]): number {
  const bins = Map.groupBy(
    scores.flatMap((s) => s.reliability),
    (b) => b.from,
  );
  let gap = 0;
  let edges = 0;
  for (const bin of bins.values()) {
    gap += Math.abs(bin.reduce((sum, b) => sum + b.edges * (b.claimed - b.right), 0));
    edges += bin.reduce((sum, b) => sum + b.edges, 0);
  }
  return gap / Math.max(1, edges);
}

function logLoss(outcomes: readonly Outcome[]): number {
  const seen = outcomes.filter((o) => !o.missedMerge);
  return meanLogLoss(seen, fitLine(seen));
}

/** What is left of a hub when every model is kept with the probability `share`. */
function partOf(problem: Problem, share: number, seed: number): Problem {
  const random = createRandom(seed);
  return { ...problem, models: problem.models.filter(() => random() < share) };
}

function withParts(problem: Problem, seeds: readonly number[]): Problem[] {
  return [problem, ...seeds.flatMap((seed) => [0.5, 0.7, 0.9].map((share) => partOf(problem, share, seed)))];
}

/** Claimed against right in ten bins, and the share of edges surer than .95 that are wrong. */
function reliability(outcomes: readonly Outcome[], line: Line, cap: number) {
  const rated = outcomes
    .map((o) => ({ p: probabilityOf(o, line, cap), right: o.right }))
    .filter((o) => o.p >= 0.5);
  const bins = [...Map.groupBy(rated, (o) => Math.min(9, Math.floor(o.p * 10)))].sort(([a], [b]) => a - b);
  const rows = bins.map(([bin, of]) => ({
    from: bin / 10,
    edges: of.length,
    claimed: of.reduce((sum, o) => sum + o.p, 0) / of.length,
    right: of.filter((o) => o.right).length / of.length,
  }));
  const sure = rated.filter((o) => o.p > 0.95);
  return {
    calibrationError: rows.reduce(
      (sum, r) => sum + (r.edges * Math.abs(r.claimed - r.right)) / rated.length,
      0,
    ),
    wrongThoughSure: sure.filter((o) => !o.right).length / Math.max(1, sure.length),
    rows,
  };
}

const [dir] = process.argv.slice(2);
const cacheAt = process.argv.indexOf('--cache');
// one large hub in each set: small families alone would call attachment worthless
const train: Problem[] = [
  ...[101, 102, 103, 104].flatMap((seed) => withParts(generated(seed), [seed])),
  generated(106, 1, 140),
];
const test: Problem[] = [...[201, 202, 203].map((seed) => generated(seed)), generated(206, 1, 140)];
const parts: Problem[] = [201, 202].flatMap((seed) => withParts(generated(seed), [seed]).slice(1));
if (dir !== undefined && !dir.startsWith('--')) {
  const [even, odd] = await halvesOfZoo(dir, cacheAt > 0 ? process.argv[cacheAt + 1] : undefined);
  train.push(...withParts(even, [11, 12, 13, 14]));
  test.push(odd);
  parts.push(...withParts(odd, [21, 22, 23, 24]).slice(1));
}
const evaluate = async (problems: readonly Problem[], calibration: Calibration) => {
  const runs = [];
  for (const problem of problems) runs.push(await run(problem, calibration));
  return { outcomes: runs.flatMap((r) => r.outcomes), scores: runs.map((r) => r.score) };
};
const raw: Calibration = { ...DEFAULT_CALIBRATION, slope: 1, intercept: 0, cap: 40 };
let best = { calibration: raw, loss: logLoss((await evaluate(train, raw)).outcomes) };
const keep = process.argv.includes('--keep');
const grid: [keyof Calibration, number[]][] = keep
  ? []
  : [
      ['hiddenRoot', [-2.5, -2, -1.4, -0.8]],
      ['hiddenHub', [-2, -1.5, -1, -0.5]],
      // below .5 light children of a hub of hundreds take each other for parents (85 against 100 % right at 140 members)
      ['rootHub', [1.5, 2, 3]],
    ];
for (const [key, values] of grid)
  for (const value of values) {
    const calibration = { ...best.calibration, [key]: value };
    const loss = logLoss((await evaluate(train, calibration)).outcomes);
    process.stderr.write(`${key} ${value}: log loss ${loss.toFixed(4)}\n`);
    if (loss < best.loss) best = { calibration, loss };
  }
const fitted = await evaluate(train, best.calibration);
const line = keep ? DEFAULT_CALIBRATION : fitLine(fitted.outcomes);
const calibration: Calibration = keep
  ? DEFAULT_CALIBRATION
  : {
      ...best.calibration,
      ...line,
      cap: Math.min(6.5, Math.max(3, fitCap(fitted.outcomes, line))),
      source: `fitted on ${fitted.outcomes.length} edges of ${train.length} hubs`,
    };
const held = await evaluate(test, calibration);
const heldParts = await evaluate(parts, { ...calibration, slope: 1, intercept: 0, cap: 40 });
await mkdir('data/calibration', { recursive: true });
const document = {
  calibration,
  train: {
    edges: fitted.outcomes.length,
    logLoss: meanLogLoss(
      fitted.outcomes.filter((o) => !o.missedMerge),
      line,
    ),
  },
  test: {
    calibrationError: pooledError(held.scores),
    parts: reliability(heldParts.outcomes, line, calibration.cap),
    hubs: held.scores.map((s) => ({
      models: s.all.total,
      right: s.all.right,
      inTieSet: s.all.inTieSet,
      calibrationError: s.calibrationError,
      reliability: s.reliability,
    })),
  },
};
await writeFile('data/calibration/hublineage.json', `${JSON.stringify(document, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
