import type { LineageModel } from '../types/lineage.ts';
import type { Block } from './blocks.ts';
import { type CopyClass, type CopyFinding, gridDtype, isConversion } from './copies.ts';
import { squaredDistance } from './cosine-test.ts';
import type { ModelSamples, SampleCache } from './model-samples.ts';
import { NO_NOTES, NOTHING, type Notes, TOPICS } from './notes.ts';
import { FINENESS, type Grid, readGrid, roundToGrid } from './number-grid.ts';
import { powerOf } from './numeric/power-of.ts';
import { areComparable } from './pair-statistics.ts';

/** A cast lies nearer to its source than any fine-tune; a few more are looked at because distances are sampled. */
const CAST_CANDIDATES = 8;
const SCAN_BELOW = 20;
/** A cast must agree everywhere but in values too small for one of the formats. */
const CAST_AGREEMENT = 0.9999;
/** f32 -> f16 -> bf16 rounds twice and differs from direct rounding in 6.3 % of values, by one unit. */
const TINY = 2 ** -13;

/** Share of common values of `coarse` that are those of `fine` rounded to `grid`; -1 when nothing is common. */
function agreementAfterRounding(
  fine: ModelSamples,
  coarse: ModelSamples,
  grid: Grid,
  stopBelow = 0,
): { agreement: number; compared: number } {
  let compared = 0;
  let agreed = 0;
  for (const tensor of coarse.tensors) {
    const other = fine.byName.get(tensor.name);
    if (!other || !areComparable(tensor, other)) continue;
    const a = tensor.values;
    const b = other.values;
    for (let i = 0; i < a.length; i++) {
      const x = a[i]!;
      const y = b[i]!;
      // NaN = not in one of the two
      if (!(x * 0 === 0 && y * 0 === 0)) continue;
      compared++;
      if (x === y || roundToGrid(y, grid) === x) agreed++;
      else if (Math.abs(x) < TINY && Math.abs(x - y) < 6e-8) agreed++;
    }
    if (compared > 256 && agreed < stopBelow * compared) break;
  }
  return { agreement: compared > 0 ? agreed / compared : -1, compared };
}

/**
 * Is one of two models the other one rounded to a coarser format? The finer grid is the source.
 * Null when neither is, or when both lie on the same grid (then they would be equal).
 */
export function findCast(
  a: LineageModel,
  samplesA: ModelSamples,
  b: LineageModel,
  samplesB: ModelSamples,
): CopyFinding | null {
  const gridA = readGrid(samplesA.tensors);
  const gridB = readGrid(samplesB.tensors);
  // bf16 -> f16 keeps the bf16 grid but for subnormals; the container's format tells who was cast then
  const order = FINENESS[gridA] - FINENESS[gridB];
  const containerOrder = fineness(a) - fineness(b);
  const tryCast = (
    fine: LineageModel,
    fineSamples: ModelSamples,
    coarse: LineageModel,
    coarseSamples: ModelSamples,
    grid: Grid,
  ) => {
    const { agreement, compared } = agreementAfterRounding(fineSamples, coarseSamples, grid, 0.99);
    if (compared < 256 || agreement < CAST_AGREEMENT) return null;
    return {
      child: coarse.repo,
      parent: fine.repo,
      relation: 'cast' as const,
      method: 'rounding' as const,
      agreement,
      compared,
      detail: `Rounding ${fine.repo} to ${grid} gives ${coarse.repo} in ${(100 * agreement).toFixed(2)} % of ${compared} values.`,
    };
  };
  if (order > 0) return tryCast(a, samplesA, b, samplesB, gridDtype(b.fingerprint.dtype) ?? gridB);
  if (order < 0) return tryCast(b, samplesB, a, samplesA, gridDtype(a.fingerprint.dtype) ?? gridA);
  if (gridA === 'BF16' && containerOrder !== 0) {
    const [child, childSamples, parent, parentSamples] =
      a.fingerprint.dtype === 'BF16' ? [b, samplesB, a, samplesA] : [a, samplesA, b, samplesB];
    return tryCast(parent, parentSamples, child, childSamples, gridDtype(child.fingerprint.dtype) ?? 'F32');
  }
  return null;
}

