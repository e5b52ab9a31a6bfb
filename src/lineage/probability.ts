import type { Calibration } from './calibration.ts';

/** A named share of a candidate's score. Terms of one candidate add up to its score. */
export type Terms = Readonly<Record<string, number>>;

export interface Rival {
  terms: Terms;
  score: number;
}

export interface WeighedCandidate {
  probability: number;
  /** log-odds by name; they add up to logit(probability) */
  logOdds: Record<string, number>;
}

export function logit(p: number): number {
  return Math.log(p / (1 - p));
}

export function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Probability that falls as `x` (0 or more) grows: even at `even`, and `sharpness` log-odds more for each factor e below that. */
export function fadeBeyond(even: number, x: number, sharpness: number): number {
  return logistic(sharpness * Math.log(even / Math.max(x, 1e-9)));
}

/**
 * Probability of each of several exclusive candidates (conditional logit), and where its log-odds come from.
 *
 * With w the probabilities of the rivals among themselves, logit p = s - log sum exp(s_rival). Each term is credited with its value
 * minus its w-average over the rivals; what remains, `rivals`, is minus the entropy of w: the price of having many plausible rivals.
 * `direction` is the log-odds lost to the chance that the edge points the other way or that the real parent is not in the
 * index; `calibration` what the fitted map changes before that.
 * Weighed one by one when asked for: a family's size times the square of its candidates is more than the few that are listed need.
 * @param rightWay probability that the child is not itself above the candidates, and that its parent is among them
 */
export function weighCandidates(
  candidates: readonly Rival[],
  rightWay: number,
  calibration: Calibration,
): (candidate: number) => WeighedCandidate {
  let top = Number.NEGATIVE_INFINITY;
  for (const c of candidates) top = Math.max(top, c.score);
  const weights = new Float64Array(candidates.length);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Math.exp(candidates[i]!.score - top);
    total += weights[i]!;
  }
  const names = new Set<string>();
  for (const c of candidates) for (const name in c.terms) names.add(name);
  const field = { candidates, weights, total, top, names: [...names], rightWay, calibration };
  return (i) => weighOne(field, i);
}

interface Field {
  candidates: readonly Rival[];
  /** relative to the best, which has the score `top` */
  weights: Float64Array;
  total: number;
  top: number;
  names: readonly string[];
  rightWay: number;
  calibration: Calibration;
}

function weighOne(
  { candidates, weights, total, top, names, rightWay, calibration }: Field,
  i: number,
): WeighedCandidate {
  const candidate = candidates[i]!;
  const logOdds: Record<string, number> = {};
  const others = total - weights[i]!;
  let raw: number;
  if (others > 1e-300 && candidates.length > 1) {
    raw = candidate.score - top - Math.log(others);
    let credited = 0;
    for (const name of names) {
      let mean = 0;
      for (let j = 0; j < candidates.length; j++)
        if (j !== i) mean += (weights[j]! / others) * (candidates[j]!.terms[name] ?? 0);
      const credit = (candidate.terms[name] ?? 0) - mean;
      logOdds[name] = credit;
      credited += credit;
    }
    logOdds.rivals = raw - credited;
  } else {
    // no rival worth the name: the cap speaks
    raw = calibration.cap * 2;
    for (const name of names) logOdds[name] = 0;
    logOdds.rivals = raw;
  }
  const fitted = calibrate(raw, calibration);
  logOdds.calibration = fitted - raw;
  const final = logit(clampProbability(logistic(fitted) * rightWay));
  logOdds.direction = final - fitted;
  return { probability: logistic(final), logOdds };
}

/** The fitted map from raw to honest log-odds, capped on both sides: no finding here is surer than one in a few hundred. */
export function calibrate(
  raw: number,
  { slope, intercept, cap }: Pick<Calibration, 'slope' | 'intercept' | 'cap'>,
): number {
  return Math.max(-cap, Math.min(cap, slope * raw + intercept));
}

/**
 * Probability that the root of a tree is its real root rather than the oldest of what is left, by its children: each further one that
 * branches off exactly there makes a model that is not in the index less likely. A lone pair says nothing but that it is related.
 */
export function probabilityOfRoot(
  children: number,
  { rootSupport, rootSupportGrowth }: Pick<Calibration, 'rootSupport' | 'rootSupportGrowth'>,
): number {
  const odds = rootSupport * Math.max(1, children) ** rootSupportGrowth;
  return odds / (1 + odds);
}

function clampProbability(p: number): number {
  return Math.max(1e-12, Math.min(1 - 1e-12, p));
}
