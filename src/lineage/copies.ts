import type { LineageModel, Relation } from '../types/lineage.ts';
import type { Block } from './blocks.ts';
import { squaredDistance } from './cosine-test.ts';
import type { ModelSamples, SampleCache } from './model-samples.ts';
import { FINENESS, type Grid, readGrid, roundToGrid } from './number-grid.ts';
import { areComparable } from './pair-statistics.ts';

/** A model whose values are another's: found by file hashes, by values, or by values after rounding. */
export interface CopyFinding {
  child: string;
  parent: string;
  relation: Extract<Relation, 'duplicate' | 'cast'>;
  method: 'hash' | 'values' | 'rounding';
  /** share of compared values that agree (after rounding for casts) */
  agreement: number;
  compared: number;
  detail: string;
}

export interface CopyClass {
  /** the model the others were copied from, as far as formats and time tell */
  source: LineageModel;
  members: LineageModel[];
  /** the weights existed by then: the earliest creation time in the class */
  existedBy: number;
}

/** A cast must agree everywhere but in values too small for one of the formats. */
/** A cast lies nearer to its source than any fine-tune; a few more are looked at because distances are sampled. */
const CAST_CANDIDATES = 8;
const SCAN_BELOW = 200;
const CAST_AGREEMENT = 0.9999;
/** f32 -> f16 -> bf16 rounds twice and differs from direct rounding in 6.3 % of values, by one unit. */
const TINY = 2 ** -13;

export function gridDtype(dtype: string): Grid | null {
  return dtype === 'BF16' || dtype === 'F16' || dtype === 'F32' ? dtype : null;
}

/** Equal hashes of all weight files, whatever their names. Null when some hash is unknown. */
export function filesKey(model: LineageModel): string | null {
  const hashes = model.fingerprint.files.map((f) => f.sha256);
  if (hashes.length === 0 || hashes.some((h) => h === null)) return null;
  return [...new Set(hashes as string[])].sort().join(',');
}

/** Containers that differ only in how the same tensors are split over files. */
function containerOf(format: string): string {
  return format.replace(/-(sharded|split)$/, '');
}

