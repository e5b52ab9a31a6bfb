import type { LineageModel } from '../../types/lineage.ts';
import { existedBefore } from '../existed-before.ts';
import type { World } from '../family-tree.ts';
import type { ChildFinding, FoundParent } from '../findings.ts';
import { askOne, TOPICS } from '../notes.ts';
import { createNearestList } from '../numeric/nearest-list.ts';
import { logistic } from '../probability.ts';
import { closenessOfPair, type PairTable } from '../tree/pair-table.ts';
import type { SparseMixture } from './elements-from-parents.ts';
import { isReproduced, type Mixture } from './explain-as-mixture.ts';
import { recallElements, recallExact, recallMixture } from './recall-mixture.ts';

/**
 * Log-odds of what was found, as counted over hubs of which parts are missing (bench/calibrate.ts prints them by method). A parent that is
 * not in the index has stand-ins: its child, its own parents, other merges of it. No stand-in hits the stored values.
 */
const REPRODUCED = 6;
const WITHIN_ROUNDING = 1.5;
const DROPPED_VALUES = [0, 1.5, 3, 0.5] as const;

const POOL = 20;
const BASES = 6;
/** A mixture that leaves more than rounding must explain this share of what the best single delta leaves... */
const MIN_GAIN = 0.3;
/** ...with at least two parents of this weight... */
const MIN_SHARE = 0.12;
const MAX_SHARE = 0.85;
/** ...each of which matters: siblings tuned on the same data share a direction, so any one of them can be left out. */
const MIN_MARGINAL = 0.2;

/** Families beyond this are screened first: solving for every member costs 190 distances each. */
const SCREEN_ABOVE = 60;
const SCREEN_POOL = 8;

/**
 * Seen from a merge, its parents lie in opposite directions; seen from a fine-tune, relatives lie on one side (cosine above 0) or, for
 * its own children and its parent, at right angles.
 */
function liesBetween(table: PairTable, child: number, nearest: readonly number[]): boolean {
  const pool = nearest.slice(0, SCREEN_POOL);
  return (
    askOne(table.notes, TOPICS.liesBetween, [child, ...pool], () => measureBetween(table, child, pool)) === 1
  );
}

function measureBetween(table: PairTable, child: number, pool: readonly number[]): 0 | 1 {
  const toChild = new Float64Array(pool.length);
  for (let i = 0; i < pool.length; i++) toChild[i] = distanceOf(table, child, pool[i]!);
  for (let i = 0; i < pool.length; i++)
    for (let j = i + 1; j < pool.length; j++) {
      const dot = (toChild[i]! + toChild[j]! - distanceOf(table, pool[i]!, pool[j]!)) / 2;
      if (dot < -0.25 * Math.sqrt(toChild[i]! * toChild[j]!)) return 1;
    }
  return 0;
}

function distanceOf(table: PairTable, a: number, b: number): number {
  const { squared } = table.distances(a, b, 'raw');
  let sum = 0;
  for (let t = 0; t < squared.length; t++) sum += squared[t]!;
  return sum;
}

export interface FoundMerge {
  mixture: Pick<Mixture, 'child' | 'parents'>;
  finding: ChildFinding;
}

