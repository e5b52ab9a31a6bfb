import type { Grid } from '../number-grid.ts';
import { ulpOf } from '../number-grid.ts';
import type { PairTable } from '../tree/pair-table.ts';

/**
 * A model each of whose values is the base's, or the base's plus some parents' steps, rescaled: what DARE (random drop and rescale; Yu et
 * al., ICML 2024) and TIES (trim, elect, disjoint mean; Yadav et al., NeurIPS 2023) leave. Indices are those of the pair table.
 */
export interface SparseMixture {
  child: number;
  base: number;
  /** `scale`: what a parent's step was multiplied by where it was taken; `taken`: share of values it was taken at */
  parents: { model: number; scale: number; taken: number }[];
  /** share of telling values that the combinations of parents explain up to rounding */
  explained: number;
  /** the same for the best of these parents alone */
  explainedByOne: number;
  /** values that could tell */
  values: number;
}

/** A stored value is within half a unit of its last place; parents and base carry as much again. */
const TOLERANCE_ULPS = 0.8;
/** Only steps of this many units can be told from each other and from none. */
const VISIBLE_ULPS = 4;
/** Below this a donor's step is none. */
const NOTHING_ULPS = 0.1;
/** Where steps of the tensor are visible, a continuous step leaves a tenth of the values in place; one with values dropped, a quarter or more. */
const MIN_IN_PLACE = 0.18;
const MIN_EXPLAINED = 0.96;
/** What one parent leaves unexplained, and the share of it that a second one must explain. */
const MIN_LEFT_BY_ONE = 0.004;
const MIN_VALUES_LEFT = 30;
const MIN_EXPLAINED_OF_LEFT = 0.85;
const MIN_TELLING = 200;
const MAX_PARENTS = 3;
/** Standard deviations over chance at which a candidate's step shows in the child's. */
const MIN_PEAK = 6;
/** Candidates whose steps are tried together. */
const MAX_SHORTLIST = 8;
/** Scales looked at: 0.04 to 4 (DARE at density .1 rescales by 10, times a weight of .4). */
const SCALE_STEP = 0.02;
const SCALES = 200;

/** Child minus base over all common values, in tensor order, with the unit of the child's last place. */
interface Steps {
  step: Float64Array;
  ulp: Float64Array;
  /** where step sizes of the tensor are far above the unit */
  telling: Uint8Array;
}

/**
 * Explains a child element by element. Null unless nearly every telling value is explained by at least two parents, none of which is
 * enough: siblings tuned alike have similar steps, never equal ones.
 */
export function explainByElements(
  table: PairTable,
  child: number,
  candidates: readonly number[],
  bases: readonly number[],
): SparseMixture | null {
  let best: SparseMixture | null = null;
  for (const base of bases) {
    if (base === child) continue;
    const steps = measureSteps(table, child, base);
    if (steps === null) continue;
    const found = explainSteps(table, child, base, candidates, steps);
    if (found && (best === null || found.explained > best.explained)) best = found;
  }
  return best;
}

/** Null when the child is no sparse step away from this base: most (child, base) pairs stop here. */
function measureSteps(table: PairTable, child: number, base: number): Steps | null {
  const grid: Grid = table.grid(child);
  const origin = table.samples(base);
  const parts: { from: Float32Array; to: Float32Array }[] = [];
  let length = 0;
  for (const tensor of table.samples(child).tensors) {
    const other = origin.byName.get(tensor.name);
    if (!other || other.values.length !== tensor.values.length) return null;
    parts.push({ from: other.values, to: tensor.values });
    length += tensor.values.length;
  }
  const step = new Float64Array(length);
  const ulp = new Float64Array(length);
  const telling = new Uint8Array(length);
  let tellingCount = 0;
  let inPlace = 0;
  let at = 0;
  for (const { from, to } of parts) {
    let power = 0;
    for (let i = 0; i < to.length; i++) {
      const d = to[i]! - from[i]!;
      step[at + i] = d;
      ulp[at + i] = Math.max(ulpOf(to[i]!, grid), ulpOf(from[i]!, grid), 4 * ulpOf(to[i]!, 'F32'));
      if (d * 0 === 0) power += d * d;
    }
    const rms = Math.sqrt(power / Math.max(1, to.length));
    for (let i = 0; i < to.length; i++) {
      const d = step[at + i]!;
      if (!(d * 0 === 0) || ulp[at + i]! * VISIBLE_ULPS > rms) continue;
      telling[at + i] = 1;
      tellingCount++;
      if (Math.abs(d) <= TOLERANCE_ULPS * ulp[at + i]!) inPlace++;
    }
    at += to.length;
  }
  if (tellingCount < MIN_TELLING || inPlace < MIN_IN_PLACE * tellingCount) return null;
  return { step, ulp, telling };
}

