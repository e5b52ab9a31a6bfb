import { askOne, TOPICS } from '../notes.ts';
import { ulpOf } from '../number-grid.ts';
import type { PairTable } from '../tree/pair-table.ts';
import {
  type Donor,
  type MixedStory,
  type Steps,
  scanScales,
  type TunedStory,
  weighMixed,
  weighTuned,
} from './weigh-recipes.ts';

/**
 * A model each of whose values is the base's, or the base's plus some parents' steps, rescaled: what DARE (random drop and rescale; Yu et
 * al., ICML 2024) and TIES (trim, elect, disjoint mean; Yadav et al., NeurIPS 2023) leave. Indices are those of the pair table.
 */
export interface SparseMixture {
  child: number;
  base: number;
  /** `scale`: what a parent's step was multiplied by where it was taken; `taken`: share of values it was taken at, where it shows */
  parents: { model: number; scale: number; taken: number }[];
  logLikelihood: number;
  /** log-likelihood over the likeliest story without a mixture */
  logRatio: number;
  /** share of values that no combination of the parents' steps explains */
  strays: number;
  /** values where some parent's step shows */
  values: number;
}

/** Values in place besides tensors nobody touched; a fine-tune leaves fewer, unless rounding keeps them. */
const MIN_IN_PLACE = 0.08;
const BASES_TRIED = 3;
/** Nats by which some values must look left in place on purpose. */
const MIN_IN_PLACE_NATS = 15;
/** The same a value: DARE and TIES give .1 to 2, unequal rows of a fine-tune next to nothing. */
const MIN_IN_PLACE_EACH = 0.03;
/** Standard deviations over chance at which a candidate's step must show in the child's. */
const MIN_ALIKE = 2.5;
const MIN_ALIKE_FIRST = 5;
const MAX_FIRST = 4;
const MAX_SCREENED = 8;
/** Single donors from which pairs are tried. */
const BEAM = 2;
/** Values looked at while searching; what is found is fitted to all. */
const SEARCHED_VALUES = 4096;
/** Values looked at before anything is searched. */
const SCREENED_VALUES = 1024;
/** More values only cost time. */
const MAX_VALUES = 16_384;
const MAX_PARENTS = 3;
/** Nats a mixture must be likelier by than any story without one, and than itself without one of its parents. */
const MIN_NATS = 25;
const MAX_STRAYS = 0.06;
/** With fewer there is nothing for another parent to explain. */
const NOTHING_LEFT = 0.005;
/** Taking and leaving must alternate within tensors: whole tensors taken over are a recipe of tuning, or of stacking. */
const MIN_ALTERNATION = 0.04;
const MIN_VISIBLE = 100;
/** Share of all that was taken that a parent must have given. */
const MIN_CONTRIBUTION = 0.04;

/** Explains a child value by value. Siblings tuned alike have similar steps, never equal ones, and leave nothing in place on purpose. */
export function explainByElements(
  table: PairTable,
  child: number,
  candidates: readonly number[],
  bases: readonly number[],
): SparseMixture | null {
  const known = new Map<number, Steps | null>();
  const stepsOf = (base: number): Steps | null => {
    if (!known.has(base)) known.set(base, stepsFrom(table, child, base, child));
    return known.get(base)!;
  };
  const measureShare = (base: number): number => {
    const steps = stepsOf(base);
    return steps === null ? 0 : shareInPlace(steps);
  };
  const starts = bases
    .filter((base) => base !== child)
    .map((base) => ({
      base,
      inPlace: askOne(table.notes, TOPICS.inPlace, [child, base], () => measureShare(base)),
    }))
    .filter(({ inPlace }) => inPlace >= MIN_IN_PLACE)
    .sort((a, b) => b.inPlace - a.inPlace || a.base - b.base)
    .slice(0, BASES_TRIED);
  // Most models leave nothing in place on purpose, which a part of their values shows.
  const mayBeLeft = (base: number): 0 | 1 => (mayLeaveInPlace(thin(stepsOf(base)!)) ? 1 : 0);
  if (
    !starts.some(
      ({ base }) => askOne(table.notes, TOPICS.leftInPlace, [child, base], () => mayBeLeft(base)) === 1,
    )
  )
    return null;
  const stories = starts.map(({ base }) => {
    const steps = stepsOf(base)!;
    return { base, steps, tuned: weighTuned(steps) };
  });
  let best: SparseMixture | null = null;
  for (const { base, steps, tuned } of stories) {
    if (tuned.inPlace < Math.max(MIN_IN_PLACE_NATS, MIN_IN_PLACE_EACH * steps.step.length)) continue;
    // all stories speak of the same stored values, so that from one base to another likelihoods compare
    const rival = Math.max(...stories.map((s) => s.tuned.total)) - tuned.total;
    const found = explainSteps(table, child, base, candidates, steps, tuned, rival);
    if (found && (best === null || found.logLikelihood > best.logLikelihood)) best = found;
  }
  return best;
}