/** Finds the merges of a family. Exact ones (nothing but rounding left) first; then inexact ones among what was there before them. */
export function findMerges(
  table: PairTable,
  members: readonly LineageModel[],
  nearest: readonly (readonly number[])[],
  world: World,
): FoundMerge[] {
  if (members.length < 3) return [];
  const existedBy = members.map((m) => world.classes.get(m.repo)?.existedBy ?? m.createdAt);
  const found: FoundMerge[] = [];
  const hubs = findHubs(table, nearest);
  const everybody = [...members.keys()];
  for (let child = 0; child < members.length; child++) {
    if (members.length > SCREEN_ABOVE && !liesBetween(table, child, nearest[child]!)) continue;
    const pool = nearest[child]!.slice(0, POOL);
    const bases = [...new Set([...hubs, ...pool.slice(0, 3)])].filter((b) => b !== child);
    const earlierPool = before(pool, child, existedBy);
    const earlierBases = before(bases, child, existedBy);
    const areEarlier = earlierPool.length === pool.length && earlierBases.length === bases.length;
    const all = (areEarlier ? recallMixture : recallExact)(table, child, pool, bases);
    const late = (m: Mixture) =>
      m.parents.filter((p) => !existedBefore(existedBy[p.model]!, existedBy[child]!)).length;
    let past: Mixture | null | undefined = areEarlier ? all : undefined;
    const fromBefore = (): Mixture | null => {
      if (past === undefined) past = recallMixture(table, child, earlierPool, earlierBases);
      return past;
    };
    // An older model is solved for by extrapolation from its children's merges: what existed before is asked first, and only one wrong
    // date is believed.
    const older = all?.exact && late(all) > 0 ? fromBefore() : null;
    const exact = older?.exact ? older : all;
    const plain = exact?.exact && late(exact) <= (exact.parents.length > 2 ? 1 : 0) ? exact : null;
    if (plain !== null && isReproduced(plain)) {
      found.push({ mixture: plain, finding: toFinding(plain, members, existedBy, world) });
      continue;
    }
    // Least squares leave no more than rounding, yet the stored values are not those of the sum: small steps of which some were dropped,
    // or a parent that is farther away than the pool reaches.
    const donors = members.length <= SCREEN_ABOVE ? everybody : nearest[child]!;
    const sparse = recallElements(table, child, before(donors, child, existedBy), earlierBases);
    if (sparse !== null) {
      found.push(toSparseFinding(sparse, members, world));
      continue;
    }
    if (members.length <= SCREEN_ABOVE && members.length > pool.length + 1) {
      // a heavily tuned parent of a merge is farther from it than twenty others are
      const wide = recallExact(table, child, before(everybody, child, existedBy), earlierBases);
      if (wide !== null && (plain === null || isReproduced(wide))) {
        found.push({ mixture: wide, finding: toFinding(wide, members, existedBy, world) });
        continue;
      }
    }
    if (plain !== null) {
      found.push({ mixture: plain, finding: toFinding(plain, members, existedBy, world) });
      continue;
    }
    const inexact = fromBefore();
    if (inexact === null || inexact.gain < MIN_GAIN) continue;
    const strong = inexact.parents.filter((p) => p.weight >= MIN_SHARE && p.marginal >= MIN_MARGINAL);
    // a parent with the whole weight is the parent; what else shows is a direction shared with siblings
    if (strong.length < 2 || strong.some((p) => p.weight > MAX_SHARE)) continue;
    const mixture = { ...inexact, parents: strong };
    found.push({ mixture, finding: toFinding(mixture, members, existedBy, world) });
  }
  return found;
}

/** Those of `models` that existed before the child. */
function before(models: readonly number[], child: number, existedBy: readonly number[]): number[] {
  const earlier: number[] = [];
  for (const m of models) if (existedBy[m]! < existedBy[child]!) earlier.push(m);
  return earlier;
}

/** The few most central ones, the most central first: the sum of closeness to one's nearest is greatest for a family's hub. */
function findHubs(table: PairTable, nearest: readonly (readonly number[])[]): number[] {
  const sum = new Float64Array(table.size);
  for (let i = 0; i < nearest.length; i++)
    for (const j of nearest[i]!) sum[j]! += closenessOfPair(table, i, j);
  const hubs = createNearestList(BASES);
  for (let i = 0; i < sum.length; i++) hubs.offer(-sum[i]!, i);
  return hubs.items();
}

