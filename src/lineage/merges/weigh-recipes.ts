/**
 * How likely the steps of one model are under two stories, value by value. A stored value is a cell of its number format; a story gives each
 * cell a probability. Tuned: some values in place, the others a continuous step, tensor by tensor. Mixed: nothing, or one of several
 * donors' steps at a fixed scale, or their sum or mean, and a few that are none of these. Steps of about one unit of the last place tell
 * little each; thousands of them tell a lot, which no count of exactly explained values shows. All steps are in units of the last place.
 */

/** Half a unit, and a little for arithmetic in float32. */
const WITHIN = 0.52;
/** Computed in half precision a sum is off by another unit. */
const NEARLY = 1.5;
const HIT = 0.97;
const NEAR_MISS = 0.014;
const MISS = 1e-7;
/** Rounds of expectation and maximisation. */
const ROUNDS = 7;
/** What scales are uncertain by, relatively, from round to round: read off a grid first, exact in the end. */
const BLURS = [0.07, 0.04, 0.025, 0.015, 0.008, 0.004, 0.002, 0.001];
/** Scales scanned: .05 to 4.6 (DARE at density .1 rescales by 10, times a weight of .4), so close that blur bridges them. */
const SCANNED = Array.from({ length: 33 }, (_, i) => 0.05 * 1.15 ** i);
/** Values looked at in a scan. */
const SCAN_VALUES = 1500;

/** Child minus base. */
export interface Steps {
  /** in units of the child's last place */
  step: Float64Array;
  /** that unit */
  ulp: Float64Array;
  /** tensor by tensor: [from, to) */
  parts: readonly { from: number; to: number }[];
}

export interface TunedStory {
  /** log probability of each value */
  log: Float64Array;
  /** probability of each value had it been tuned, not left in place */
  moved: Float64Array;
  /** log-likelihood ratio over the story in which nothing is left in place on purpose */
  inPlace: number;
  total: number;
}

/** Probability that a prediction is stored in the cell that is `off` units away. */
function cell(off: number, blur: number): number {
  const distance = Math.abs(off) - blur;
  return (distance <= WITHIN ? HIT : distance <= NEARLY ? NEAR_MISS : MISS) / (1 + 2 * blur);
}

/** Mass of a logistic distribution (heavier tails than normal: rows are tuned unequally) over one cell. */
function continuous(step: number, sd: number): number {
  const width = Math.max(sd, 0.02) * 0.5513;
  // Symmetric, so the side where nothing overflows; 1 / (1 + a) - 1 / (1 + b) with one exponential for both where they are near.
  const near = Math.exp((0.5 - Math.abs(step)) / width);
  const far = near * Math.exp(-1 / width);
  return Math.max((near - far) / ((1 + near) * (1 + far)), MISS);
}

/** Fits the tuned story around `centre` (none: the base itself); values in place are those of the base or, with `around`, of the centre. */
export function weighTuned(
  { step, ulp, parts }: Steps,
  centre: Float64Array | null = null,
  around = false,
): TunedStory {
  const log = new Float64Array(step.length);
  const moved = new Float64Array(step.length);
  let inPlace = 0;
  let total = 0;
  for (const { from, to } of parts) {
    const n = to - from;
    const off = (i: number) => step[i]! - (centre?.[i] ?? 0);
    const rest = (i: number) => (around ? off(i) : step[i]!);
    let power = 0;
    for (let i = from; i < to; i++) power += (off(i) * ulp[i]!) ** 2;
    let sd = Math.sqrt(power / Math.max(1, n)) + 1e-30;
    let plain = 0;
    for (let i = from; i < to; i++) plain += Math.log(continuous(off(i), sd / ulp[i]!));
    let kept = 0.5;
    for (let round = 0; round < ROUNDS; round++) {
      let sumKept = 0;
      let sumPower = 0;
      let sumMoved = 0;
      for (let i = from; i < to; i++) {
        const m = (1 - kept) * continuous(off(i), sd / ulp[i]!);
        const k = kept * cell(rest(i), 0);
        const r = k / (k + m);
        sumKept += r;
        sumMoved += 1 - r;
        sumPower += (1 - r) * (off(i) * ulp[i]!) ** 2;
      }
      kept = Math.min(0.999, Math.max(0.001, sumKept / n));
      if (sumMoved > 0.5) sd = Math.sqrt(sumPower / sumMoved) + 1e-30;
    }
    let sum = 0;
    for (let i = from; i < to; i++) {
      moved[i] = continuous(off(i), sd / ulp[i]!);
      log[i] = Math.log((1 - kept) * moved[i]! + kept * cell(rest(i), 0));
      sum += log[i]!;
    }
    inPlace += sum - plain;
    total += sum;
  }
  return { log, moved, inPlace, total };
}

