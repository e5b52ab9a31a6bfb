import type { PhylogenyModel } from './model.ts';
import type { PairLogits } from './score-pairs.ts';
import type { LabelledSet } from './train.ts';

/** Log-odds of one pair against everything else, "none" included, before calibration. */
export function rawLogOdds(logits: PairLogits, offsets: Int32Array): Float32Array {
  const odds = new Float32Array(logits.pairs.length);
  for (let child = 0; child + 1 < offsets.length; child++) {
    const [from, to] = [offsets[child]!, offsets[child + 1]!];
    const none = logits.none[child]!;
    for (let e = from; e < to; e++) {
      let top = none;
      for (let k = from; k < to; k++) if (k !== e) top = Math.max(top, logits.pairs[k]!);
      let others = Math.exp(none - top);
      for (let k = from; k < to; k++) if (k !== e) others += Math.exp(logits.pairs[k]! - top);
      odds[e] = logits.pairs[e]! - top - Math.log(others);
    }
  }
  return odds;
}

/** Honest log-odds of every pair, capped: the detector never says more than one in four hundred. */
export function pairLogOdds(
  logits: PairLogits,
  offsets: Int32Array,
  { slope, intercept }: PhylogenyModel['calibration'],
): Float32Array {
  return rawLogOdds(logits, offsets).map((raw) => Math.max(-6, Math.min(6, slope * raw + intercept)));
}

/**
 * Logistic regression of "is a true parent" on the raw log-odds of each child's best candidate (Platt 1999), by Newton's method with a
 * little pull towards the identity. Fitted on sets that the weights were not trained on.
 */
export function fitCalibration(
  sets: readonly LabelledSet[],
  rate: (set: LabelledSet) => PairLogits,
): PhylogenyModel['calibration'] {
  const points: { raw: number; right: number }[] = [];
  for (const set of sets) {
    const { offsets, candidates } = set.table;
    const odds = rawLogOdds(rate(set), offsets);
    set.parents.forEach((parents, child) => {
      let best = -1;
      for (let e = offsets[child]!; e < offsets[child + 1]!; e++)
        if (best < 0 || odds[e]! > odds[best]!) best = e;
      if (best >= 0)
        points.push({
          raw: Math.max(-15, Math.min(15, odds[best]!)),
          right: parents.includes(candidates[best]!) ? 1 : 0,
        });
    });
  }
  return fitLogistic(points);
}

/** Newton's method with steps halved until the penalised likelihood grows: far from the optimum the full step overshoots. */
function fitLogistic(points: readonly { raw: number; right: number }[]): PhylogenyModel['calibration'] {
  const costOf = (slope: number, intercept: number) => {
    let cost = 0.5 * (intercept ** 2 + (slope - 1) ** 2);
    for (const { raw, right } of points) {
      const x = slope * raw + intercept;
      cost += Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - right * x;
    }
    return cost;
  };
  let slope = 1;
  let intercept = 0;
  let cost = costOf(slope, intercept);
  for (let round = 0; round < 50; round++) {
    let [g0, g1, h00, h01, h11] = [intercept, slope - 1, 1, 0, 1];
    for (const { raw, right } of points) {
      const p = 1 / (1 + Math.exp(-(slope * raw + intercept)));
      const w = p * (1 - p);
      g0 += p - right;
      g1 += (p - right) * raw;
      h00 += w;
      h01 += w * raw;
      h11 += w * raw * raw;
    }
    const det = h00 * h11 - h01 * h01;
    const [d0, d1] = [(h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det];
    let step = 1;
    while (step > 1e-6 && costOf(slope - step * d1, intercept - step * d0) > cost) step /= 2;
    intercept -= step * d0;
    slope -= step * d1;
    const next = costOf(slope, intercept);
    if (cost - next < 1e-9) break;
    cost = next;
  }
  return { slope, intercept };
}