function toFinding(
  mixture: Mixture,
  members: readonly LineageModel[],
  existedBy: readonly number[],
  world: World,
): ChildFinding {
  const { cap } = world.calibration;
  const chosen = mixture.parents.map(({ model, weight }): FoundParent => {
    const residual = isReproduced(mixture)
      ? REPRODUCED
      : mixture.exact
        ? WITHIN_ROUNDING
        : Math.min(0, 4 * (mixture.gain - 0.5));
    // a parent that shows with little weight may be another's shadow
    const share = Math.max(-3, Math.min(1, 4 * (weight - 0.15)));
    const time = existedBy[model]! <= existedBy[mixture.child]! ? 0 : -world.calibration.time / 2;
    const raw = residual + share + time;
    const final = Math.max(-cap, Math.min(cap, raw));
    return {
      repo: members[model]!.repo,
      probability: logistic(final),
      weight,
      parentKind: 'repo',
      logOdds: {
        'mixture-of-parents': residual,
        'weight-in-mixture': share,
        'created-before': time,
        calibration: final - raw,
      },
      values: { 'mixture-of-parents': mixture.overFloor, 'weight-in-mixture': weight },
      details: {
        'mixture-of-parents': mixture.exact
          ? `A weighted mean of ${mixture.parents.length} models leaves ${mixture.overFloor.toFixed(2)} times what rounding alone leaves; the best single parent ${mixture.singleOverFloor.toFixed(0)} times${mixture.reproduced ? `; it gives ${(100 * mixture.reproduced.share).toFixed(0)} % of the stored values that moved` : ''}.`
          : `A weighted mean of ${mixture.parents.length} models explains ${(100 * mixture.gain).toFixed(0)} % of what the best single parent leaves; weights are approximate.`,
        'weight-in-mixture': `Its weight is ${weight.toFixed(3)}.`,
      },
    };
  });
  return { child: members[mixture.child]!.repo, relation: 'merge', method: 'nnls', chosen, ties: [] };
}

function toSparseFinding(sparse: SparseMixture, members: readonly LineageModel[], world: World): FoundMerge {
  // what each contributes on average; dropped and trimmed values make this a rough guess at the weights that were asked for
  const shares = sparse.parents.map((p) => p.scale * p.taken);
  const sum = shares.reduce((a, b) => a + b, 0);
  // one donor's steps dropped or trimmed: what was left in place is the base's
  const single = sparse.parents.length === 1;
  const mixed = sparse.parents.map(({ model }, k) => ({
    model,
    weight: single ? Math.min(0.95, sum) : shares[k]! / sum,
  }));
  if (single) mixed.push({ model: sparse.base, weight: 1 - mixed[0]!.weight });
  const parents = mixed
    .map((p) => ({ ...p, marginal: Number.POSITIVE_INFINITY }))
    .sort((a, b) => b.weight - a.weight || a.model - b.model);
  const raw = DROPPED_VALUES[Math.min(sparse.parents.length, DROPPED_VALUES.length - 1)]!;
  const final = Math.min(world.calibration.cap, raw);
  const percent = (share: number) => (100 * share).toFixed(1);
  const chosen = parents.map(
    ({ model, weight }): FoundParent => ({
      repo: members[model]!.repo,
      probability: logistic(final),
      weight,
      parentKind: 'repo',
      logOdds: { 'elements-from-parents': raw, 'weight-in-mixture': 0, calibration: final - raw },
      values: { 'elements-from-parents': sparse.logRatio, 'weight-in-mixture': weight },
      details: {
        'elements-from-parents': `Value by value its step from ${members[sparse.base]!.repo} is none${single ? " or one model's" : `, one of ${parents.length} models' or their sum`}, at a fixed scale: all but ${percent(sparse.strays)} % of ${sparse.values} values; ${sparse.logRatio.toFixed(0)} nats likelier than any fine-tune.`,
        'weight-in-mixture': `Its weight is roughly ${weight.toFixed(1)}: values were dropped, so weights are approximate.`,
      },
    }),
  );
  const child = members[sparse.child]!.repo;
  return {
    mixture: { child: sparse.child, parents },
    finding: { child, relation: 'merge', method: 'elements', chosen, ties: [] },
  };
}