export interface Donor {
  model: number;
  /** its step from the base, in units of the child's last place */
  delta: Float64Array;
  scale: number;
}

export interface MixedStory {
  donors: Donor[];
  /** log-likelihood ratio over the tuned story */
  logRatio: number;
  /** share of values at which each donor's step was taken, of those where it has one that shows */
  taken: number[];
  /** share of values that are none of the combinations */
  strays: number;
  /** how far taking and leaving alternate within tensors: 0 where whole tensors are one or the other, .25 at most */
  alternation: number;
  /** values where some donor's step shows */
  visible: number;
  /** probability of each value to be none of the combinations; 0 where nobody looked */
  unexplained: Float64Array;
}

/** Which donors a combination takes, and what their sum is divided by (the disjoint mean of TIES divides by their number). */
interface Combination {
  used: number;
  share: number;
}

function combinationsOf(donors: number): Combination[] {
  const list: Combination[] = [];
  for (let used = 1; used < 1 << donors; used++) {
    const n = used.toString(2).replaceAll('0', '').length;
    list.push({ used, share: 1 });
    if (n > 1) list.push({ used, share: 1 / n });
  }
  return list;
}

/** The likeliest scales of one more donor beside those known, best first; every so many values are looked at. */
export function scanScales(
  steps: Steps,
  tuned: TunedStory,
  known: readonly Donor[],
  donor: Omit<Donor, 'scale'>,
  wanted: number,
): { donor: Donor; logRatio: number }[] {
  const stride = Math.max(1, Math.floor(steps.step.length / SCAN_VALUES));
  const scored = SCANNED.map((scale) => {
    const tried = { ...donor, scale };
    const { logRatio } = weighMixed(steps, tuned, [...known, tried], { rounds: 0, stride });
    return { donor: tried, logRatio };
  }).sort((a, b) => b.logRatio - a.logRatio);
  const peaks: typeof scored = [];
  for (const found of scored) {
    if (peaks.length >= wanted) break;
    // neighbours on the grid lead to the same peak
    if (peaks.every((p) => Math.abs(Math.log(found.donor.scale / p.donor.scale)) > 0.2)) peaks.push(found);
  }
  return peaks;
}

