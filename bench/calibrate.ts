/**
 * `node bench/calibrate.ts [ZOO_DIR [--cache FILE]]`: fits the numbers of src/lineage/calibration.ts on generated families and on half of a
 * zoo (the families whose root's name hashes even), tests them on other seeds and the other half, and writes data/calibration/hublineage.json.
 * Search: coordinate-wise over the weights for the least log loss of rank-1 edges; then a Platt line from raw to honest log-odds, and a
 * cap at what the number of edges seen can vouch for.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { DEFAULT_SAMPLING } from '../src/fingerprint/index.ts';
import { type Calibration, DEFAULT_CALIBRATION, inferLineage } from '../src/lineage/index.ts';
import { hashText } from '../src/lineage/numeric/random.ts';
import type { SampleLoader, TensorSample } from '../src/types/fingerprint.ts';
import type { LineageModel } from '../src/types/lineage.ts';
import { ROUND_TRIP } from '../src/weights/index.ts';
import { generateFamilies } from './lib/families.ts';
import { roundTripBlocks } from './lib/ggml-round-trip.ts';
import { positionsOf } from './lib/positions.ts';
import { type KnownLineage, type LineageScore, scoreLineage } from './lib/score.ts';
import { loadZoo } from './lib/zoo.ts';

interface Problem {
  models: LineageModel[];
  samples: ReadonlyMap<string, TensorSample[]>;
  truth: ReadonlyMap<string, KnownLineage>;
  zoo: boolean;
}

interface Outcome {
  raw: number;
  right: boolean;
  /** the child is a merge that was not seen as one: counts for the cap, tells nothing about the slope */
  missedMerge: boolean;
}

const VALUES = 256;

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
      ? positionsOf(DEFAULT_SAMPLING)
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
    if (e.probe === 'calibration') continue;
    const key = `${e.child} ${e.parent}`;
    rawOf.set(key, (rawOf.get(key) ?? 0) + e.logOdds);
  }
  const canon = (repo: string): string => {
    const known = problem.truth.get(repo);
    return known && (known.relation === 'duplicate' || known.relation === 'cast') && known.parents[0]
      ? canon(known.parents[0])
      : repo;
  };
  const outcomes = result.edges
    .filter(
      (e) => e.rank === 1 && (e.method === 'tree' || e.method === 'layers' || e.method === 'transformed'),
    )
    .map(
      (e): Outcome => ({
        raw: rawOf.get(`${e.child} ${e.parent}`) ?? 0,
        right: (problem.truth.get(e.child)?.parents ?? []).map(canon).includes(canon(e.parent)),
        missedMerge: problem.truth.get(e.child)?.relation === 'merge',
      }),
    );
  return { outcomes, score: scoreLineage(problem.truth, result) };
}

const clamp = (x: number, limit: number) => Math.max(-limit, Math.min(limit, x));

/** Newton's method for right ~ logistic(slope raw + intercept), raw clipped at 12, a weak pull towards slope 1. */
function fitLine(all: readonly Outcome[]): { slope: number; intercept: number } {
  const outcomes = all.filter((o) => !o.missedMerge);
  let [slope, intercept] = [1, 0];
  for (let step = 0; step < 50; step++) {
    let [g0, g1, h00, h01, h11] = [-intercept * 0.5, -(slope - 1) * 5, 0.5, 0, 5];
    for (const { raw, right } of outcomes) {
      const x = Math.max(-12, Math.min(12, raw));
      const p = 1 / (1 + Math.exp(-(slope * x + intercept)));
      const error = (right ? 1 : 0) - p;
      g0 += error;
      g1 += error * x;
      h00 += p * (1 - p);
      h01 += p * (1 - p) * x;
      h11 += p * (1 - p) * x * x;
    }
    const det = h00 * h11 - h01 * h01;
    // damped: nearly separable outcomes send plain Newton steps off to infinity
    intercept = clamp(intercept + clamp((h11 * g0 - h01 * g1) / det, 0.3), 2);
    slope = Math.max(0.3, Math.min(2, slope + clamp((h00 * g1 - h01 * g0) / det, 0.1)));
  }
  return { slope, intercept };
}

/** Among edges surer than 4, the share that is right, by the rule of succession: nothing may claim more. */
function fitCap(outcomes: readonly Outcome[], line: { slope: number; intercept: number }): number {
  const sure = outcomes.filter((o) => line.slope * o.raw + line.intercept > 4);
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
  const { slope, intercept } = fitLine(outcomes);
  const cap = 6;
  const seen = outcomes.filter((o) => !o.missedMerge);
  return (
    seen.reduce((sum, { raw, right }) => {
      const x = Math.max(-cap, Math.min(cap, slope * raw + intercept));
      return sum + Math.log(1 + Math.exp(right ? -x : x));
    }, 0) / seen.length
  );
}

const [dir] = process.argv.slice(2);
const cacheAt = process.argv.indexOf('--cache');
// one large hub in each set: small families alone would call attachment worthless
const train: Problem[] = [...[101, 102, 103, 104].map((seed) => generated(seed)), generated(106, 1, 140)];
const test: Problem[] = [...[201, 202, 203].map((seed) => generated(seed)), generated(206, 1, 140)];
if (dir !== undefined && !dir.startsWith('--')) {
  const [even, odd] = await halvesOfZoo(dir, cacheAt > 0 ? process.argv[cacheAt + 1] : undefined);
  train.push(even);
  test.push(odd);
}
const evaluate = async (problems: readonly Problem[], calibration: Calibration) => {
  const runs = [];
  for (const problem of problems) runs.push(await run(problem, calibration));
  return { outcomes: runs.flatMap((r) => r.outcomes), scores: runs.map((r) => r.score) };
};
const raw: Calibration = { ...DEFAULT_CALIBRATION, slope: 1, intercept: 0, cap: 40 };
let best = { calibration: raw, loss: logLoss((await evaluate(train, raw)).outcomes) };
const grid: [keyof Calibration, number[]][] = [
  // below .5 light children of a hub of hundreds take each other for parents (85 against 100 % right at 140 members)
  ['hub', [0.5, 0.75]],
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
const line = fitLine(fitted.outcomes);
const calibration: Calibration = {
  ...best.calibration,
  ...line,
  cap: Math.min(6.5, Math.max(3, fitCap(fitted.outcomes, line))),
  source: `fitted on ${fitted.outcomes.length} edges of ${train.length} hubs`,
};
const held = await evaluate(test, calibration);
await mkdir('data/calibration', { recursive: true });
const document = {
  calibration,
  train: { edges: fitted.outcomes.length, logLoss: best.loss },
  test: {
    calibrationError: pooledError(held.scores),
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