/** A candidate's step from the base, aligned with the child's. Null when it has other tensors. */
function stepsOf(table: PairTable, child: number, base: number, model: number): Float64Array | null {
  const origin = table.samples(base);
  const mine = table.samples(model);
  const out: number[] = [];
  for (const tensor of table.samples(child).tensors) {
    const from = origin.byName.get(tensor.name)?.values;
    const to = mine.byName.get(tensor.name)?.values;
    if (!from || !to || to.length !== from.length) return null;
    for (let i = 0; i < to.length; i++) out.push(to[i]! - from[i]!);
  }
  return Float64Array.from(out);
}

/**
 * The scale at which a candidate's step recurs in the child's most often, in standard deviations over how often a neighbouring value's
 * step (same sizes, no relation) recurs there.
 */
function findPeak({ step, ulp, telling }: Steps, delta: Float64Array): { scale: number; z: number } {
  const hits = new Int32Array(SCALES + 2);
  const chance = new Int32Array(SCALES + 2);
  const vote = (histogram: Int32Array, y: number, d: number, tolerance: number) => {
    const ratio = y / d;
    const width = tolerance / Math.abs(d);
    if (!(ratio + width > SCALE_STEP) || ratio > SCALE_STEP * SCALES) return;
    const from = Math.max(1, Math.ceil((ratio - width) / SCALE_STEP));
    const to = Math.min(SCALES, Math.floor((ratio + width) / SCALE_STEP));
    if (to < from) return;
    histogram[from]!++;
    histogram[to + 1]!--;
  };
  for (let i = 0; i < step.length; i++) {
    const tolerance = TOLERANCE_ULPS * ulp[i]!;
    if (telling[i] === 0 || Math.abs(step[i]!) <= tolerance) continue;
    const visible = VISIBLE_ULPS * ulp[i]!;
    const d = delta[i]!;
    if (Math.abs(d) > visible) vote(hits, step[i]!, d, tolerance);
    const other = delta[i + 1] ?? 0;
    if (Math.abs(other) > visible) vote(chance, step[i]!, other, tolerance);
  }
  let best = { scale: 0, z: 0 };
  for (let s = 1; s <= SCALES; s++) {
    hits[s]! += hits[s - 1]!;
    chance[s]! += chance[s - 1]!;
    const z = (hits[s]! - chance[s]!) / Math.sqrt(hits[s]! + chance[s]! + 1);
    if (z > best.z) best = { scale: s * SCALE_STEP, z };
  }
  return best;
}

interface Donor {
  model: number;
  delta: Float64Array;
  scale: number;
}

function explainSteps(
  table: PairTable,
  child: number,
  base: number,
  candidates: readonly number[],
  steps: Steps,
): SparseMixture | null {
  const donors: (Donor & { z: number })[] = [];
  for (const model of candidates) {
    if (model === child || model === base) continue;
    const delta = stepsOf(table, child, base, model);
    if (delta === null) continue;
    const peak = findPeak(steps, delta);
    if (peak.z >= MIN_PEAK) donors.push({ model, delta, ...peak });
  }
  donors.sort((a, b) => b.z - a.z || a.model - b.model);
  const shortlist: Donor[] = donors.slice(0, MAX_SHORTLIST);
  let best: { chosen: Donor[]; fit: Fit } | null = null;
  for (let a = 0; a < shortlist.length; a++)
    for (let b = a + 1; b < shortlist.length; b++) {
      const tried = refine(steps, [shortlist[a]!, shortlist[b]!]);
      if (best === null || tried.fit.explained > best.fit.explained) best = tried;
    }
  while (best !== null && best.fit.explained < 0.99 && best.chosen.length < MAX_PARENTS) {
    let better: typeof best | null = null;
    for (const donor of shortlist) {
      if (best.chosen.some((c) => c.model === donor.model)) continue;
      const tried = refine(steps, [...best.chosen, donor]);
      if (tried.fit.explained > (better ?? best).fit.explained + 0.01) better = tried;
    }
    if (better === null) break;
    best = better;
  }
  if (best === null || best.fit.telling < MIN_TELLING || best.fit.explained < MIN_EXPLAINED) return null;
  // Every parent must be needed, on the values that tell all of them apart.
  let explainedByOne = 0;
  for (const left of best.chosen) {
    const alone = fitCombinations(
      steps,
      best.chosen,
      (used) => used === 0 || used === 1 << best.chosen.indexOf(left),
    );
    explainedByOne = Math.max(explainedByOne, alone.explained);
    const without = fitCombinations(
      steps,
      best.chosen,
      (used) => (used & (1 << best.chosen.indexOf(left))) === 0,
    );
    const rest = 1 - without.explained;
    if (rest < MIN_LEFT_BY_ONE || rest * best.fit.telling < MIN_VALUES_LEFT) return null;
    if (best.fit.explained - without.explained < MIN_EXPLAINED_OF_LEFT * rest) return null;
  }
  return {
    child,
    base,
    parents: best.chosen.map(({ model, scale }, k) => ({ model, scale, taken: best.fit.taken[k]! })),
    explained: best.fit.explained,
    explainedByOne,
    values: best.fit.telling,
  };
}

