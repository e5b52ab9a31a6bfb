/** What the calibration is fitted on and tested on: hubs with known lineage, whole and with models missing, and what was inferred of them. */
import { DEFAULT_MIN_PROBABILITY } from '../../src/config/index.ts';
import { DEFAULT_SAMPLING } from '../../src/fingerprint/index.ts';
import { type Calibration, inferLineage } from '../../src/lineage/index.ts';
import { createRandom, hashText } from '../../src/lineage/numeric/random.ts';
import { calibrate, logistic } from '../../src/lineage/probability.ts';
import { createPositionsOf } from '../../src/refresh/positions-of.ts';
import type { TensorSample } from '../../src/types/fingerprint.ts';
import type { LineageModel } from '../../src/types/lineage.ts';
import { ROUND_TRIP } from '../../src/weights/index.ts';
import { type FamiliesOptions, generateFamilies, positionsOfGenerated } from './families.ts';
import { roundTripBlocks } from './ggml-round-trip.ts';
import { loaderOf } from './loader-of.ts';
import { createNearestAncestors, createOriginalOf, type KnownParents } from './truth.ts';
import { loadZoo } from './zoo.ts';

export interface Problem {
  name: string;
  models: LineageModel[];
  samples: ReadonlyMap<string, TensorSample[]>;
  truth: Readonly<Record<string, KnownParents>>;
  /** values a matrix of generated models; null for a zoo's */
  values: number | null;
}

/** One edge of rank 1, as far as its probability goes. */
export interface Outcome {
  method: string;
  relation: string;
  /** what the engine says with the calibration it was given */
  probability: number;
  /** log-odds of the chosen among its rivals; null where that is not fitted here */
  raw: number | null;
  /** probability that the edge points this way and that no hub in between is missing */
  rightWay: number;
  /** children of the root of the child's family */
  rootChildren: number;
  right: boolean;
  /** the child is a merge that was not seen as one: counts for the cap, tells nothing about the slope */
  missedMerge: boolean;
}

const VALUES = 256;
/** Booked after the candidates have been weighed against one another. */
const NOT_RAW = new Set(['calibration', 'direction', 'same-after-permutation']);
/** Odds of the root being there that no number of children is needed for: what the fit replaces by its own. */
const ROOT_IS_THERE = 1e15;
/** The line before it is fitted. */
const UNFITTED = { slope: 1, intercept: 0, cap: 40 };

export function generatedProblem(seed: number, options: Partial<FamiliesOptions> = {}): Problem {
  const hub = generateFamilies({
    seed,
    families: 3,
    size: 30,
    valuesPerTensor: VALUES,
    attachment: seed % 2 === 0 ? 1.5 : 0.5,
    // a third of generated merges leave nothing to see; more of them would make every other edge look unsure
    shares: { merge: 0.03 },
    ...options,
  });
  return {
    name: `generated ${seed}`,
    models: hub.models,
    samples: hub.samples,
    truth: Object.fromEntries(hub.truth),
    values: VALUES,
  };
}

export async function zooProblem(name: string, dir: string, cacheFile: string | undefined): Promise<Problem> {
  const { models, truth } = await loadZoo(dir, cacheFile === undefined ? {} : { cacheFile });
  const kept = models.flatMap(({ repo, owner, createdAt, fingerprint }) =>
    fingerprint ? [{ repo, owner, createdAt, fingerprint }] : [],
  );
  return {
    name,
    models: kept,
    samples: new Map(kept.map((m) => [m.repo, m.fingerprint.tensors])),
    truth,
    values: null,
  };
}

/** Whole families go to one half or the other, by the hash of their root's name. */
export function halfOf(problem: Problem, half: 0 | 1): Problem {
  const rootOf = (repo: string): string => {
    const [parent] = problem.truth[repo]?.parents ?? [];
    return parent === undefined ? repo : rootOf(parent);
  };
  return {
    ...problem,
    name: `${problem.name}, half ${half}`,
    models: problem.models.filter((m) => hashText(rootOf(m.repo)) % 2 === half),
  };
}

/** What is left of a hub when every model is kept with the probability `share`. */
export function partOf(problem: Problem, share: number, seed: number): Problem {
  const random = createRandom(seed * 1000 + Math.round(share * 100));
  return {
    ...problem,
    name: `${problem.name}, ${share * 100} % kept`,
    models: problem.models.filter(() => random() < share),
  };
}

/**
 * Parts with models missing. Of the parents that cards of the Hub name, 4.8 % had been deleted when 33,870 were looked up (Model Atlas);
 * a crawl that was cut short lacks more.
 */
export function partsOf(problem: Problem, seeds: readonly number[], shares = [0.95, 0.9, 0.7]): Problem[] {
  return seeds.flatMap((seed) => shares.map((share) => partOf(problem, share, seed)));
}

/**
 * Infers one hub and judges every edge of rank 1: right is the nearest true ancestor present, or a copy of it or of the child.
 * With `unfitted` the probabilities are those before line, cap and the root's support: what the fit starts from.
 */
export async function inferOutcomes(
  problem: Problem,
  calibration: Calibration,
  unfitted: boolean,
): Promise<Outcome[]> {
  const { models, samples, truth, values } = problem;
  const result = await inferLineage(models, loaderOf(samples), {
    method: 'hublineage',
    seed: 1,
    minProbability: unfitted ? 0 : DEFAULT_MIN_PROBABILITY,
    calibration: unfitted ? { ...calibration, ...UNFITTED, rootSupport: ROOT_IS_THERE } : calibration,
    roundTrip: values === null ? ROUND_TRIP : roundTripBlocks,
    positions: values === null ? createPositionsOf(DEFAULT_SAMPLING) : positionsOfGenerated(values),
  });
  const rawOf = new Map<string, number>();
  for (const e of result.evidence)
    if (!NOT_RAW.has(e.probe)) {
      const key = `${e.child} ${e.parent}`;
      rawOf.set(key, (rawOf.get(key) ?? 0) + e.logOdds);
    }
  const rootOf = new Map(result.families.map((f) => [f.repo, f.root]));
  const rootChildren = new Map<string, number>();
  const seen = new Set<string>();
  for (const e of result.edges) {
    if (e.rank !== 1 || seen.has(e.child)) continue;
    seen.add(e.child);
    if (e.method === 'tree' || e.relation === 'merge')
      rootChildren.set(e.parent, (rootChildren.get(e.parent) ?? 0) + 1);
  }
  const originalOf = createOriginalOf(truth);
  const present = new Set(models.map((m) => originalOf(m.repo)));
  const nearestAncestors = createNearestAncestors(truth, present);
  return result.edges
    .filter((e) => e.rank === 1 && e.parentKind === 'repo')
    .map((e): Outcome => {
      const fitted = (e.method === 'tree' || e.method === 'layers') && e.relation !== 'quantized';
      const raw = fitted ? (rawOf.get(`${e.child} ${e.parent}`) ?? 0) : null;
      const attached = raw === null ? 1 : logistic(calibrate(raw, UNFITTED));
      return {
        method: e.method,
        relation: e.relation,
        probability: e.probability,
        raw,
        rightWay: Math.max(1e-6, Math.min(1, e.probability / attached)),
        rootChildren: Math.max(1, rootChildren.get(rootOf.get(e.child) ?? e.parent) ?? 1),
        right:
          originalOf(e.parent) === originalOf(e.child) || nearestAncestors(e.child).has(originalOf(e.parent)),
        missedMerge: truth[e.child]?.relation === 'merge' && e.relation !== 'merge',
      };
    });
}