function fineness(model: LineageModel): number {
  const grid = gridDtype(model.fingerprint.dtype);
  return grid === null ? 0 : FINENESS[grid];
}

/** bfloat16 moves a value by at most 2^-9 of itself, 2^-10.3 on average (root mean square 2^-10). */
const ROUNDING_POWER = 2 ** -17;

/** The best source of each cast of one block, among its nearest relatives. `notes`: about the models by their cores. */
export async function findBlockCasts(
  models: readonly LineageModel[],
  block: Block,
  world: { cache: SampleCache },
  notes: Notes = NO_NOTES,
): Promise<CopyFinding[]> {
  const found: CopyFinding[] = [];
  for (const i of block.members) {
    const model = models[i]!;
    if (model.fingerprint.quantized) continue;
    // in small blocks asking everybody is cheaper than ranking everybody: most are given up after a few values
    const pool = block.members.length <= SCAN_BELOW ? block.members : block.nearest.get(i)!;
    const within = notes.ask(TOPICS.withinRounding, [i, ...pool], NOTHING, () =>
      findWithinRounding(models, i, pool),
    );
    if (within.length === 0) continue;
    const near = Array.from(within, (at) => models[pool[at]!]!);
    const samples = await world.cache.get([model.repo, ...near.map((m) => m.repo)]);
    const mine = samples.get(model.repo);
    let best: CastFrom | null = null;
    for (const other of near) {
      const theirs = samples.get(other.repo);
      if (!mine || !theirs) continue;
      const cast = findCast(model, mine, other, theirs);
      if (cast?.child !== model.repo) continue;
      if (best === null || isBetterSource(cast, other, best)) best = { cast, source: other };
    }
    if (best !== null) found.push(best.cast);
  }
  return found;
}

interface CastFrom {
  cast: CopyFinding;
  source: LineageModel;
}

/** A GGUF agrees as well as what it was converted from. */
function isBetterSource(cast: CopyFinding, source: LineageModel, best: CastFrom): boolean {
  if (cast.agreement !== best.cast.agreement) return cast.agreement > best.cast.agreement;
  return isConversion(best.source) && !isConversion(source);
}

/** A cast is within one rounding of its source, which the core shows before any sample is loaded. Places in the pool, nearest first. */
function findWithinRounding(models: readonly LineageModel[], i: number, pool: readonly number[]): number[] {
  const { core } = models[i]!.fingerprint;
  const limit = ROUNDING_POWER * powerOf(core);
  const within: { at: number; off: number }[] = [];
  for (let at = 0; at < pool.length; at++) {
    const { fingerprint } = models[pool[at]!]!;
    if (pool[at] === i || fingerprint.quantized) continue;
    const off = squaredDistance(core, fingerprint.core, limit);
    if (off < limit) within.push({ at, off });
  }
  within.sort(nearestFirst);
  return within.slice(0, CAST_CANDIDATES).map(({ at }) => at);
}

function nearestFirst(a: { off: number }, b: { off: number }): number {
  return a.off - b.off;
}

/** Merges casts into their sources' classes. Chains of casts hang from their immediate source. */
export function joinCasts(casts: readonly CopyFinding[], classes: ReadonlyMap<string, CopyClass>): void {
  const sourceOf = new Map(casts.map((c) => [c.child, c]));
  for (const { child, parent } of sourceOf.values()) {
    let root = parent;
    for (let steps = 0; sourceOf.has(root) && steps < sourceOf.size; steps++)
      root = sourceOf.get(root)!.parent;
    const home = classes.get(root);
    const cast = classes.get(child);
    if (!home || !cast || home === cast) continue;
    home.members.push(...cast.members);
    home.existedBy = Math.min(home.existedBy, cast.existedBy);
  }
}