/** Fits the mixed story: shares of the combinations and scales of the donors by expectation and maximisation. */
export function weighMixed(
  { step, parts }: Steps,
  tuned: TunedStory,
  start: readonly Donor[],
  { rounds = BLURS.length - 1, stride = 1 } = {},
): MixedStory {
  const k = start.length;
  const combos = combinationsOf(k);
  const scales = start.map((d) => d.scale);
  let weights = new Float64Array(combos.length + 2).fill(0.9 / (combos.length + 1));
  weights[combos.length + 1] = 0.1;
  const deltas = start.map((d) => d.delta);
  const scaled = new Float64Array(k);
  const masses = new Float64Array(combos.length + 2);
  let story: Omit<MixedStory, 'donors'> = {
    logRatio: Number.NEGATIVE_INFINITY,
    taken: [],
    strays: 1,
    alternation: 0,
    visible: 0,
    unexplained: new Float64Array(0),
  };
  const unexplained = new Float64Array(rounds === 0 ? 0 : step.length);
  for (let round = 0; round <= rounds; round++) {
    const blur = BLURS[round]!;
    const next = new Float64Array(weights.length);
    const gram = new Float64Array(k * k);
    const target = new Float64Array(k);
    const taken = new Float64Array(k);
    const shown = new Float64Array(k);
    let logRatio = 0;
    let alternation = 0;
    let visible = 0;
    let strays = 0;
    for (const { from, to } of parts) {
      let takenHere = 0;
      let visibleHere = 0;
      for (let i = from; i < to; i += stride) {
        const y = step[i]!;
        let widest = 0;
        for (let d = 0; d < k; d++) {
          scaled[d] = scales[d]! * deltas[d]![i]!;
          const size = Math.abs(scaled[d]!);
          if (size > widest) widest = size;
        }
        // nobody's step shows here: the stories agree
        if (widest < 0.05) {
          if (rounds > 0) unexplained[i] = 1;
          continue;
        }
        let sum = 0;
        for (let c = 0; c < combos.length; c++) {
          const { used, share } = combos[c]!;
          let prediction = 0;
          for (let d = 0; d < k; d++) if (used & (1 << d)) prediction += scaled[d]!;
          prediction *= share;
          masses[c] = weights[c]! * cell(y - prediction, blur * Math.abs(prediction));
          sum += masses[c]!;
        }
        masses[combos.length] = weights[combos.length]! * cell(y, 0);
        masses[combos.length + 1] = weights[combos.length + 1]! * tuned.moved[i]!;
        sum += masses[combos.length]! + masses[combos.length + 1]!;
        logRatio += Math.log(sum) - tuned.log[i]!;
        if (rounds === 0) continue;
        unexplained[i] = masses[combos.length + 1]! / sum;
        let any = 0;
        for (let c = 0; c < combos.length; c++) {
          const r = masses[c]! / sum;
          next[c]! += r;
          if (r < 1e-3) continue;
          const { used, share } = combos[c]!;
          any += r;
          for (let p = 0; p < k; p++) {
            if ((used & (1 << p)) === 0) continue;
            const dp = share * deltas[p]![i]!;
            if (widest > 1) taken[p]! += r;
            target[p]! += r * dp * y;
            for (let q = 0; q < k; q++)
              if (used & (1 << q)) gram[p * k + q]! += r * dp * share * deltas[q]![i]!;
          }
        }
        next[combos.length]! += masses[combos.length]! / sum;
        next[combos.length + 1]! += masses[combos.length + 1]! / sum;
        if (widest > 1) {
          for (let d = 0; d < k; d++) shown[d]!++;
          strays += unexplained[i]!;
          takenHere += any;
          visibleHere++;
        }
      }
      if (visibleHere > 0) {
        const share = takenHere / visibleHere;
        alternation += visibleHere * share * (1 - share);
        visible += visibleHere;
      }
    }
    story = {
      logRatio,
      taken: [...taken].map((t, d) => (shown[d]! > 0 ? t / shown[d]! : 0)),
      strays: visible > 0 ? strays / visible : 1,
      alternation: visible > 0 ? alternation / visible : 0,
      visible,
      unexplained,
    };
    if (round === rounds) break;
    const sum = next.reduce((a, b) => a + b, 0);
    if (sum === 0) break;
    weights = next.map((w) => Math.max(1e-4, w / sum));
    if (rounds > 1) refineScales(scales, gram, target);
  }
  return { donors: start.map((d, i) => ({ ...d, scale: scales[i]! })), ...story };
}

/** Coordinate descent: few donors, and each scale is nearly right already. */
function refineScales(scales: number[], gram: Float64Array, target: Float64Array): void {
  const k = scales.length;
  for (let sweep = 0; sweep < 4; sweep++)
    for (let p = 0; p < k; p++) {
      if (!(gram[p * k + p]! > 0)) continue;
      let rest = target[p]!;
      for (let q = 0; q < k; q++) if (q !== p) rest -= gram[p * k + q]! * scales[q]!;
      const solved = rest / gram[p * k + p]!;
      if (solved > 0.01) scales[p] = Math.max(0.8 * scales[p]!, Math.min(1.25 * scales[p]!, solved));
    }
}