/** Half of what is asked of all values: chance on a thousand is a few nats, DARE and TIES give hundreds. */
function mayLeaveInPlace(steps: Steps): boolean {
  return weighTuned(steps).inPlace >= (MIN_IN_PLACE_EACH / 2) * steps.step.length;
}

/** Every so many values of each tensor. */
function thin({ step, ulp, parts }: Steps): Steps {
  const stride = Math.max(1, Math.floor(step.length / SCREENED_VALUES));
  if (stride === 1) return { step, ulp, parts };
  const length = parts.reduce((sum, { from, to }) => sum + Math.ceil((to - from) / stride), 0);
  const thinned: Steps & { parts: { from: number; to: number }[] } = {
    step: new Float64Array(length),
    ulp: new Float64Array(length),
    parts: [],
  };
  let at = 0;
  for (const { from, to } of parts) {
    const first = at;
    for (let i = from; i < to; i += stride, at++) {
      thinned.step[at] = step[i]!;
      thinned.ulp[at] = ulp[i]!;
    }
    thinned.parts.push({ from: first, to: at });
  }
  return thinned;
}

/** A model's steps from the base in units of the child's last place, over the child's tensors. Null when one is missing. */
function stepsFrom(table: PairTable, child: number, base: number, model: number): Steps | null {
  const grid = table.grid(child);
  const origin = table.samples(base);
  const mine = table.samples(model);
  const { tensors } = table.samples(child);
  const total = tensors.reduce((sum, t) => sum + t.values.length, 0);
  const stride = Math.max(1, Math.ceil(total / MAX_VALUES));
  const length = tensors.reduce((sum, t) => sum + Math.ceil(t.values.length / stride), 0);
  const step = new Float64Array(length);
  const ulp = new Float64Array(length);
  const parts: { from: number; to: number }[] = [];
  let at = 0;
  for (const tensor of tensors) {
    const from = origin.byName.get(tensor.name)?.values;
    const to = mine.byName.get(tensor.name)?.values;
    const n = tensor.values.length;
    if (from?.length !== n || to?.length !== n) return null;
    const first = at;
    for (let i = 0; i < n; i += stride) {
      const c = tensor.values[i]!;
      const d = to[i]! - from[i]!;
      const unit = c * 0 === 0 ? Math.max(ulpOf(c, grid), 4 * ulpOf(c, 'F32')) : 1;
      ulp[at] = unit;
      // positions that one of them lacks move nowhere
      step[at++] = d * 0 === 0 && c * 0 === 0 ? d / unit : 0;
    }
    parts.push({ from: first, to: at });
  }
  return { step, ulp, parts };
}

/** Share of values within rounding of the base's, in tensors that are not in place as a whole. */
function shareInPlace({ step, parts }: Steps): number {
  let kept = 0;
  let total = 0;
  for (const { from, to } of parts) {
    let here = 0;
    for (let i = from; i < to; i++) if (Math.abs(step[i]!) <= 0.55) here++;
    if (here === to - from) continue;
    kept += here;
    total += to - from;
  }
  return total > 0 ? kept / total : 0;
}

/** How much a candidate's step agrees with the child's beyond chance: signs of products are even under chance. */
function alikeness({ step, ulp, parts }: Steps, delta: Float64Array, share: Float64Array | null): number {
  let sum = 0;
  let squares = 0;
  for (const { from, to } of parts) {
    let power = 1e-300;
    for (let i = from; i < to; i++) power += (step[i]! * ulp[i]!) ** 2;
    for (let i = from; i < to; i++) {
      const product = ((share?.[i] ?? 1) * step[i]! * delta[i]! * ulp[i]! * ulp[i]!) / power;
      sum += product;
      squares += product * product;
    }
  }
  return squares > 0 ? sum / Math.sqrt(squares) : 0;
}