interface Fit {
  telling: number;
  explained: number;
  taken: number[];
  /** least-squares correction of each donor's scale over the values it explains alone */
  scales: number[];
}

/** Scales from the histogram are good to one bin; the values each donor explains alone make them exact. */
function refine(steps: Steps, donors: readonly Donor[]): { chosen: Donor[]; fit: Fit } {
  let chosen = [...donors];
  let fit = fitCombinations(steps, chosen);
  for (let round = 0; round < 3; round++) {
    const scales = fit.scales;
    chosen = chosen.map((d, k) => ({ ...d, scale: scales[k]! }));
    fit = fitCombinations(steps, chosen);
  }
  return { chosen, fit };
}

/**
 * Over the values where every donor's rescaled step is visible or none, and they differ visibly: which combination (none, some, their
 * mean) is the child's step? `allowed` restricts the combinations, bit k for donor k.
 */
function fitCombinations(
  { step, ulp, telling }: Steps,
  donors: readonly Donor[],
  allowed: (used: number) => boolean = () => true,
): Fit {
  const k = donors.length;
  const taken = donors.map(() => 0);
  const cross = donors.map(() => 0);
  const power = donors.map(() => 0);
  const scaled = new Float64Array(k);
  let count = 0;
  let explained = 0;
  for (let i = 0; i < step.length; i++) {
    if (telling[i] === 0) continue;
    const visible = VISIBLE_ULPS * ulp[i]!;
    let usable = true;
    let seen = 0;
    for (let d = 0; d < k && usable; d++) {
      scaled[d] = donors[d]!.scale * donors[d]!.delta[i]!;
      // a tensor this donor left alone: nothing of it to be taken here
      if (Math.abs(scaled[d]!) <= NOTHING_ULPS * ulp[i]!) {
        scaled[d] = 0;
        continue;
      }
      seen |= 1 << d;
      if (!(Math.abs(scaled[d]!) > visible)) usable = false;
      for (let e = 0; e < d && usable; e++)
        if (seen & (1 << e) && !(Math.abs(scaled[d]! - scaled[e]!) > visible)) usable = false;
    }
    if (seen === 0) continue;
    if (!usable) continue;
    count++;
    const tolerance = TOLERANCE_ULPS * ulp[i]!;
    let bestUsed = -1;
    let bestOff = Number.POSITIVE_INFINITY;
    for (let used = 0; used < 1 << k; used++) {
      if (!allowed(used) || (used & ~seen) !== 0) continue;
      let sum = 0;
      let n = 0;
      for (let d = 0; d < k; d++)
        if (used & (1 << d)) {
          sum += scaled[d]!;
          n++;
        }
      // the disjoint mean of TIES divides by the number of steps that survived
      const off = Math.min(
        Math.abs(step[i]! - sum),
        n > 1 ? Math.abs(step[i]! - sum / n) : Number.POSITIVE_INFINITY,
      );
      if (off < bestOff) {
        bestOff = off;
        bestUsed = used;
      }
    }
    let widest = 0;
    for (let d = 0; d < k; d++) if (bestUsed & (1 << d)) widest = Math.max(widest, Math.abs(scaled[d]!));
    // scales are known to a per mille
    if (bestOff > tolerance + 0.002 * widest) {
      // near enough to correct the scale by, not to count
      if (bestOff < 2 * tolerance + 0.02 * widest) learn(bestUsed, i);
      continue;
    }
    explained++;
    for (let d = 0; d < k; d++) if (bestUsed & (1 << d)) taken[d]!++;
    learn(bestUsed, i);
  }
  function learn(used: number, i: number): void {
    const d = Math.log2(used);
    if (!Number.isInteger(d)) return;
    cross[d]! += step[i]! * donors[d]!.delta[i]!;
    power[d]! += donors[d]!.delta[i]! ** 2;
  }
  return {
    telling: count,
    explained: count > 0 ? explained / count : 0,
    taken: taken.map((n) => (count > 0 ? n / count : 0)),
    scales: donors.map((d, i) => (power[i]! > 0 ? cross[i]! / power[i]! : d.scale)),
  };
}