/** Share of common values of `coarse` that are those of `fine` rounded to `grid`; -1 when nothing is common. */
export function agreementAfterRounding(
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

/** Same values at every common position, and nothing of note that only one of the two has. */
export function haveEqualValues(a: ModelSamples, b: ModelSamples): boolean {
  let common = 0;
  for (const tensor of a.tensors) {
    const other = b.byName.get(tensor.name);
    if (!other) {
      // tied embeddings may or may not be stored as lm_head
      if (/lm_head/.test(tensor.name)) continue;
      return false;
    }
    if (!areComparable(tensor, other) || tensor.hash !== other.hash) return false;
    if (tensor.shape[0] !== other.shape[0]) return false;
    common++;
  }
  return common > 0 && a.tensors.length - b.tensors.length < 2 && b.tensors.length - a.tensors.length < 2;
}

/** Which of several models with equal values the others were made from: native format first, then the earliest. */
export function chooseSource(members: readonly LineageModel[], grid: Grid): LineageModel {
  return members.reduce((best, next) => (rankAsSource(next, grid, best) < 0 ? next : best));
}

function rankAsSource(a: LineageModel, grid: Grid, b: LineageModel): number {
  const native = (m: LineageModel) => (gridDtype(m.fingerprint.dtype) === grid ? 0 : 1);
  return native(a) - native(b) || a.createdAt - b.createdAt || (a.repo < b.repo ? -1 : 1);
}

export function copyRelation(child: LineageModel, parent: LineageModel): 'duplicate' | 'cast' {
  const sameDtype = child.fingerprint.dtype === parent.fingerprint.dtype;
  const sameContainer = containerOf(child.fingerprint.format) === containerOf(parent.fingerprint.format);
  return sameDtype && sameContainer ? 'duplicate' : 'cast';
}

/**
 * Classes of models with equal values. Buckets by file hashes and by the bits of the core, then tensor hashes decide.
 * Quantised models join a class by file hash only: equal quantised values may as well have been quantised twice.
 */
export async function findEqualModels(
  models: readonly LineageModel[],
  cache: SampleCache,
): Promise<{ classes: CopyClass[]; findings: CopyFinding[] }> {
  const byFiles = groupBy(models, (m) => filesKey(m) ?? `repo:${m.repo}`);
  const representatives = [...byFiles.values()].map((group) => earliest(group));
  const filesGroup = new Map(
    representatives.map((r) => [r.repo, byFiles.get(filesKey(r) ?? `repo:${r.repo}`)!]),
  );
  const byCore = groupBy(representatives, (m) =>
    m.fingerprint.quantized ? `repo:${m.repo}` : `${m.fingerprint.coreKey}|${hashBits(m.fingerprint.core)}`,
  );
  const classes: CopyClass[] = [];
  const findings: CopyFinding[] = [];
  for (const bucket of byCore.values()) {
    const clusters: LineageModel[][] = [];
    if (bucket.length === 1) clusters.push(bucket);
    else {
      const samples = await cache.get(bucket.map((m) => m.repo));
      for (const model of bucket) {
        const mine = samples.get(model.repo);
        const home = clusters.find((cluster) => {
          const first = samples.get(cluster[0]!.repo);
          return mine !== undefined && first !== undefined && haveEqualValues(mine, first);
        });
        if (home) home.push(model);
        else clusters.push([model]);
      }
    }
    for (const cluster of clusters) {
      const members = cluster.flatMap((m) => filesGroup.get(m.repo) ?? [m]);
      let source = members[0]!;
      if (members.length > 1) {
        const samples = await cache.get(members.map((m) => m.repo));
        const any = [...samples.values()][0];
        source = chooseSource(members, any ? readGrid(any.tensors) : 'F32');
        for (const member of members) {
          if (member === source) continue;
          const sameFiles = filesKey(member) !== null && filesKey(member) === filesKey(source);
          const relation = copyRelation(member, source);
          findings.push({
            child: member.repo,
            parent: source.repo,
            relation: sameFiles ? 'duplicate' : relation,
            method: sameFiles ? 'hash' : 'values',
            agreement: 1,
            compared: any ? any.tensors.reduce((sum, t) => sum + t.values.length, 0) : 0,
            detail: sameFiles
              ? `Both repos hold the same weight files (equal SHA-256).`
              : `All sampled values are equal${relation === 'cast' ? `; stored as ${member.fingerprint.dtype} in ${member.fingerprint.format} against ${source.fingerprint.dtype} in ${source.fingerprint.format}` : ''}.`,
          });
        }
      }
      classes.push({ source, members, existedBy: Math.min(...members.map((m) => m.createdAt)) });
    }
  }
  return { classes, findings };
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

export function earliest(models: readonly LineageModel[]): LineageModel {
  return models.reduce((a, b) =>
    b.createdAt < a.createdAt || (b.createdAt === a.createdAt && b.repo < a.repo) ? b : a,
  );
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const k = key(item);
    const group = groups.get(k);
    if (group) group.push(item);
    else groups.set(k, [item]);
  }
  return groups;
}

function hashBits(values: Float32Array): string {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let h1 = 0x811c9dc5;
  let h2 = 0x9747b28c;
  for (const word of words) {
    h1 = Math.imul(h1 ^ word, 0x01000193);
    h2 = Math.imul((h2 ^ word) + 0x7ed55d16, 0x85ebca6b);
  }
  return `${(h1 >>> 0).toString(16)}${(h2 >>> 0).toString(16)}`;
}

/** bfloat16 moves a value by at most 2^-9 of itself, 2^-10.3 on average (root mean square 2^-10). */
const ROUNDING_POWER = 2 ** -17;

/** The best source of each cast of one block, among its nearest relatives. */
export async function findBlockCasts(
  models: readonly LineageModel[],
  block: Block,
  world: { cache: SampleCache },
): Promise<CopyFinding[]> {
  const sourceOf = new Map<string, CopyFinding>();
  for (const i of block.members) {
    const model = models[i]!;
    if (model.fingerprint.quantized) continue;
    // a cast is within one rounding of its source, which the core shows before any sample is loaded
    const { core } = model.fingerprint;
    const limit = ROUNDING_POWER * core.reduce((power, v) => power + v * v, 0);
    // in small blocks asking everybody is cheaper than ranking everybody: most are given up after a few values
    const pool = block.members.length <= SCAN_BELOW ? block.members : block.nearest.get(i)!;
    const near = pool
      .filter((j) => j !== i && !models[j]!.fingerprint.quantized)
      .map((j) => ({ model: models[j]!, off: squaredDistance(core, models[j]!.fingerprint.core, limit) }))
      .filter(({ off }) => off < limit)
      .sort((a, b) => a.off - b.off)
      .slice(0, CAST_CANDIDATES)
      .map((found) => found.model);
    if (near.length === 0) continue;
    const samples = await world.cache.get([model.repo, ...near.map((m) => m.repo)]);
    const mine = samples.get(model.repo);
    for (const other of near) {
      const theirs = samples.get(other.repo);
      if (!mine || !theirs) continue;
      const cast = findCast(model, mine, other, theirs);
      if (cast?.child !== model.repo) continue;
      const known = sourceOf.get(model.repo);
      if (!known || cast.agreement > known.agreement) sourceOf.set(model.repo, cast);
    }
  }
  return [...sourceOf.values()];
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