function explainSteps(
  table: PairTable,
  child: number,
  base: number,
  candidates: readonly number[],
  steps: Steps,
  tuned: TunedStory,
  rival: number,
): SparseMixture | null {
  const deltas = candidates
    .filter((model) => model !== child && model !== base)
    .flatMap((model) => {
      const delta = stepsFrom(table, child, base, model)?.step;
      return delta ? [{ model, delta }] : [];
    });
  /** candidates whose steps show in what a story leaves unexplained */
  const screen = (story: MixedStory | null) =>
    deltas
      .filter(({ model }) => !story?.donors.some((d) => d.model === model))
      .map((donor) => ({ ...donor, alike: alikeness(steps, donor.delta, story?.unexplained ?? null) }))
      .filter(({ alike }) => alike >= (story === null ? MIN_ALIKE_FIRST : MIN_ALIKE))
      .sort((x, y) => y.alike - x.alike || x.model - y.model)
      .slice(0, MAX_SCREENED);
  const stride = Math.max(1, Math.floor(steps.step.length / SEARCHED_VALUES));
  let beam: MixedStory[] = [];
  let best: MixedStory | null = null;
  for (let donors = 1; donors <= MAX_PARENTS && (best?.strays ?? 1) > NOTHING_LEFT; donors++) {
    // a merge of the same parents may explain more than one of them does: the best single donor need not be among the best two
    const before: (MixedStory | null)[] = donors === 1 ? [null] : beam;
    beam = before
      .flatMap((story) =>
        screen(story)
          .flatMap(({ model, delta }) =>
            scanScales(steps, tuned, story?.donors ?? [], { model, delta }, story === null ? 2 : 1),
          )
          .sort((x, y) => y.logRatio - x.logRatio)
          // most models are no mixture: a few single donors show that
          .slice(0, story === null ? MAX_FIRST : MAX_SCREENED)
          .map(({ donor }) => weighMixed(steps, tuned, [...(story?.donors ?? []), donor], { stride })),
      )
      .sort((x, y) => y.logRatio - x.logRatio)
      .slice(0, donors === 1 ? BEAM : 1);
    const found = beam[0];
    if (found === undefined || found.logRatio < (best?.logRatio ?? 0) + MIN_NATS / stride) break;
    best = found;
  }
  if (best === null) return null;
  const sum = best.donors.reduce((total, d, i) => total + d.scale * best!.taken[i]!, 0);
  const heavy = best.donors.filter((d, i) => d.scale * best!.taken[i]! >= MIN_CONTRIBUTION * sum);
  // a shadow of the others: as good without it, or not good at all
  if (heavy.length < best.donors.length || stride > 1) best = weighMixed(steps, tuned, heavy);
  if (best.strays > MAX_STRAYS || best.visible < MIN_VISIBLE || best.alternation < MIN_ALTERNATION)
    return null;
  const logRatio = best.logRatio - Math.max(rival, likeliestWithout(steps, tuned, best.donors));
  if (logRatio < MIN_NATS) return null;
  return {
    child,
    base,
    parents: best.donors.map(({ model, scale }, i) => ({ model, scale, taken: best.taken[i]! })),
    logLikelihood: tuned.total + best.logRatio,
    logRatio,
    strays: best.strays,
    values: best.visible,
  };
}

/**
 * Over the tuned story, the likeliest of: a fine-tune of one of the donors that kept some of its values, and a fine-tune of the base that
 * moves partly in the donors' directions, as siblings on the same data do.
 */
function likeliestWithout(steps: Steps, tuned: TunedStory, donors: readonly Donor[]): number {
  let best = 0;
  for (const { delta } of donors) best = Math.max(best, weighTuned(steps, delta, true).total - tuned.total);
  const centre = new Float64Array(steps.step.length);
  for (const { delta } of donors) {
    let cross = 0;
    let power = 1e-300;
    for (let i = 0; i < centre.length; i++) {
      cross += (steps.step[i]! - centre[i]!) * delta[i]!;
      power += delta[i]! ** 2;
    }
    for (let i = 0; i < centre.length; i++) centre[i]! += (cross / power) * delta[i]!;
  }
  return Math.max(best, weighTuned(steps, centre).total - tuned.total);
}
