/** Fits the map from what the engine computes to honest probabilities: the line, its cap, and how many children make a root credible. */
import type { Calibration } from '../../src/lineage/index.ts';
import { calibrate, logistic, probabilityOfRoot } from '../../src/lineage/probability.ts';
import type { Outcome } from './calibration-problems.ts';

type FittedMap = Pick<Calibration, 'slope' | 'intercept' | 'cap' | 'rootSupport' | 'rootSupportGrowth'>;

/** Start, lower and upper bound, and first step of each number. Bounds keep a thin sample from saying something absurd. */
const RANGES: Record<keyof FittedMap, [start: number, low: number, high: number, step: number]> = {
  slope: [0.5, 0.15, 1.2, 0.2],
  intercept: [1, -1, 4, 0.5],
  cap: [5, 3, 6.5, 0.5],
  rootSupport: [2.5, 0.5, 10, 1],
  rootSupportGrowth: [1.8, 0.5, 3, 0.4],
};
const NAMES = Object.keys(RANGES) as (keyof FittedMap)[];

/** The probability that the map gives an edge, as src/lineage computes it. */
function mappedProbability(o: Outcome, map: FittedMap): number {
  if (o.raw === null) return o.probability;
  return o.rightWay * probabilityOfRoot(o.rootChildren, map) * logistic(calibrate(o.raw, map));
}

/** Mean log loss over the edges that the map speaks of. */
export function meanLogLoss(outcomes: readonly Outcome[], map: FittedMap): number {
  let sum = 0;
  let count = 0;
  for (const o of outcomes) {
    if (o.raw === null || o.missedMerge) continue;
    const p = Math.max(1e-6, Math.min(1 - 1e-6, mappedProbability(o, map)));
    sum -= Math.log(o.right ? p : 1 - p);
    count++;
  }
  return sum / Math.max(1, count);
}

/** Least log loss by pattern search: five numbers, a smooth loss, no step size to go wrong. */
export function fitMap(outcomes: readonly Outcome[]): FittedMap {
  const map = Object.fromEntries(NAMES.map((name) => [name, RANGES[name][0]])) as unknown as FittedMap;
  const steps = new Map(NAMES.map((name) => [name, RANGES[name][3]]));
  let loss = meanLogLoss(outcomes, map);
  for (let round = 0; round < 200; round++) {
    let moved = false;
    for (const name of NAMES) {
      const [, low, high] = RANGES[name];
      for (const sign of [1, -1]) {
        const tried = {
          ...map,
          [name]: Math.max(low, Math.min(high, map[name] + sign * steps.get(name)!)),
        };
        const triedLoss = meanLogLoss(outcomes, tried);
        if (triedLoss < loss - 1e-7) {
          Object.assign(map, tried);
          loss = triedLoss;
          moved = true;
          break;
        }
      }
    }
    if (moved) continue;
    for (const name of NAMES) steps.set(name, steps.get(name)! / 2);
    if (steps.get('slope')! < 0.005) break;
  }
  for (const name of NAMES) map[name] = Math.round(map[name] * 100) / 100;
  return map;
}
