import type { Calibration } from '../calibration.ts';
import { existedBefore } from '../existed-before.ts';
import { measureBranchPoint } from './branch-point.ts';
import type { TreeNode } from './grow-tree.ts';
import type { PairTable } from './pair-table.ts';

/** What the children of a root tell about a hub that is not in the index and that the root stands in for. */
export interface HiddenHub {
  /** log-odds that there is one, prior included */
  logOdds: number;
  /** how alike the steps to its children are, seen from the root: mean of the median and the lower quartile of their cosines */
  cosine: number;
  /** children that share the way back to the hub; the others are the root's own */
  sharing: Set<number>;
}

/** More children than this only cost time. */
const MAX_CHILDREN = 16;
/** One pair of children is capped: siblings tuned on the same data may look like anything. */
const PAIR_CAP = 2.5;
/** Steps of many children tell more than those of three, but they all come from one model and one sampling. */
const MAX_REPEATS = 2;
/** Variance of a logarithm that sampling leaves even where a thing is the same for all pairs. */
const SPREAD_NOISE = 0.02;
const SHAPE_CAP = 4;
/** A stand-in is as old as any of its siblings; a root that was uploaded again is younger than its children too. */
const LATE_EACH = 0.75;
const LATE_CAP = 1.5;

/**
 * Seen from the model they were made from, the steps to its children are nearly orthogonal. If that model is missing and its lightest
 * child stands in for it, all steps share the way back from that child to the hub: r_v^2 = (d_va^2 + d_vb^2 - d_ab^2) / 2 is the same for
 * all pairs, so that no pair is orthogonal and the lower quartile of the cosines r_v^2 / sqrt((r_v^2 + r_a^2)(r_v^2 + r_b^2)) tells most:
 * siblings tuned on the same data raise some cosines, a missing hub raises all.
 *
 * Only asked at the root: further down, the parent's parent is a rival that is there. Null with fewer than two children, since a pair has
 * no geometry. Merges lie between their parents and are left out.
 */
export function measureHiddenHub(
  table: PairTable,
  nodes: readonly TreeNode[],
  root: number,
  children: readonly number[],
  calibration: Calibration,
): HiddenHub | null {
  const near = children.filter((u) => !nodes[u]!.mergeOf).slice(0, MAX_CHILDREN);
  if (near.length < 2) return null;
  const mean = new Map(near.map((u) => [u, 0]));
  const cosines: number[] = [];
  const shared: { step: number; cosine: number }[] = [];
  const away = near.map((u) => scaledDistance(table, root, u));
  for (let i = 0; i < near.length; i++)
    for (let j = i + 1; j < near.length; j++) {
      const point = measureBranchPoint(table, root, near[i]!, near[j]!);
      const back = measureBranchPoint(table, root, near[j]!, near[i]!);
      if (!point || !back) continue;
      const cosine = (point.siblingCosine + back.siblingCosine) / 2;
      cosines.push(cosine);
      const step = (away[i]! + away[j]! - scaledDistance(table, near[i]!, near[j]!)) / 2;
      shared.push({ step, cosine: step / Math.sqrt(away[i]! * away[j]!) });
      for (const u of [near[i]!, near[j]!]) mean.set(u, mean.get(u)! + cosine / (near.length - 1));
    }
  if (cosines.length === 0) return null;
  cosines.sort(leastFirst);
  const quantile = (share: number) => cosines[Math.floor(share * (cosines.length - 1))]!;
  const cosine = (quantile(0.5) + quantile(0.25)) / 2;
  const geometry =
    near.length === 2
      ? pairLogOdds(cosine)
      : Math.min(MAX_REPEATS, near.length / 3) * starLogOdds(cosine) + sharedStepLogOdds(shared, near.length);
  // of a hub that is there, few children are missed; one that is not there leaves a child to stand in for it
  const prior = calibration.hiddenHub - Math.log((near.length + 1) / 3);
  const late = near.filter((c) => !existedBefore(nodes[root]!.existedBy, nodes[c]!.existedBy)).length;
  return {
    logOdds: prior + geometry + Math.min(LATE_CAP, LATE_EACH * late),
    cosine,
    sharing: new Set(near.filter((u) => mean.get(u)! >= cosine / 2)),
  };
}

/** Density of a pair's cosine with the hub missing (beta 1.5, 2.5: stand-ins are light) over that with it there (a peak and a tail). */
function pairLogOdds(cosine: number): number {
  const x = Math.max(0.002, Math.min(0.98, cosine));
  const missing = 0.05 + 5.1 * Math.sqrt(x) * (1 - x) ** 1.5;
  const there = 0.7 * normal(cosine, 0.03, 0.08) + (cosine > 0 ? 1.5 * Math.exp(-cosine / 0.2) : 0.3);
  return Math.max(-PAIR_CAP, Math.min(PAIR_CAP, Math.log(missing / there)));
}

/** The same for the mean of median and lower quartile over three pairs or more: gamma (1.5, .1) over a peak at .02 with a tail. */
function starLogOdds(cosine: number): number {
  const x = Math.max(0.002, cosine);
  const missing = 0.1 + 35.7 * Math.sqrt(x) * Math.exp(-x / 0.1);
  const there = 0.8 * normal(cosine, 0.015, 0.03) + (cosine > 0 ? 3.3 * Math.exp(-cosine / 0.06) : 0.3);
  return Math.max(-PAIR_CAP, Math.min(PAIR_CAP, Math.log(missing / there)));
}

/**
 * What all share is one step back to the hub, r_v^2 whatever the pair; what siblings tuned on the same data share is a direction, which
 * grows with the steps of both. So with a hub missing the shared squares agree better among pairs than the cosines do.
 */
function sharedStepLogOdds(pairs: readonly SharedStep[], children: number): number {
  const positive = pairs.filter(isPositive);
  if (positive.length < 3) return 0;
  const steps = spreadOf(Float64Array.from(positive, logOfStep));
  const angles = spreadOf(Float64Array.from(positive, logOfCosine));
  const logOdds = ((children - 1) / 2) * Math.log((angles + SPREAD_NOISE) / (steps + SPREAD_NOISE));
  return Math.max(-SHAPE_CAP, Math.min(SHAPE_CAP, logOdds));
}

interface SharedStep {
  step: number;
  cosine: number;
}

function isPositive({ step, cosine }: SharedStep): boolean {
  return step > 0 && cosine > 0;
}

function logOfStep({ step }: SharedStep): number {
  return Math.log(step);
}

function logOfCosine({ cosine }: SharedStep): number {
  return Math.log(cosine);
}

/** Variance of a sample. */
function spreadOf(values: Float64Array): number {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i]!;
  mean /= values.length;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - mean) ** 2;
  return sum / (values.length - 1);
}

/** Squared distance over all common tensors, each in units of its own power and weighed by what was read of it. */
export function scaledDistance(table: PairTable, a: number, b: number): number {
  const { squared, count } = table.distances(a, b);
  let sum = 0;
  for (let t = 0; t < table.tensorCount; t++)
    if (count[t]! > 0 && table.power[t]! > 0)
      sum += ((table.weights[t]! / count[t]!) * squared[t]!) / table.power[t]!;
  return sum;
}

function leastFirst(x: number, y: number): number {
  return x - y;
}

function normal(x: number, mean: number, sd: number): number {
  return Math.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * Math.sqrt(2 * Math.PI));
}
